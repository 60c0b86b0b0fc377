"""`lm-eval-ext batch`: many models with many evaluations."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lm_eval_ext.cli.app import app, interrupted

if TYPE_CHECKING:
    from lm_eval_ext.batch.cells import Cell
    from lm_eval_ext.batch.executors.base import Executor
    from lm_eval_ext.batch.scheduler import Batch, More


class Place(str, Enum):
    """Where jobs run."""

    local = "local"
    ray = "ray"
    slurm = "slurm"


@app.command()
def batch(
    plan: Annotated[
        Path, typer.Argument(metavar="PLAN.yaml", dir_okay=False, help="Models, tasks, settings.")
    ],
    out: Annotated[Path | None, typer.Option(help="Output folder; default: out/NAME_OF_THE_PLAN.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="A model or evaluation; may be repeated.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the commands; run nothing.")] = False,
    retries: Annotated[int, typer.Option(min=0, help="How often a failed job is started again.")] = 1,
    on: Annotated[Place, typer.Option(help="Where jobs run.")] = Place.local,
    gpus: Annotated[str | None, typer.Option(help="GPUs here: 6,7; default: the free ones.")] = None,
    cores: Annotated[
        int | None, typer.Option(min=1, help="Use CPUs, this many cores per job; without GPUs: all.")
    ] = None,
    address: Annotated[str | None, typer.Option(help="Ray cluster; default: RAY_ADDRESS.")] = None,
    partition: Annotated[str | None, typer.Option(help="Slurm partition.")] = None,
    account: Annotated[str | None, typer.Option(help="Slurm account.")] = None,
    slurm: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="By submitit's names: time=240, mem_gb=64.")
    ] = None,
    executor: Annotated[str, typer.Option(help="submitit's: slurm, or local to try jobs here.")] = "slurm",
    watch: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="Also evaluate checkpoints as they are written.")
    ] = None,
    poll: Annotated[float, typer.Option(min=0.1, help="With --watch: seconds between looks.")] = 30.0,
    until_step: Annotated[int | None, typer.Option(help="With --watch: last step to wait for.")] = None,
    idle: Annotated[float | None, typer.Option(help="With --watch: stop after idle MINUTES.")] = None,
) -> None:
    """Evaluate every model of a plan with every evaluation, one job each, and only those not done yet.

        lm-eval-ext batch plan.yaml
        lm-eval-ext batch plan.yaml --gpus 6,7 --only mathnet
        lm-eval-ext batch plan.yaml --on slurm --partition gpu --account lab --slurm time=240
        lm-eval-ext batch plan.yaml --gpus 6,7 --watch 'runs/*/checkpoint-*' --until-step 1000

    A failed job is started again, then reported with its log, and does not stop the others. Rerun the same
    command to resume. OUT/batch.json records every job, OUT/scores.csv the scores. Exit 1 if a job failed.
    """
    from lm_eval_ext.batch import cells, scheduler
    from lm_eval_ext.batch import plan as plans
    from lm_eval_ext.batch.job import LAUNCHER
    from lm_eval_ext.batch.record import BatchRecord
    from lm_eval_ext.batch.view import BatchView
    from lm_eval_ext.batch.watch import Watch

    read, folder = plans.read(plan), out or Path("out") / plan.stem
    found = cells.cells_of(read, folder, LAUNCHER)
    chosen = cells.selected(found, only or [])
    if dry_run:
        _show(chosen)
        return
    more: More = scheduler.no_more
    if watch:
        wait = None if idle is None else idle * 60
        more = Watch(read, watch, folder, LAUNCHER, poll, until_step, wait)
    elif not found:
        raise plans.without_models(plan)
    given = {"partition": partition, "account": account, **_pairs(slurm or [])}
    options = {name: value for name, value in given.items() if value is not None}
    where = _placed(on, folder, gpus, cores, address=address, slurm=options, executor=executor)
    record = BatchRecord(plan=str(plan), on=where.name, cells=[cell.record for cell in found])
    with BatchView(record) as view:
        folders = {cell.record.folder for cell in chosen} if only else None
        work = scheduler.Batch(folder, record, found, where, view, folders, retries, read.select)
        stopped = _is_stopped(work, more)
    for line in work.summary():
        typer.echo(line)
    if stopped:
        interrupted(f"; rerun the same command to resume {folder}")
    raise typer.Exit(0 if work.is_done() else 1)


def _show(chosen: list[Cell]) -> None:
    import shlex

    from lm_eval_ext.batch.job import outcome

    for cell in chosen:
        state = "done" if outcome(cell.job, cell.folder) else "to run"
        options = cell.job.options(cell.job.named)
        typer.echo(f"{state}: {cell.record.model} | {cell.record.evaluation}")
        typer.echo(f"    lm-eval-ext run --resume {shlex.join([str(cell.folder), *options])}")


def _placed(
    on: Place,
    out: Path,
    gpus: str | None,
    cores: int | None,
    *,
    address: str | None,
    slurm: dict[str, Any],
    executor: str,
) -> Executor:
    from lm_eval_ext.errors import UserError

    of: dict[str, tuple[Place, Any]] = {"--gpus": (Place.local, gpus), "--address": (Place.ray, address)}
    of |= {"--partition, --account and --slurm": (Place.slurm, slurm)}
    for name, (place, value) in of.items():
        if value and place is not on:
            raise UserError(f"{name} with --on {on.value}: leave it out, or use --on {place.value}")
    if on is Place.local:
        from lm_eval_ext.batch.executors.local import LocalExecutor

        return LocalExecutor(gpus.split(",") if gpus else None, cores)
    if on is Place.ray:
        from lm_eval_ext.batch.executors.ray_cluster import RayExecutor

        return RayExecutor(address, cores)
    from lm_eval_ext.batch.executors.slurm import SlurmExecutor

    return SlurmExecutor(out / "slurm", slurm, cores, executor)


def _pairs(given: list[str]) -> dict[str, str]:
    from lm_eval_ext.errors import UserError

    if wrong := next((text for text in given if "=" not in text), None):
        raise UserError(f"--slurm {wrong}: expected KEY=VALUE, such as time=240")
    return {name: value for name, _, value in (text.partition("=") for text in given)}


def _is_stopped(work: Batch, more: More) -> bool:
    try:
        work.run(more)
    except KeyboardInterrupt:
        return True
    return False
