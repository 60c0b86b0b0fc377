"""`lm-eval-ext run`, `new-task` and `tasks-path`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lm_eval_ext.cli.app import app

if TYPE_CHECKING:
    from lm_eval_ext.harness.own_task import OwnTask

Data = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|HUB", help="Problems of your own: .jsonl, .csv, .tsv, .parquet, or a Hub name."
    ),
]
ProblemField = Annotated[str, typer.Option(help="With --data: the column with the problem.")]
GoldField = Annotated[str, typer.Option(help="With --data: the column with the reference answer.")]
Prompt = Annotated[
    str | None, typer.Option(metavar="TEMPLATE", help="With --data: a Jinja template over the columns.")
]
Extract = Annotated[str, typer.Option(help="With --data: how to find the answer, such as boxed.")]
Split = Annotated[str, typer.Option(help="With --data HUB: the split.")]


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
    data: Data = None,
    problem_field: ProblemField = "problem",
    gold_field: GoldField = "gold",
    prompt: Prompt = None,
    extract: Extract = "statement",
    split: Split = "test",
    name: Annotated[
        str | None, typer.Option(help="With --data: the task's name.  [default: the file's]")
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

    With --data, problems of your own (new-task writes the same task to a file):

        lm-eval-ext run --data problems.jsonl --problem-field question --gold-field answer \
            --model vllm --model_args pretrained=M,seed=42
    """
    if {"--help", "-h"} & {*context.args}:
        typer.echo(context.get_help())
    from lm_eval_ext.harness.launch import run as launch

    if data is None:
        launch(context.args, resume, chunk_size)
        return
    from lm_eval_ext.harness.own_task import with_own_task

    task = _own_task(name, data, problem_field, gold_field, prompt, extract, split)
    with tempfile.TemporaryDirectory() as scratch:
        arguments = with_own_task(context.args, task, resume / "task" if resume else Path(scratch))
        launch(arguments, resume, chunk_size)


@app.command("new-task")
def new_task(
    name: Annotated[str, typer.Argument(help="Name of the task; the file is NAME.yaml.")],
    data: Annotated[str, typer.Option(metavar="FILE|HUB", help="As for run.")],
    problem_field: ProblemField = "problem",
    gold_field: GoldField = "gold",
    prompt: Prompt = None,
    extract: Extract = "statement",
    split: Split = "test",
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the file.")] = Path("."),
) -> None:
    """Write a task file for problems of your own, to edit and to keep.

    lm-eval-ext new-task lecture3 --data problems.csv --problem-field question --gold-field answer
    """
    from lm_eval_ext.harness.own_task import write

    path = write(_own_task(name, data, problem_field, gold_field, prompt, extract, split), out)
    typer.echo(f"{path}: evaluate with `lm-eval-ext run --tasks {path} --model ...`")


def _own_task(
    name: str | None,
    data: str,
    problem_field: str,
    gold_field: str,
    prompt: str | None,
    extract: str,
    split: str,
) -> OwnTask:
    from lm_eval_ext.harness.own_task import PROMPT, OwnTask

    named = name or Path(data).stem.replace(".", "_")
    return OwnTask(named, data, problem_field, gold_field, prompt or PROMPT, extract, split)


@app.command("tasks-path")
def tasks_path() -> None:
    """Print the folder of the task files: `lm_eval --include_path "$(lm-eval-ext tasks-path)" ...`."""
    from lm_eval_ext.harness.launch import tasks_path as path

    typer.echo(path())
