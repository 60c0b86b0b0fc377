"""`lm-eval-ext serve`: the verifiers over HTTP."""

from __future__ import annotations

import socket
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from lm_eval_ext.cli.app import Timeout, Workers, app

if TYPE_CHECKING:
    from lm_eval_ext.rewards.server import ServerConfig

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0: every interface.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: a free port.")] = 8000,
    task: Annotated[
        str | None, typer.Option(help="Task to grade as, where a request names none: math_qwen, mathnet, ...")
    ] = None,
    verifier: Annotated[str, typer.Option(help="Verifier where neither is named.")] = "math",
    plain: Annotated[
        bool, typer.Option("--plain", help="Responses follow plain prompts: a task's stop strings end them.")
    ] = False,
    undecided: Annotated[float, typer.Option(help="OpenRLHF's reward of undecided responses.")] = 0.0,
    workers: Workers = None,
    timeout: Timeout = 5.0,
    queue: Annotated[int, typer.Option(min=1, help="Most responses graded or waiting at once.")] = 16_384,
    max_mib: Annotated[float, typer.Option(min=0.001, help="Size of the largest request, in MiB.")] = 64.0,
    grace: Annotated[int, typer.Option(min=0, help="Seconds to finish requests after SIGTERM.")] = 60,
) -> None:
    """Serve the verifiers over HTTP, for trainers and other languages.

    \b
        lm-eval-ext serve --task math_qwen
        curl localhost:8000/score -H 'content-type: application/json' -d \\
          '{"rows": [{"response": "Final answer: 3/4", "gold": "0.75"}]}'
        {"scores": [{"value": 1.0, "correct": true, "answer": "3/4", ...}]}

    \b
    POST /score       scores of a batch; a request may name its own task, or
                      verifier, extract and stops
    POST /get_reward  OpenRLHF's protocol: /get_reward?task=math_qwen
    GET  /health      that it runs, and how many responses wait
    GET  /metrics     for Prometheus
    GET  /docs        the whole interface (OpenAPI)

    value and correct are null if a response could not be decided; reason says why.
    A full queue refuses requests with 429 and Retry-After. SIGTERM finishes the
    accepted ones, then ends the server. There is no authentication: every host that
    reaches the port can submit responses.
    """
    from lm_eval_ext.errors import required

    for module in ("fastapi", "uvicorn", "prometheus_client"):
        required(module, "serve", "serve")
    from lm_eval_ext.harness.grading_settings import task_settings
    from lm_eval_ext.rewards.server import ServerConfig

    settings_of = partial(task_settings, chat=not plain)
    config = ServerConfig(
        defaults=settings_of(task) if task else {"verifier": verifier},
        math={"workers": workers, "timeout_s": timeout},
        task_settings=settings_of,
        queue=queue,
        max_bytes=int(max_mib * 2**20),
        undecided=undecided,
    )
    _listen(config, host, port, grace)


def _listen(config: ServerConfig, host: str, port: int, grace: int) -> None:
    """Serves until SIGINT or SIGTERM. Raises OSError if the address is in use or not of this host."""
    import uvicorn

    from lm_eval_ext.rewards.server import create_app

    app = create_app(config)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        why = str(error.strerror).partition(" (while")[0]
        raise OSError(f"cannot listen on {host}:{port}: {why}; choose another --host or --port") from error
    shown = f"[{host}]" if ":" in host else host
    typer.echo(f"listening on http://{shown}:{listener.getsockname()[1]} (interface: /docs)", err=True)
    if host not in _LOOPBACK:
        typer.echo(
            "every host that reaches this port can submit responses: it asks for no password", err=True
        )
    settings = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=grace)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(settings).run(sockets=[listener])
