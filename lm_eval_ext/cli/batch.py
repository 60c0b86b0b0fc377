"""`lm-eval-ext batch`: many models with many evaluations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lm_eval_ext.cli.app import app, interrupted, say_next

if TYPE_CHECKING:
    from lm_eval_ext.batch.cells import Cell
    from lm_eval_ext.batch.plan import Plan
    from lm_eval_ext.batch.scheduler import Batch, More

File = Annotated[Path, typer.Argument(metavar="PLAN.yaml", dir_okay=False, help="Models, tasks, settings.")]
Out = Annotated[Path | None, typer.Option(help="Output folder; default: out/NAME_OF_THE_PLAN.")]
Only = Annotated[list[str] | None, typer.Option(help="A model or evaluation; may be repeated.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the commands; run nothing.")]
Retries = Annotated[int, typer.Option(min=0, help="How often a failed job is started again.")]
On = Annotated[Literal["local", "ray", "slurm"], typer.Option(help="Where jobs run.")]
Gpus = Annotated[str | None, typer.Option(help="GPUs here: 6,7; default: the free ones.")]
Cores = Annotated[int | None, typer.Option(min=1, help="Use CPUs, this many cores per job.")]
Address = Annotated[str | None, typer.Option(help="Ray cluster; default: RAY_ADDRESS.")]
Partition = Annotated[str | None, typer.Option(help="Slurm partition.")]
Account = Annotated[str | None, typer.Option(help="Slurm account.")]
Slurm = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="More for Slurm, by submitit's names: time=240; may be repeated."),
]
Submitit = Annotated[str, typer.Option("--executor", help="submitit's: slurm, or local to try jobs here.")]
Pattern = Annotated[
    str | None, typer.Option(metavar="PATTERN", help="Also evaluate checkpoints as they are written.")
]
Poll = Annotated[float, typer.Option(min=0.1, help="With --watch: seconds between looks.")]
UntilStep = Annotated[int | None, typer.Option(help="With --watch: last step to wait for.")]
Idle = Annotated[
    float | None, typer.Option(metavar="MINUTES", help="With --watch: stop if none is written for so long.")
]


@app.command()
def batch(
    plan: File,
    out: Out = None,
    only: Only = None,
    dry_run: DryRun = False,
    retries: Retries = 1,
    on: On = "local",
    gpus: Gpus = None,
    cores: Cores = None,
    address: Address = None,
    partition: Partition = None,
    account: Account = None,
    slurm: Slurm = None,
    executor: Submitit = "slurm",
    watch: Pattern = None,
    poll: Poll = 30.0,
    until_step: UntilStep = None,
    idle: Idle = None,
) -> None:
    """Evaluate every model of a plan in every way it names, one job each; skip what is done.

    A plan is a YAML file with models, tasks and settings: docs/batch.md.

        lm-eval-ext batch plan.yaml
        lm-eval-ext batch plan.yaml --gpus 6,7 --only mathnet
        lm-eval-ext batch plan.yaml --on slurm --partition gpu --account lab --slurm time=240
        lm-eval-ext batch plan.yaml --gpus 6,7 --watch 'runs/*/checkpoint-*' --until-step 1000

    A failed job is started again, then reported with its log, and does not stop the others. Rerun the same
    command to resume. OUT/batch.json records every job, OUT/scores.csv the scores. Exit 1 if a job failed.
    """
    from lm_eval_ext.batch import cells, executors, record, scheduler, view
    from lm_eval_ext.batch import plan as plans
    from lm_eval_ext.batch import watch as watches

    if watch and only:
        raise typer.BadParameter("--only with --watch: leave the other evaluations out of the plan")
    read, folder = plans.read(plan, watched=watch is not None), out or Path("out") / plan.stem
    _check_tasks(read)
    found = cells.cells_of(read, folder)
    chosen = cells.selected(found, only or [])
    if dry_run:
        return _show(chosen)
    more: More = scheduler.no_more
    if watch:
        more = watches.Watch(read, watch, folder, poll, until_step, idle and idle * 60)
    given = _slurm_options(slurm or [], partition=partition, account=account)
    where = executors.opened(on, folder, cores, gpus=gpus, address=address, slurm=given, submitit=executor)
    written = record.BatchRecord(plan=str(plan), on=on, cells=[cell.record for cell in found])
    folders = {cell.record.folder for cell in chosen} if only else None
    with view.BatchView(written, folders) as shown:
        work = scheduler.Batch(folder, written, found, where, shown, folders, retries, read.select)
        stopped = _is_stopped(work, more)
    for line in work.summary():
        typer.echo(line)
    if stopped:
        interrupted(f"; rerun the same command to resume {folder}")
    say_next("report", folder, "--out", folder / "report")
    raise typer.Exit(0 if work.is_done() else 1)


def _check_tasks(plan: Plan) -> None:
    """Raises UserError for a task that does not exist, before any job is started."""
    from lm_eval_ext.harness import shipped, validation

    own = [e.tasks for e in plan.evaluations if not any("--include_path" in a for a in e.arguments)]
    validation.expanded([task for tasks in own for task in tasks], str(shipped.tasks_path()))


def _slurm_options(given: list[str], **named: str | None) -> list[str]:
    """KEY=VALUE of the options with names of their own, and of the others."""
    return [f"{name}={value}" for name, value in named.items() if value] + given


def _show(chosen: list[Cell]) -> None:
    import shlex

    from lm_eval_ext.batch.job import outcome

    for cell in chosen:
        state = "done" if outcome(cell.job, cell.folder) else "to run"
        options = cell.job.options(cell.job.named)
        typer.echo(f"{state}: {cell.record.model} | {cell.record.evaluation}")
        typer.echo(f"    lm-eval-ext run --resume {shlex.join([str(cell.folder), *options])}")


def _is_stopped(work: Batch, more: More) -> bool:
    try:
        work.run(more)
    except KeyboardInterrupt:
        return True
    return False
