"""`lm-eval-ext run`, `new-task` and `tasks-path`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lm_eval_ext.cli.app import app, say_next

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
            help="Write results to DIR, and keep each response there, to resume from.",
        ),
    ] = None,
    chunk_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="With --resume: requests generated and stored together; part of the protocol. Default: 64.",
        ),
    ] = None,
    data: Data = None,
    problem_field: ProblemField = "problem",
    gold_field: GoldField = "gold",
    prompt: Prompt = None,
    extract: Extract = "statement",
    split: Split = "test",
    name: Annotated[
        str | None, typer.Option(help="With --data: the task's name. Default: the file's.")
    ] = None,
) -> None:
    """Evaluate a model: `lm_eval run`, after a check of the settings.

    Takes every option of `lm_eval run`, listed below its own, and finds the tasks of this package without
    --include_path. Refuses what makes results incomparable: tensor parallelism, vLLM without a seed in
    --model_args, sampling without repeats, a max_gen_toks that does not fit the model's context window.

        lm-eval-ext run --model vllm --model_args pretrained=M,seed=42 --tasks mathnet,math_qwen

    With --resume, progress is saved; rerun the same command to resume:

        lm-eval-ext run --resume out/M --model vllm --model_args pretrained=M,seed=42 --tasks mathnet \\
            --batch_size auto

    With --data, it evaluates problems of your own (new-task writes the same task to a file):

        lm-eval-ext run --data problems.jsonl --problem-field question --gold-field answer \\
            --model vllm --model_args pretrained=M,seed=42
    """
    if {"--help", "-h"} & {*context.args}:
        typer.echo(context.get_help())
    from lm_eval_ext.harness.launch import run as launch

    if data is None:
        _say_next(launch(context.args, resume, chunk_size))
        return
    from lm_eval_ext.harness.own_task import with_own_task

    task = _own_task(name, data, problem_field, gold_field, prompt, extract, split)
    with tempfile.TemporaryDirectory() as scratch:
        arguments = with_own_task(context.args, task, resume / "task" if resume else Path(scratch))
        _say_next(launch(arguments, resume, chunk_size))


def _say_next(folder: Path | None) -> None:
    if folder is None:
        say_next("run", "...", "--log_samples", "--output_path", "out", why="keeps what was printed")
    else:
        say_next("report", folder, "--out", folder / "report")
        say_next("view", folder, why="every response with its verdict")


@app.command("new-task")
def new_task(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the task; the file is NAME.yaml.")],
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
    from lm_eval_ext.harness.hardware import model_options
    from lm_eval_ext.harness.own_task import write

    path = write(_own_task(name, data, problem_field, gold_field, prompt, extract, split), out)
    typer.echo(path)
    say_next("run", "--tasks", path, *model_options())


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
    """Print the folder of the task files, for plain `lm_eval`.

    lm_eval --tasks mathnet --include_path "$(lm-eval-ext tasks-path)" ...
    """
    from lm_eval_ext.harness.shipped import tasks_path as path

    typer.echo(path())
