"""The matrix of models and evaluations as tables, with baselines beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import baselines, stats
from lm_eval_ext.analysis.baseline_check import unequal
from lm_eval_ext.analysis.baselines import Figure
from lm_eval_ext.analysis.cells import Matrix, Scored
from lm_eval_ext.analysis.report.model import Report
from lm_eval_ext.analysis.tables import ESTIMATE, Column, Estimate, Table, estimate, table

Score = Estimate | str | None
_NOTE = (
    "The metric of each task with its interval, clustered by problem where responses are repeated. "
    "A cell without scores has its status. "
)


def tables(report: Report) -> list[Table]:
    """Models by tasks, steps by tasks, training by evaluation, and all cells; each may be empty."""
    matrix, beside = report.matrix, list(_baselines(report.matrix, report.options.baselines))
    return [_by_task(matrix, beside), steps(matrix), conditions(matrix), _comparison(matrix, beside)]


def shown(one: Scored | None) -> Score:
    """A cell of a table: the score, or its status in a word."""
    return None if one is None else one.score or one.cell.status.partition(":")[0]


def latest(matrix: Matrix) -> list[str]:
    """The models; of a training the last checkpoint with scores, without any the last."""
    cells = sorted(matrix.cells, key=lambda c: (c.run is not None, c.step or 0))
    last, series = {c.series: c.model for c in cells}, {c.model: c.series for c in matrix.cells}
    return [model for model, of in series.items() if last[of] == model]


def by_model(matrix: Matrix) -> dict[tuple[str, str], dict[str, Scored]]:
    """(model, setting) -> task -> its score."""
    found: dict[tuple[str, str], dict[str, Scored]] = {}
    for one in matrix.scored:
        found.setdefault((one.cell.model, one.setting), {})[one.unit] = one
    return found


def _by_task(matrix: Matrix, beside: Sequence[tuple[str, Figure]]) -> Table:
    rows: list[list[Any]] = [
        [model, setting, *(shown(found.get(unit)) for unit in matrix.units)]
        for (model, setting), found in by_model(matrix).items()
    ]
    for name in dict.fromkeys(name for name, _ in beside):
        own = {figure.task: _of_figure(figure) for of, figure in beside if of == name}
        rows.append([name, "baseline", *(own.get(unit) for unit in matrix.units)])
    columns: list[str | Column] = ["model", "evaluated", *(Column(unit, ESTIMATE) for unit in matrix.units)]
    note = _NOTE + "Baselines may have other settings: lm-eval-ext check-baseline compares them." * bool(
        beside
    )
    return table("model_tasks", "Models and tasks", columns, rows if len(rows) > 1 else [], note)


def steps(matrix: Matrix) -> Table:
    """Checkpoints in the order of their steps, each with the tasks that it is the best in."""
    found = {
        (cell.series, setting, cell.step, model): scores
        for (model, setting), scores in by_model(matrix).items()
        if (cell := next(iter(scores.values())).cell).step is not None
    }
    rows = [
        [
            series,
            setting,
            step,
            _best_in(found, (series, setting), step),
            *map(shown, map(scores.get, matrix.units)),
        ]
        for (series, setting, step, _), scores in sorted(found.items(), key=lambda item: item[0][:3])
    ]
    columns: list[str | Column] = [
        "training",
        "evaluated",
        "step:count",
        "best in",
        *(Column(u, ESTIMATE) for u in matrix.units),
    ]
    note = _NOTE + "Best in: tasks with the highest score of this training, the earlier of equal steps. "
    return table(
        "model_steps",
        "Steps and tasks",
        columns,
        rows if len(rows) > 1 else [],
        note + " ".join(matrix.notes),
    )


def _best_in(found: dict[Any, dict[str, Scored]], of: tuple[str, str], step: int | None) -> str:
    best: dict[str, tuple[float, int]] = {}
    for (*same, at, _), scores in found.items():
        for unit, one in scores.items():
            if tuple(same) == of and one.score:
                best[unit] = max(best.get(unit, (-1.0, 0)), (one.score.value, -at))
    return ", ".join(unit for unit, (_, negative) in best.items() if -negative == step)


def conditions(matrix: Matrix) -> Table:
    """How models were trained, by how they were evaluated; of checkpoints the latest."""
    cells, found = {cell.model: cell for cell in matrix.cells}, by_model(matrix)
    rows = [
        [unit, model, *(cells[model].value(name) for name in matrix.model_labels), *map(shown, scores)]
        for unit in matrix.units
        for model in latest(matrix)
        if any(scores := [found.get((model, setting), {}).get(unit) for setting in matrix.settings])
    ]
    columns: list[str | Column] = [
        "task", "model", *map(Column, matrix.model_labels),
        *(Column(setting or "score", ESTIMATE) for setting in matrix.settings),
    ]  # fmt: skip
    useful = matrix.contrasts or matrix.model_labels
    note = _NOTE + "Of the checkpoints of a training the latest with scores."
    return table("conditions", "Training and evaluation", columns, rows if useful else [], note)


def _comparison(matrix: Matrix, beside: Sequence[tuple[str, Figure]]) -> Table:
    names = [*matrix.labels, *(name for name in matrix.varying if name not in matrix.labels)]
    columns: list[str | Column] = [
        "model", "step:count", "evaluation", *map(Column, names), "task", "metric", "value:share",
        "low:share", "high:share", "n:count", "status", "folder",
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for one in matrix.scored if len(matrix.cells) > 1 else ():
        cell = one.cell
        start = [cell.model, cell.step, cell.evaluation, *map(cell.value, names), one.unit]
        rows += [[*start, *end, cell.status, str(cell.folder)] for end in _metrics(one)]
    for name, figure in beside if rows else ():
        found = _of_figure(figure)
        four = [figure.value, *_ends(found if isinstance(found, Estimate) else None)[1:3], figure.n]
        rows.append([name, None, "", *[""] * len(names), figure.task, figure.metric, *four, "baseline", ""])
    return table("comparison", "All cells", columns, rows)


def _metrics(one: Scored) -> Iterator[list[Any]]:
    """The task's score, and with repeats pass@k and maj@k: metric, value, low, high, n."""
    yield [one.metric, *_ends(one.score)]
    if one.cell.run is not None:
        task = one.cell.run.unit(one.unit)
        for name in task.metrics:
            if "@" in name and name != one.metric:
                yield [name, *_ends(estimate(list(task.scored(name).values())))]


def _ends(found: Estimate | None) -> list[Any]:
    return [found.value, found.low, found.high, found.n] if found else [None] * 4


def _baselines(matrix: Matrix, folder: Path | None) -> Iterator[tuple[str, Figure]]:
    """Figures with the task and metric of a score, with their names; of several the nearest by settings."""
    tasks = {one.unit: one for one in reversed(matrix.scored) if one.cell.run is not None}
    for file, baseline in baselines.load_all(folder).items():
        nearest: dict[tuple[str, str, str], tuple[int, Figure]] = {}
        for figure in baseline.figures:
            one = tasks.get(figure.task)
            if one is None or one.cell.run is None or one.metric != figure.metric:
                continue
            task = one.cell.run.unit(figure.task)
            if figure.filter in (None, task.filter):
                name = f"{figure.model} {figure.notes * (figure.kind == 'threshold')}".strip()
                key, far = (name, figure.task, figure.metric), len(unequal(figure, task))
                if key not in nearest or far < nearest[key][0]:
                    nearest[key] = far, figure
        yield from ((f"{name} ({file})", figure) for (name, _, _), (_, figure) in nearest.items())


def _of_figure(figure: Figure) -> Estimate | str:
    if figure.kind == "threshold" or figure.n is None:
        return f"{'at least ' * (figure.kind == 'threshold')}{figure.value:.1%}"
    interval = stats.wilson(round(figure.value * figure.n), figure.n)
    return Estimate(figure.value, interval.low, interval.high, figure.n)
