"""The strict launcher: validate the command line, then let `lm_eval run` do the rest."""

from __future__ import annotations

import logging
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from lm_eval_ext.harness import engines, logs, secrecy, validation
from lm_eval_ext.harness.errors import ProtocolError, UserError
from lm_eval_ext.harness.shipped import tasks_path
from lm_eval_ext.redaction import redacted_settings

log = logging.getLogger(f"lm_eval.{__name__}")


def run(arguments: Sequence[str], resume: Path | None = None, chunk_size: int | None = None) -> Path | None:
    """`lm_eval run` with these arguments; without `--include_path` it finds this package's tasks.

    `resume` is a folder with a store, see `lm_eval_ext.harness.store`; `chunk_size` is the number of requests
    that are generated together and stored.

    Returns the folder of the results, if they have samples. Raises UserError before any model is loaded.
    """
    engines.settle_on_cpu()
    from lm_eval._cli.harness import HarnessCLI

    import lm_eval_ext.harness.filters  # noqa: F401  for YAMLs that name grade_math and no class

    if resume is None and chunk_size is not None:
        raise ProtocolError(f"--chunk-size {chunk_size} without --resume DIR: only a store has chunks")
    for option, given in pairwise(arguments):
        if option in ("--model_args", "-a") and given and not {"=", "{"} & {*given}:
            raise UserError(
                f"{option} {given}: settings are NAME=VALUE, the model {option} pretrained={given}"
            )
    sys.argv = ["lm-eval", "run", *with_include_path(arguments)]
    cli = HarnessCLI()
    for parser in (cli._parser, cli._subparsers.choices["run"]):
        parser.error = _refuse
    try:
        namespace = cli.parse_args()
    except ValueError as error:
        raise UserError(redacted_settings(f"lm-eval run: {error}")) from None
    settings = secrecy.user_settings(namespace)
    output = resume or settings.get("output_path")
    try:
        with secrecy.kept_secret(settings, Path(output) if output else None):
            _execute(cli, namespace, resume, chunk_size)
    finally:
        engines.end_at_exit()  # lm-eval's own tasks do not
    return Path(output) if output and (resume or settings.get("log_samples")) else None


def _refuse(message: str) -> NoReturn:
    """In place of argparse's 20 lines of usage."""
    print(f"Error: {redacted_settings(message)}\nhelp: lm-eval-ext run --help", file=sys.stderr)
    raise SystemExit(2)


def _execute(cli: Any, namespace: Namespace, resume: Path | None, chunk_size: int | None) -> None:
    from lm_eval_ext.harness.loading import prepared

    logs.show_lm_eval()  # on a stream that hides secrets
    if getattr(namespace, "confirm_run_unsafe_code", False):
        os.environ.setdefault("HF_ALLOW_CODE_EVAL", "1")  # asked for by `evaluate`, the same question
    if resume is not None:
        from lm_eval_ext.harness.store import run as stored

        stored.prepare(namespace, resume, stored.CHUNK_SIZE if chunk_size is None else chunk_size)
    config = validation.check(namespace)
    with prepared(config.gen_kwargs, validation.needs_defaults(config.tasks, config.include_path)):
        if resume is None:
            log.info("starting %s", config.model)
            cli.execute(namespace)
        else:
            stored.run(namespace, config, resume, cli.execute)


def with_include_path(arguments: Sequence[str]) -> list[str]:
    """The arguments, with this package's tasks unless they name a folder."""
    named = any(a.split("=")[0] == "--include_path" for a in arguments)
    return [*arguments] if named else [*arguments, "--include_path", str(tasks_path())]
