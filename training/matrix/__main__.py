"""`lm-eval-ext train matrix PLAN`: train by several recipes, evaluate each model in several ways, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lm_eval_ext.cli.batch import Cores, Gpus, Out, Retries

from .. import command

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    plan: Annotated[
        Path, typer.Argument(metavar="PLAN", help="A plan or a recipe: a file, or the name of a shipped one.")
    ],
    out: Out = None,
    model: Annotated[str | None, typer.Option(help="Folder or name of a model to train.")] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            help="SETTING=VALUE,VALUE: train once with each; may be repeated, for all combinations."
        ),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="A training, model or evaluation; may be repeated.")
    ] = None,
    only_eval: Annotated[bool, typer.Option("--only-eval", help="Train nothing.")] = False,
    only_report: Annotated[bool, typer.Option("--only-report", help="Train and evaluate nothing.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what is done and what is not.")] = False,
    retries: Retries = 1,
    gpus: Gpus = None,
    cores: Cores = None,
) -> None:
    """Train by several recipes, evaluate every model in several ways, and report on them together.

        lm-eval-ext train matrix chat_template_matrix --out runs/chat
        lm-eval-ext train matrix chat_template_matrix --out runs/chat --only grpo_no_chat
        lm-eval-ext train matrix chat_template_matrix --out runs/chat --only-report
        lm-eval-ext train matrix rlvr_gsm8k --sweep learning_rate=1e-6,5e-6 --out runs/rates

    Each training and each evaluation is a job with one GPU. One that fails is reported with its log and
    does not stop the others. Rerun the same command to resume. The report is in OUT/report. Exit 1 if a job
    failed.
    """
    from lm_eval_ext.batch.executors import opened
    from lm_eval_ext.batch.executors.local import free_gpus
    from lm_eval_ext.cli.app import interrupted

    from .matrix import Matrix
    from .plan import read

    folder = out or Path("out") / plan.stem
    matrix = Matrix(read(plan, model, sweep or []), folder, only or [])
    if dry_run:
        return typer.echo("\n".join(matrix.states()))
    if only_report:
        raise typer.Exit(matrix.report())
    executor = opened("local", folder, cores, gpus=gpus)
    if only_eval:
        matrix.require_trained()
    try:
        if not only_eval:
            matrix.train(gpus.split(",") if gpus else free_gpus())
        work = matrix.evaluate(str(plan), executor, retries)
    except KeyboardInterrupt:
        interrupted(f"; rerun the same command to resume {folder}")
    for line in work.summary():
        typer.echo(line)
    code = matrix.report()
    raise typer.Exit(code if work.is_done() and not matrix.missing() else 1)


if __name__ == "__main__":
    app(prog_name=command("matrix"))
