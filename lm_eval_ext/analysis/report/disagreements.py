"""Where runs part: problems that divide them, and answers on which a judge and the other layers do."""

from __future__ import annotations

from dataclasses import dataclass

from lm_eval_ext.analysis.pairing import DOC_HASH
from lm_eval_ext.analysis.report.entries import Entry
from lm_eval_ext.analysis.report.model import Part, Report
from lm_eval_ext.analysis.runs import Sample

MOST = 20
Place = tuple[str, str, int]
"""A problem in any run: (task, doc_hash or the field that names it, how many equal ones come before)."""


@dataclass(frozen=True)
class Split:
    """A problem that some runs solve and others do not.

    Attributes:
        right, n: runs that solve it, of those that have it.
        right_runs: their names.
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
    """What a problem is called in every run."""
    if pair_on == DOC_HASH:
        return sample.key
    return sample.task, str(sample.doc.get(pair_on, sample.doc_hash)), sample.key[2]


def split_problems(report: Report, most: int | None = MOST) -> list[Split]:
    """Problems on which the runs disagree: the most even splits first, then those with more runs."""
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
    """Answers that the judge accepted: it is asked only about what the layers before it did not."""
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
