"""Samples of two runs side by side: which belong together, and which are left out and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lm_eval_ext.analysis.runs import Run, TaskRun
from lm_eval_ext.analysis.samples import RunError, Sample

DOC_HASH = "doc_hash"
"""What pairs samples unless a field of the document is named."""
Place = tuple[str, str, int]
"""Where a sample stands: (task, doc_hash or the field's value, how many equal ones come before)."""


@dataclass(frozen=True)
class Pair:
    """One problem that both runs have a score for.

    Attributes:
        a, b: its samples.
        score_a, score_b: the metric compared.
    """

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
        """Whether the two runs wrote the same."""
        return self.a.responses == self.b.responses


@dataclass(frozen=True)
class LeftOut:
    """Samples of one run that are in no pair, each counted once, by the first reason that holds.

    Attributes:
        refused: the provider gave no response here.
        unscored: a response, but no value of the metric.
        only_here: the other run does not have the problem.
        other_has_no_score: it has, but refused or unscored.
    """

    refused: int = 0
    unscored: int = 0
    only_here: int = 0
    other_has_no_score: int = 0

    @property
    def total(self) -> int:
        return self.refused + self.unscored + self.only_here + self.other_has_no_score

    def __str__(self) -> str:
        reasons = (
            (self.only_here, "only in this run"),
            (self.refused, "refused or failed"),
            (self.unscored, "without a score"),
            (self.other_has_no_score, "without a score in the other run"),
        )
        return ", ".join(f"{count} {why}" for count, why in reasons if count) or "none"


def match(
    a: TaskRun, b: TaskRun, metric: str, pair_on: str = DOC_HASH
) -> tuple[list[Pair], LeftOut, LeftOut]:
    """The pairs of two runs of a task or group, and what each run has besides.

    Args:
        metric: whose scores are compared.
        pair_on: "doc_hash", or a field of the documents whose values name them (such as `id`).

    Raises RunError: a document without that field, or a value that several documents of a run share.
    """
    ours, theirs = _by_place(a, pair_on), _by_place(b, pair_on)
    pairs = [
        Pair(sample, other, score, other_score)
        for place, sample in ours.items()
        if (other := theirs.get(place)) is not None
        and (score := _score(sample, metric)) is not None
        and (other_score := _score(other, metric)) is not None
    ]
    return pairs, _left_out(ours, theirs, metric), _left_out(theirs, ours, metric)


def common_units(a: Run, b: Run) -> list[str]:
    """Groups that both runs have with the same tasks, then the tasks that both have outside of those."""
    groups = [name for name, tasks in a.groups.items() if set(tasks) == set(b.groups.get(name, ()))]
    covered = {task for group in groups for task in a.groups[group]}
    return groups + [task for task in a.tasks if task in b.tasks and task not in covered]


def field(doc: Mapping[str, Any], name: str) -> Any:
    """A field of a document; `subject` is called `type` in MATH itself. None where it has none."""
    return doc.get(name, doc.get("type") if name == "subject" else None)


def _score(sample: Sample, metric: str) -> float | None:
    return None if sample.error is not None else sample.scores.get(metric)


def _by_place(run: TaskRun, pair_on: str) -> dict[Place, Sample]:
    if pair_on == DOC_HASH:
        return {sample.key: sample for sample in run.samples}
    found: dict[Place, Sample] = {}
    for sample in run.samples:
        place = (sample.task, _name(sample, pair_on, run), 0)
        if place in found:
            raise RunError(
                f"{pair_on} does not tell the documents of {sample.task} in {run.results_file} apart: "
                f"{place[1]} is there twice; pair on another field, or on {DOC_HASH}"
            )
        found[place] = sample
    return found


def _name(sample: Sample, pair_on: str, run: TaskRun) -> str:
    value = sample.doc.get(pair_on)
    if value is None:
        raise RunError(
            f"a document of {sample.task} in {run.results_file} has no {pair_on} to pair on; "
            f"it has {', '.join(sorted(sample.doc))}"
        )
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _left_out(here: Mapping[Place, Sample], there: Mapping[Place, Sample], metric: str) -> LeftOut:
    reasons = Counter(_reason(sample, there.get(place), metric) for place, sample in here.items())
    return LeftOut(**{name: count for name, count in reasons.items() if name})


def _reason(sample: Sample, other: Sample | None, metric: str) -> str:
    if sample.error is not None:
        return "refused"
    if _score(sample, metric) is None:
        return "unscored"
    if other is None:
        return "only_here"
    return "other_has_no_score" if _score(other, metric) is None else ""


def scores(pairs: Sequence[Pair]) -> tuple[list[float], list[float]]:
    """The scores of both runs, in the order of the pairs."""
    return [pair.score_a for pair in pairs], [pair.score_b for pair in pairs]
