"""Problems that only some runs solve."""

from __future__ import annotations

from dataclasses import dataclass

from lm_eval_ext.analysis.pairing import DOC_HASH
from lm_eval_ext.analysis.report.model import Part, Report
from lm_eval_ext.analysis.runs import Sample

Place = tuple[str, str, int]
"""A problem across runs: (task, doc_hash or value of `pair_on`, number of equal ones before it)."""


@dataclass(frozen=True)
class Split:
    """A problem that some runs solve and others do not; `n` runs have it."""

    unit: str
    place: Place
    sample: Sample
    n: int
    right_runs: tuple[str, ...]


def place_of(sample: Sample, pair_on: str) -> Place:
    """The key of a problem, equal in every run."""
    if pair_on == DOC_HASH:
        return sample.key
    return sample.task, str(sample.doc.get(pair_on, sample.doc_hash)), sample.key[2]


def split_problems(report: Report) -> list[Split]:
    """Problems that only some runs solve, most even splits first, then those in more runs."""
    held: dict[tuple[str, Place], list[tuple[Part, Sample]]] = {}
    for part in report.units:
        for sample in part.unit.samples:
            if sample.error is None and part.metric in sample.scores:
                place = place_of(sample, report.options.pair_on)
                held.setdefault((part.name, place), []).append((part, sample))
    found = []
    for (unit, place), those in held.items():
        right = tuple(part.run_name for part, sample in those if sample.scores[part.metric] >= 0.5)
        if 0 < len(right) < len(those):
            found.append(Split(unit, place, those[0][1], len(those), right))
    return sorted(found, key=lambda s: (-min(len(s.right_runs), s.n - len(s.right_runs)), -s.n))
