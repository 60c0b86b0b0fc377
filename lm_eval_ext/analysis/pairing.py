"""Samples of two runs paired problem by problem, and the samples left without a partner."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lm_eval_ext.analysis.lm_eval_files import RunError
from lm_eval_ext.analysis.runs import Run, Sample, SampleKey, TaskRun

DOC_HASH = "doc_hash"
"""What pairs samples unless a field of the document is named."""
UNPAIRED_REASONS = {
    "only_here": "only in this run",
    "refused": "refused or failed",
    "unscored": "without a score",
    "other_has_no_score": "without a score in the other run",
}


@dataclass(frozen=True)
class SamplePair:
    """One problem that both runs have a score for."""

    a: Sample
    b: Sample
    score_a: float
    score_b: float

    @property
    def difference(self) -> float:
        return self.score_a - self.score_b

    @property
    def flipped(self) -> bool:
        return self.score_a != self.score_b

    @property
    def same_text(self) -> bool:
        return self.a.responses == self.b.responses


@dataclass(frozen=True)
class Unpaired:
    """Samples of one run without a pair, each counted once, by the first reason that holds."""

    refused: int = 0  # the provider gave no response
    unscored: int = 0  # a response, but no value of the metric
    only_here: int = 0  # the other run does not have the problem
    other_has_no_score: int = 0  # it has, but refused or unscored

    @property
    def total(self) -> int:
        return sum(vars(self).values())

    def __str__(self) -> str:
        counts = ((getattr(self, name), reason) for name, reason in UNPAIRED_REASONS.items())
        return ", ".join(f"{count} {reason}" for count, reason in counts if count) or "none"


def match(
    a: TaskRun, b: TaskRun, metric: str, pair_on: str = DOC_HASH
) -> tuple[list[SamplePair], Unpaired, Unpaired]:
    """The pairs of two runs of a task or group, and what is left of each run.

    Args:
        pair_on: "doc_hash", or a field of the documents that identifies them (such as `id`).

    Raises RunError: a document without that field, or a value that several documents of a run share.
    """
    ours, theirs = _by_key(a, pair_on), _by_key(b, pair_on)
    pairs = [
        SamplePair(sample, other, score, other_score)
        for key, sample in ours.items()
        if (other := theirs.get(key)) is not None
        and (score := _score(sample, metric)) is not None
        and (other_score := _score(other, metric)) is not None
    ]
    return pairs, _unpaired(ours, theirs, metric), _unpaired(theirs, ours, metric)


def common_units(a: Run, b: Run) -> list[str]:
    """Groups that both runs have with the same tasks, then the other tasks that both have."""
    groups = [name for name, tasks in a.groups.items() if set(tasks) == set(b.groups.get(name, ()))]
    covered = {task for group in groups for task in a.groups[group]}
    return groups + [task for task in a.tasks if task in b.tasks and task not in covered]


def doc_field(doc: Mapping[str, Any], name: str) -> Any:
    """A field of a document, None if it is missing; MATH itself calls its `subject` `type`."""
    return doc.get(name, doc.get("type") if name == "subject" else None)


def scores(pairs: Sequence[SamplePair]) -> tuple[list[float], list[float]]:
    """The scores of both runs, in the order of the pairs."""
    return [pair.score_a for pair in pairs], [pair.score_b for pair in pairs]


def _score(sample: Sample, metric: str) -> float | None:
    return None if sample.error is not None else sample.scores.get(metric)


def _by_key(run: TaskRun, pair_on: str) -> dict[SampleKey, Sample]:
    if pair_on == DOC_HASH:
        return {sample.key: sample for sample in run.samples}
    found: dict[SampleKey, Sample] = {}
    for sample in run.samples:
        value = sample.doc.get(pair_on)
        if value is None:
            raise RunError(
                f"a document of {sample.task} in {run.results_file} has no {pair_on} to pair on; "
                f"it has {', '.join(sorted(sample.doc))}"
            )
        key = (sample.task, value if isinstance(value, str) else json.dumps(value, sort_keys=True), 0)
        if key in found:
            raise RunError(
                f"{pair_on} does not tell the documents of {sample.task} in {run.results_file} apart: "
                f"{key[1]} is there twice; pair on another field, or on {DOC_HASH}"
            )
        found[key] = sample
    return found


def _unpaired(here: Mapping[SampleKey, Sample], there: Mapping[SampleKey, Sample], metric: str) -> Unpaired:
    reasons = Counter(_reason(sample, there.get(key), metric) for key, sample in here.items())
    return Unpaired(**{reason: count for reason, count in reasons.items() if reason})


def _reason(sample: Sample, other: Sample | None, metric: str) -> str | None:
    if sample.error is not None:
        return "refused"
    if _score(sample, metric) is None:
        return "unscored"
    if other is None:
        return "only_here"
    return "other_has_no_score" if _score(other, metric) is None else None
