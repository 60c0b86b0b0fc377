"""Disagreements: problems that only some runs solve, and answers that only the judge accepted."""

from __future__ import annotations

from dataclasses import dataclass

from lm_eval_ext.analysis.pairing import DOC_HASH
from lm_eval_ext.analysis.report.entries import Entry
from lm_eval_ext.analysis.report.model import Part, Report
from lm_eval_ext.analysis.runs import Sample

MOST = 20
Place = tuple[str, str, int]
"""A problem across runs: (task, doc_hash or value of `pair_on`, number of equal ones before it)."""


@dataclass(frozen=True)
class Split:
    """A problem that some runs solve and others do not.

    Attributes:
        right, n: number of runs that solve it, and of runs that have it.
    """

    unit: str
    place: Place
    name: str
    problem: str
    gold: str
    right: int
    n: int
    right_runs: tuple[str, ...]


def place_of(sample: Sample, pair_on: str) -> Place:
    """The key of a problem, equal in every run."""
    if pair_on == DOC_HASH:
        return sample.key
    return sample.task, str(sample.doc.get(pair_on, sample.doc_hash)), sample.key[2]


def split_problems(report: Report, most: int | None = MOST) -> list[Split]:
    """Problems that only some runs solve, most even splits first, then those in more runs."""
    found = []
    for unit in report.unit_names:
        held: dict[Place, list[tuple[Part, Sample]]] = {}
        for part in report.of(unit):
            for sample in part.unit.samples:
                if sample.error is None and part.metric in sample.scores:
                    held.setdefault(place_of(sample, report.options.pair_on), []).append((part, sample))
        found += [split for place, those in held.items() if (split := _split(unit, place, those))]
    found.sort(key=lambda s: (-min(s.right, s.n - s.right), -s.n))
    return found[:most]


def judged_otherwise(report: Report, most: int = MOST) -> list[tuple[Part, Entry]]:
    """Answers that the judge accepted and, therefore, the earlier layers did not."""
    every = [
        (part, entry)
        for part in report.units
        for entry in part.entries
        if entry.layer == "judge" and entry.verdict and entry.verdict.correct
    ]
    return every[:most]


def _split(unit: str, place: Place, held: list[tuple[Part, Sample]]) -> Split | None:
    right = [part.run_name for part, sample in held if sample.scores[part.metric] >= 0.5]
    if not 0 < len(right) < len(held):
        return None
    sample = held[0][1]
    name = str(sample.doc.get("id", sample.doc_hash[:8]))
    return Split(unit, place, name, sample.problem, sample.gold, len(right), len(held), tuple(right))
