"""Accuracy against the token budget: truncate a run's responses and grade them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lm_eval_ext.analysis import stats
from lm_eval_ext.analysis.report.entries import ERROR, RIGHT, Entry
from lm_eval_ext.analysis.report.tokens import Tokenizer
from lm_eval_ext.grading import Grader, Item
from lm_eval_ext.grading.grader import Extractor

FIRST_BUDGET = 1024
_FEWEST_POINTS = 3


@dataclass(frozen=True)
class Point:
    """The result at one budget.

    Attributes:
        budget: maximum tokens of a response.
        n: number of responses.
        right: responses that are right when cut there.
        cut: responses longer than the budget.
    """

    budget: int
    n: int
    right: int
    cut: int

    @property
    def share(self) -> float:
        return self.right / self.n if self.n else 0.0

    @property
    def interval(self) -> stats.Interval:
        return stats.wilson(self.right, self.n)


def default_budgets(limit: int) -> tuple[int, ...]:
    """Powers of two from 1024 to below `limit`, then `limit`; fractions of it if it is small."""
    powers = [2**i for i in range(limit.bit_length()) if FIRST_BUDGET <= 2**i < limit]
    if len(powers) + 1 < _FEWEST_POINTS:
        powers = [part for part in (limit // 8, limit // 4, limit // 2) if part]
    return (*powers, limit)


def curve(
    entries: Sequence[Entry],
    budgets: Sequence[int],
    tokenizer: Tokenizer,
    grader: Grader,
    extractor: Extractor,
) -> tuple[Point, ...]:
    """A point per budget: longer responses are cut and graded without a judge, others keep their verdict.

    With greedy decoding this is the score of a run with that budget; with sampling, in distribution.
    """
    asked = [entry for entry in entries if entry.outcome != ERROR]
    ends = tokenizer.ends([entry.text for entry in asked])
    cuts = [(b, i) for b in budgets for i in range(len(asked)) if len(ends[i]) > b]
    items = [_item(asked[i], ends[i][b - 1]) for b, i in cuts]
    verdicts = grader.grade(items, extractor=extractor)
    regraded = {cut: verdict.correct is True for cut, verdict in zip(cuts, verdicts, strict=True)}
    points = []
    for budget in budgets:
        rights = [regraded.get((budget, i), entry.outcome == RIGHT) for i, entry in enumerate(asked)]
        points.append(Point(budget, len(asked), sum(rights), sum(b == budget for b, _ in cuts)))
    return tuple(points)


def _item(entry: Entry, end: int) -> Item:
    problem = entry.sample.doc.get("problem")
    return Item(entry.text[:end], entry.sample.gold, problem if isinstance(problem, str) else None)
