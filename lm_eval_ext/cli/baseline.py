"""`lm-eval-ext check-baseline`: check a run against recorded figures."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lm_eval_ext.cli.app import app, fail, say_next

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lm_eval_ext.analysis.baseline_check import FigureCheck
    from lm_eval_ext.analysis.baselines import Baseline
    from lm_eval_ext.analysis.runs import Run


@app.command("check-baseline")
def check_baseline(
    results: Annotated[Path | None, typer.Argument(metavar="RUN", help="Results file, or folder.")] = None,
    baseline: Annotated[str | None, typer.Option(help="Baseline (see --list); default: the model's.")] = None,
    model: Annotated[str | None, typer.Option(help="Model to check, if the baseline has several.")] = None,
    paired: Annotated[
        bool | None,
        typer.Option(
            "--paired/--tolerance",
            help="Compare problems, or only scores; default: the baseline's.",
        ),
    ] = None,
    alpha: Annotated[float, typer.Option(min=1e-6, max=0.5, help="Accepted rate of false alarms.")] = 0.05,
    folder: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder of baselines; default: the packaged ones.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the baselines.")] = False,
    record: Annotated[str | None, typer.Option(help="Record the run as a baseline with this name.")] = None,
    source: Annotated[str, typer.Option(help="With --record: source of the figures.")] = "measured",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="With --record: replace it.")] = False,
) -> None:
    """Check that a run is no worse than its baseline.

    Without --baseline, the run is checked against the figures of its own model.

        lm-eval-ext check-baseline out/smollm2 --baseline smollm2-135m-instruct
        lm-eval-ext check-baseline out/mine --record mine --folder baselines

    Exit code: 0 no regression; 1 regression; 2 wrong usage, or an unreadable
    run or baseline; 3 different protocols, no regression.
    """
    from lm_eval_ext.analysis import baseline_check, baselines, runs
    from lm_eval_ext.harness.errors import UserError

    place = folder or baselines.folder()
    try:
        if listed:
            return _list(baselines.load_all(place))
        if results is None:
            raise typer.BadParameter("give the results of a run, or --list to show the baselines")
        run = runs.load(results)
        if run.repeated:
            typer.echo(
                f"{results} has several results of {', '.join(run.repeated)}; the newest count", err=True
            )
        if record:
            today = date.today().isoformat()
            for path in baselines.record(record, run, source, today, place, overwrite):
                typer.echo(f"wrote {path}", err=True)
            return say_next("check-baseline", "ANOTHER_RUN", "--baseline", record, "--folder", place)
        against = [_named(baseline, place)] if baseline else _of_model(run, place)
        checks = [
            c
            for b in against
            for c in baseline_check.check(run, b, place, model=model, paired=paired, alpha=alpha)
        ]
    except UserError as error:
        fail(error, baseline_check.USAGE)
    _show(checks, results if results.is_dir() else results.parent)
    raise typer.Exit(baseline_check.exit_code(checks))


def _named(name: str, place: Path) -> Baseline:
    from lm_eval_ext.analysis import baselines
    from lm_eval_ext.analysis.lm_eval_files import RunError

    file = place / f"{name}.json"
    if not file.is_file():
        there = ", ".join(path.stem for path in sorted(place.glob("*.json")))
        raise RunError(f"no baseline {name} in {place}; available: {there or 'none'}")
    return baselines.load(file)


def _of_model(run: Run, place: Path) -> list[Baseline]:
    """Baselines that have figures of the run's model, reduced to those figures."""
    from lm_eval_ext.analysis import baselines
    from lm_eval_ext.analysis.lm_eval_files import RunError

    found = []
    for baseline in baselines.load_all(place).values():
        own = tuple(f for f in baseline.figures if Path(f.model).name == run.name)
        if any(f.task in {*run.tasks, *run.groups} for f in own):
            found.append(baseline.model_copy(update={"figures": own}))
    if not found:
        raise RunError(
            f"no baseline has a figure of {run.name} for these tasks; choose one with --baseline (see --list)"
        )
    return found


def _list(found: dict[str, Baseline]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for head in ("baseline", "figures", "date"):
        table.add_column(head, no_wrap=True)
    table.add_column("models")
    table.add_column("tasks")
    for name, baseline in found.items():
        models = list(dict.fromkeys(figure.model for figure in baseline.figures))
        tasks = list(dict.fromkeys(figure.task for figure in baseline.figures))
        figures = str(len(baseline.figures) + len(baseline.pairs))
        table.add_row(name, figures, baseline.date, _few(models), _few(tasks))
    Console(highlight=False).print(table)
    say_next("check-baseline", "RUN", "--baseline", "NAME")


def _few(names: list[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def _show(checks: Sequence[FigureCheck], folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    from lm_eval_ext.analysis.compare_output import p_value, percent

    console = Console(highlight=False)
    table = Table("task, metric", "baseline", "run", "passes from", "p", "verdict", pad_edge=False, box=None)
    for found in checks:
        table.add_row(
            f"{found.task}, {found.metric}",
            f"{percent(found.expected)} ({found.expected_n or 'n not known'})",
            f"{percent(found.value)} ({found.n})",
            "" if found.lowest is None else percent(found.lowest),
            "" if found.p is None else p_value(found.p),
            found.verdict,
        )
    console.print(table)
    for found in checks:
        for line in _details(found):
            console.print(f"  {found.task}: {line}", markup=False)
    say_next("view", folder, why="every response with its verdict")


def _details(found: FigureCheck) -> list[str]:
    from lm_eval_ext.analysis.compare_output import p_value

    lines = [f"{difference} (baseline and run)" for difference in found.differences]
    two_sided = f"two-sided p {p_value(found.p_two_sided)}" if found.p_two_sided is not None else ""
    if found.lost is not None:
        lines.append(f"paired: {found.lost} lost, {found.gained} gained; {two_sided}")
    elif two_sided:
        lines.append(f"tolerance: both uncertain, not paired; {two_sided}")
    return lines + [found.remark] * bool(found.remark)
