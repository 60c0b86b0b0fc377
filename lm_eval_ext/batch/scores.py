"""Scores of cells: read from results files, as a table, and the best checkpoint by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import lm_eval_files, runs
from lm_eval_ext.analysis.tables import csv_text
from lm_eval_ext.batch.plan import Select
from lm_eval_ext.batch.record import Best, CellRecord, Score

TABLE = "scores.csv"
COLUMNS = ("model", "step", "evaluation", "task", "metric", "value", "stderr", "n")


def scores_in(folder: Path) -> tuple[Path, dict[str, Score]]:
    """The newest results file of a cell and its scores, groups first. Raises RunError if there is none."""
    file = lm_eval_files.results_files(folder)[-1]
    results = lm_eval_files.read_results(file)
    groups, tasks = lm_eval_files.groups_of(results), lm_eval_files.logged_tasks(results)
    members = {task for group in groups for task in lm_eval_files.leaves(group, groups, tasks)}
    units = [
        *(g for g in groups if g not in tasks),
        *(task for task in tasks if task not in members - set(groups)),
    ]
    parts = {unit: lm_eval_files.leaves(unit, groups, tasks) if unit in groups else (unit,) for unit in units}
    scores = {unit: _score(results, unit, parts[unit]) for unit in units}
    return file, {unit: score for unit, score in scores.items() if score}


def _score(results: Mapping[str, Any], unit: str, tasks: Sequence[str]) -> Score | None:
    """Its score; None if it has no metric."""
    _, metric, values = runs.reported(results, unit)
    counted = results.get("n-samples") or {}
    n = sum(counted[task]["effective"] for task in tasks) if counted.keys() >= {*tasks} else None
    return Score(metric=metric, values=values, n=n) if metric else None


def table(records: Iterable[CellRecord]) -> str:
    """The scores of all finished cells as CSV."""
    rows = [
        (
            r.model,
            r.step,
            r.evaluation,
            task,
            s.metric,
            repr(s.value),
            repr(s.values.get(f"{s.metric}_stderr")),
            s.n,
        )
        for r in records
        for task, s in r.scores.items()
    ]
    return csv_text([COLUMNS, *(["" if cell in (None, "None") else cell for cell in row] for row in rows)])


def best(records: Sequence[CellRecord], select: Select) -> Best | None:
    """The model with the best score; of equals the better second score, then the earlier step."""
    scores = _by_model(records, select.task, select.metric)
    ties = _by_model(records, select.ties, None) if select.ties else {}
    steps = {record.model: record.step for record in records}
    if not scores:
        return None
    first = min(scores, key=lambda m: (-scores[m], -ties.get(m, 0.0), steps[m] or 0, m))
    return Best(
        model=first, step=steps[first], score=scores[first], tie_score=ties.get(first), candidates=len(scores)
    )


def _by_model(records: Iterable[CellRecord], name: str, metric: str | None) -> dict[str, float]:
    found: dict[str, float] = {}
    for record in records:
        score = record.scores.get(name) or next(
            (score for score in record.scores.values() if record.evaluation == name), None
        )
        if score is not None and (metric or score.metric) in score.values:
            found.setdefault(record.model, score.values[metric or score.metric])
    return found
