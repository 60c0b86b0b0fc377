"""`lm-eval-ext run` and `tasks-path`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lm_eval_ext.cli.app import app


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    options_metavar="[OPTIONS] [ANY OPTION OF lm_eval run]",
)
def run(
    context: typer.Context,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write results to DIR; keep responses in DIR/store and reuse them to resume.",
        ),
    ] = None,
    chunk_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="With --resume: requests per chunk; a kill loses at most one chunk. Part of the "
            "protocol.  [default: 64]",
        ),
    ] = None,
) -> None:
    """Evaluate a model: check the protocol, then run `lm_eval run`.

    Accepts every option of `lm_eval run`; without --include_path it finds the tasks of this package. Refuses
    tensor parallelism, vLLM without a seed in --model_args, sampling without repeats, and a max_gen_toks that
    does not fit the model's context window.

        lm-eval-ext run --model vllm --model_args pretrained=M,seed=42 --tasks mathnet,math_qwen

    With --resume, progress is saved; rerun the same command to resume:

        lm-eval-ext run --resume out/M --model vllm --model_args pretrained=M,seed=42 --tasks mathnet \
            --batch_size auto
    """
    if {"--help", "-h"} & {*context.args}:
        typer.echo(context.get_help())
    from lm_eval_ext.harness.launch import run as launch

    launch(context.args, resume, chunk_size)


@app.command("tasks-path")
def tasks_path() -> None:
    """Print the folder of the task files: `lm_eval --include_path "$(lm-eval-ext tasks-path)" ...`."""
    from lm_eval_ext.harness.launch import tasks_path as path

    typer.echo(path())
