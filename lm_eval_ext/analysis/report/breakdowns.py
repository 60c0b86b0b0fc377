"""Scores by a field of the documents: level, subject, country."""

from __future__ import annotations

from collections.abc import Mapping

from lm_eval_ext.analysis.breakdown import values
from lm_eval_ext.analysis.pairing import doc_field
from lm_eval_ext.analysis.report.model import Report
from lm_eval_ext.analysis.runs import SampleKey
from lm_eval_ext.analysis.tables import ESTIMATE, Column, Table, estimate, table

Scores = dict[int, dict[SampleKey, float]]
"""Run number -> problem -> score."""


def breakdowns(report: Report) -> list[Table]:
    """A table per unit and document field, with a column per run."""
    made = (_breakdown(report, unit, name) for unit in report.unit_names for name in report.options.fields)
    return [one for one in made if len(one.rows) > 1]


def _breakdown(report: Report, unit: str, name: str) -> Table:
    parts, groups = report.of(unit), dict[str, Scores]()
    for part in parts:
        scores = part.unit.scored(part.metric)
        for sample in part.unit.samples:
            if sample.key in scores and doc_field(sample.doc, name) is not None:
                for value in values(sample.doc, name):
                    by_run = groups.setdefault(value, {}).setdefault(part.run, {})
                    by_run[sample.key] = scores[sample.key]
    rows = [
        [value, _size(by_run), *(estimate([*by_run.get(part.run, {}).values()]) for part in parts)]
        for value, by_run in _folded(groups, report.options.min_group)
    ]
    columns = [Column(name), Column("n", "count"), *(Column(part.run_name, ESTIMATE) for part in parts)]
    note = (
        "Accuracy with its interval; n: largest of all runs. "
        f"Values with fewer than {report.options.min_group} problems share a row."
    )
    return table(f"by_{name}_{unit}", f"{unit} by {name}", columns, rows, note)


def _size(by_run: Scores) -> int:
    return max(map(len, by_run.values()))


def _folded(groups: Mapping[str, Scores], least: int) -> list[tuple[str, Scores]]:
    """Sorts numeric values by number, others by size; merges small ones into a last row, a problem once."""
    small = [value for value, by_run in groups.items() if _size(by_run) < least]
    if len(small) == len(groups) or len(small) == 1:
        small = []
    kept = [value for value in groups if value not in small]
    numeric = all(value.lstrip("-").isdigit() for value in kept)
    kept.sort(key=lambda v: (int(v) if numeric else -_size(groups[v]), v))
    rows = [(value, groups[value]) for value in kept]
    if small:
        together: Scores = {}
        for value in small:
            for run, scores in groups[value].items():
                together.setdefault(run, {}).update(scores)
        rows.append((f"other ({len(small)} values)", together))
    return rows
