"""Old scores against new ones: sums for a table, and every verdict that changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lm_eval_ext.analysis import outcomes
from lm_eval_ext.analysis.lm_eval_files import LoggedRow
from lm_eval_ext.grading import Verdict
from lm_eval_ext.harness.metrics import Graded


@dataclass(frozen=True)
class VerdictChange:
    """One response on which old and new grading differ."""

    task: str
    doc_id: int
    response: int  # its number among the repeats, from 0
    against: str  # metric and filter of the old score, "exact_match,strict-match"
    gold: str
    old: str  # right, wrong, no answer or undecided, with the layer where it is known
    new: Verdict
    old_answer: str | None = None  # of the old verdict, if this package gave it
    old_reason: str | None = None

    @property
    def became_right(self) -> bool:
        return self.new.correct is True

    @property
    def was_right(self) -> bool:
        return self.old.startswith("right")

    def as_dict(self) -> dict[str, Any]:
        """As `flips.jsonl` has it."""
        new = {"new": outcome(self.new), "answer": self.new.answer, "reason": self.new.reason}
        return {**{name: value for name, value in vars(self).items() if name != "new"}, **new}


@dataclass
class RegradeDiff:
    """A task's (or a group's) old metric against the new accuracy, as sums over documents."""

    name: str
    against: str  # the old metric and its filter, "accuracy,grade_math"
    filter: str  # whose new rows these are
    n: int = 0  # documents that have a score
    old: float = 0.0
    new: float = 0.0
    high: float = 0.0
    undecided: float = 0.0
    layers: Counter[str] = field(default_factory=Counter)  # right responses
    changes: list[VerdictChange] = field(default_factory=list)  # in the order of the documents
    primary: bool = False  # whether the old metric is the task's own score
    by_response: bool = True  # whether single responses could be compared; if not, `changes` is empty
    scored: bool = True  # whether there was an old score; `--predict_only` logs none

    @property
    def up(self) -> int:
        return sum(change.became_right for change in self.changes)

    @property
    def down(self) -> int:
        return sum(change.was_right for change in self.changes)

    def is_against(self, metric: str | None) -> bool:
        """Whether the old metric is this one, with or without its filter."""
        return metric in (self.against, self.against.partition(",")[0])

    def add(self, before: LoggedRow, score: float | None, after: LoggedRow, graded: Graded) -> None:
        """One document: its old row and score (None: it had none), its new row and verdicts."""
        self.n += 1
        self.scored &= score is not None
        self.old += score or 0.0
        self.new += after["accuracy"]
        self.high += after["accuracy_high"]
        self.undecided += after["undecided"]
        self.layers.update(verdict.layer for verdict in graded if verdict.correct)
        judged = _judgements(before, score, len(graded))
        self.by_response &= judged is not None
        for i, (old, new) in enumerate(zip(judged or (), graded, strict=False)):
            if (old.correct if isinstance(old, Verdict) else old) != new.correct:
                self.changes.append(self._change(after, i, old, new))

    def _change(self, row: LoggedRow, i: int, old: Verdict | bool, new: Verdict) -> VerdictChange:
        at = (self.name, row["doc_id"], i, self.against, row["target"])
        if isinstance(old, Verdict):
            return VerdictChange(*at, outcome(old), new, old.answer, old.reason)
        return VerdictChange(*at, "right" if old else "wrong", new)


def merged(name: str, parts: Sequence[RegradeDiff]) -> RegradeDiff:
    """A group: its tasks' sums together, so that each counts by its size."""
    whole = RegradeDiff(name, parts[0].against, parts[0].filter, primary=parts[0].primary)
    for part in parts:
        for total in ("n", "old", "new", "high", "undecided"):
            setattr(whole, total, getattr(whole, total) + getattr(part, total))
        whole.layers += part.layers
        whole.changes += part.changes
        whole.by_response &= part.by_response
        whole.scored &= part.scored
    return whole


def outcome(verdict: Verdict) -> str:
    """A verdict in a few words: "right (symbolic)", "wrong (symbolic)", "no answer", "undecided"."""
    found = outcomes.outcome(verdict)
    return f"{found} ({verdict.layer})" if found in ("right", "wrong") else found


def _judgements(
    row: Mapping[str, Any], score: float | None, responses: int
) -> Sequence[Verdict | bool] | None:
    """What the old grading said of each response; None if it gave several responses one score."""
    verdicts = outcomes.logged_verdicts(row)
    if len(verdicts) == responses:
        return verdicts
    return [score == 1.0] if responses == 1 and score in (0.0, 1.0) else None
