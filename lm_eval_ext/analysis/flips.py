"""Old scores against new ones: counts for a table, and every verdict that changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lm_eval_ext.analysis.samples import logged_verdicts
from lm_eval_ext.grading import Verdict
from lm_eval_ext.harness.metrics import Graded

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Flip:
    """One response on which old and new grading differ.

    Attributes:
        task, doc_id: where it is.
        response: its number among the repeats, from 0.
        against: metric and filter of the old score, "exact_match,strict-match".
        gold: the reference answer.
        old: right, wrong, no answer or undecided, with the layer where it is known.
        new: the new verdict.
        old_answer, old_reason: of the old verdict, where this package gave it.
    """

    task: str
    doc_id: int
    response: int
    against: str
    gold: str
    old: str
    new: Verdict
    old_answer: str | None = None
    old_reason: str | None = None

    @property
    def up(self) -> bool:
        """Whether it became right."""
        return self.new.correct is True

    @property
    def down(self) -> bool:
        """Whether it was right."""
        return self.old.startswith("right")

    def as_dict(self) -> dict[str, Any]:
        """For a file."""
        names = ("task", "doc_id", "response", "against", "gold", "old", "old_answer", "old_reason")
        new = {"new": outcome(self.new), "answer": self.new.answer, "reason": self.new.reason}
        return {**{name: getattr(self, name) for name in names}, **new}


@dataclass
class Comparison:
    """A task's (or a group's) old metric against the new accuracy, as sums over documents.

    Attributes:
        name: of the task or group.
        against: the old metric and its filter, "accuracy,grade_math".
        filter: whose new rows these are.
        n: documents that have a score.
        old, new, high, undecided: sums of the old metric and of three new ones.
        layers: right responses by layer.
        flips: in the order of the documents.
        primary: whether the old metric is the task's own score.
        singly: whether responses could be compared one by one; if not there are no flips.
        scored: whether there was an old score at all: `--predict_only` leaves none.
    """

    name: str
    against: str
    filter: str
    n: int = 0
    old: float = 0.0
    new: float = 0.0
    high: float = 0.0
    undecided: float = 0.0
    layers: Counter[str] = field(default_factory=Counter)
    flips: list[Flip] = field(default_factory=list)
    primary: bool = False
    singly: bool = True
    scored: bool = True

    @property
    def up(self) -> int:
        return sum(flip.up for flip in self.flips)

    @property
    def down(self) -> int:
        return sum(flip.down for flip in self.flips)

    def add(
        self, gold: str, row: Row, score: float | None, graded: Graded, scores: Mapping[str, float]
    ) -> None:
        """One document: its old row and score (None: it had none), the new verdicts and their metrics."""
        self.n += 1
        self.scored &= score is not None
        self.old += score or 0.0
        self.new += scores["accuracy"]
        self.high += scores["accuracy_high"]
        self.undecided += scores["undecided"]
        self.layers.update(verdict.layer for verdict in graded if verdict.correct)
        before = _before(row, score, len(graded))
        self.singly &= before is not None
        for i, (old, new) in enumerate(zip(before or (), graded, strict=False)):
            if _plain(old) != _plain(new):
                self.flips.append(_flip(self, row["doc_id"], i, gold, old, new))


def merged(name: str, parts: Sequence[Comparison]) -> Comparison:
    """A group: its tasks' sums together, so that each counts by its size."""
    whole = Comparison(name, parts[0].against, parts[0].filter, primary=parts[0].primary)
    for part in parts:
        for total in ("n", "old", "new", "high", "undecided"):
            setattr(whole, total, getattr(whole, total) + getattr(part, total))
        whole.layers += part.layers
        whole.flips += part.flips
        whole.singly &= part.singly
        whole.scored &= part.scored
    return whole


def outcome(verdict: Verdict) -> str:
    """A verdict in a few words: "right (symbolic)", "wrong (symbolic)", "no answer", "undecided"."""
    if verdict.correct is None:
        return "undecided"
    if verdict.answer is None:
        return "no answer"
    return f"{'right' if verdict.correct else 'wrong'} ({verdict.layer})"


def all_flips(comparisons: Iterable[Comparison]) -> Iterable[Flip]:
    """Every flip of some tasks."""
    return (flip for comparison in comparisons for flip in comparison.flips)


def _before(row: Row, score: float | None, responses: int) -> Sequence[Verdict | bool] | None:
    """What the old grading said of each response; None where it said one thing of several responses."""
    verdicts = logged_verdicts(row)
    if len(verdicts) == responses:
        return verdicts
    return [score == 1.0] if responses == 1 and score in (0.0, 1.0) else None


def _plain(said: Verdict | bool) -> bool | None:
    return said.correct if isinstance(said, Verdict) else said


def _flip(of: Comparison, doc_id: int, i: int, gold: str, old: Verdict | bool, new: Verdict) -> Flip:
    if isinstance(old, Verdict):
        return Flip(of.name, doc_id, i, of.against, gold, outcome(old), new, old.answer, old.reason)
    return Flip(of.name, doc_id, i, of.against, gold, "right" if old else "wrong", new)
