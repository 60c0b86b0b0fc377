"""Scores by a field of the documents: level, subject, country."""

from __future__ import annotations

from lm_eval_ext.analysis.breakdown import values
from lm_eval_ext.analysis.pairing import doc_field
from lm_eval_ext.analysis.report.model import Report
from lm_eval_ext.analysis.report.tables import ESTIMATE, Column, Table, estimate, table

Groups = dict[str, dict[int, list[float]]]
"""Value of a field -> run number -> scores."""
_FOLDED = (
    "Accuracy with its interval; n: largest of all runs. Values with fewer than {} problems share a row."
)


def breakdowns(report: Report) -> list[Table]:
    """A table per unit and document field, with a column per run."""
    found = []
    for unit in report.unit_names:
        for name in report.options.fields:
            if (made := _breakdown(report, unit, name)) is not None:
                found.append(made)
    return found


def _breakdown(report: Report, unit: str, name: str) -> Table | None:
    parts = report.of(unit)
    groups: Groups = {}
    for part in parts:
        for sample in part.unit.samples:
            if (
                sample.error is None
                and part.metric in sample.scores
                and doc_field(sample.doc, name) is not None
            ):
                for value in values(sample.doc, name):
                    by_run = groups.setdefault(value, {})
                    by_run.setdefault(part.run, []).append(sample.scores[part.metric])
    if len(groups) < 2:
        return None
    rows = [
        [value, max(map(len, by_run.values())), *(estimate(by_run.get(part.run, [])) for part in parts)]
        for value, by_run in _folded(groups, report.options.min_group)
    ]
    columns: list[str | Column] = [
        Column(name),
        "n:count",
        *(Column(part.run_name, ESTIMATE) for part in parts),
    ]
    title = f"{unit} by {name}"
    return table(f"by_{name}_{unit}", title, columns, rows, _FOLDED.format(report.options.min_group))


def _folded(groups: Groups, least: int) -> list[tuple[str, dict[int, list[float]]]]:
    """Sorts numeric values by number, others by size; merges small ones into a last row."""
    small = [value for value, by_run in groups.items() if max(map(len, by_run.values())) < least]
    if len(small) == len(groups) or len(small) == 1:
        small = []
    kept = [value for value in groups if value not in small]
    numeric = all(value.lstrip("-").isdigit() for value in kept)
    kept.sort(key=lambda v: (int(v) if numeric else -max(map(len, groups[v].values())), v))
    rows = [(value, groups[value]) for value in kept]
    if small:
        together: dict[int, list[float]] = {}
        for value in small:
            for run, scores in groups[value].items():
                together.setdefault(run, []).extend(scores)
        rows.append((f"other ({len(small)} values)", together))
    return rows
