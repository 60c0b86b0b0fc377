"""`lm-eval-ext run` and `tasks-path`: the strict launcher."""

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
            help="Keep responses in DIR/store, and reuse those that are there; results go to DIR too.",
        ),
    ] = None,
    chunk_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="With --resume: requests generated together, and at most lost. Part of the protocol.  "
            "[default: 64]",
        ),
    ] = None,
) -> None:
    """Evaluate a model: the protocol is checked before the engine starts, then `lm_eval run` does it.

    Takes every option of `lm_eval run`. Without --include_path it finds the tasks of this package. Refuses
    tensor parallelism, vLLM without a seed in --model_args, sampling without repeats, and a max_gen_toks that
    does not fit the model's window.

        lm-eval-ext run --model vllm --model_args pretrained=M,seed=42 --tasks mathnet,math_qwen

    With --resume a killed run goes on where it stopped when the same command is given again:

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
