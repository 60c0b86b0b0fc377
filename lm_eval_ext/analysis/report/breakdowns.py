"""Scores by a field of the documents: level, subject, country."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lm_eval_ext.analysis.breakdown import values
from lm_eval_ext.analysis.pairing import doc_field
from lm_eval_ext.analysis.report.model import Report
from lm_eval_ext.analysis.tables import ESTIMATE, Column, Table, estimate, table

Groups = dict[str, dict[int, list[float]]]
"""Value of a field -> run number -> scores."""


def breakdowns(report: Report) -> list[Table]:
    """A table per unit and document field, with a column per run."""
    made = (_breakdown(report, unit, name) for unit in report.unit_names for name in report.options.fields)
    return [one for one in made if len(one.rows) > 1]


def _breakdown(report: Report, unit: str, name: str) -> Table:
    parts, groups = report.of(unit), Groups()
    for part in parts:
        scores = part.unit.scored(part.metric)
        for sample in part.unit.samples:
            if sample.key in scores and doc_field(sample.doc, name) is not None:
                for value in values(sample.doc, name):
                    groups.setdefault(value, {}).setdefault(part.run, []).append(scores[sample.key])
    rows = [
        [value, _size(by_run), *(estimate(by_run.get(part.run, [])) for part in parts)]
        for value, by_run in _folded(groups, report.options.min_group)
    ]
    columns = [Column(name), Column("n", "count"), *(Column(part.run_name, ESTIMATE) for part in parts)]
    note = (
        "Accuracy with its interval; n: largest of all runs. "
        f"Values with fewer than {report.options.min_group} problems share a row."
    )
    return table(f"by_{name}_{unit}", f"{unit} by {name}", columns, rows, note)


def _size(by_run: Mapping[int, Sequence[float]]) -> int:
    return max(map(len, by_run.values()))


def _folded(groups: Groups, least: int) -> list[tuple[str, dict[int, list[float]]]]:
    """Sorts numeric values by number, others by size; merges small ones into a last row."""
    small = [value for value, by_run in groups.items() if _size(by_run) < least]
    if len(small) == len(groups) or len(small) == 1:
        small = []
    kept = [value for value in groups if value not in small]
    numeric = all(value.lstrip("-").isdigit() for value in kept)
    kept.sort(key=lambda v: (int(v) if numeric else -_size(groups[v]), v))
    rows = [(value, groups[value]) for value in kept]
    if small:
        together: dict[int, list[float]] = {}
        for value in small:
            for run, scores in groups[value].items():
                together.setdefault(run, []).extend(scores)
        rows.append((f"other ({len(small)} values)", together))
    return rows
