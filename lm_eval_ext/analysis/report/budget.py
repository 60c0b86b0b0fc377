"""Accuracy against the token budget: truncate a run's responses and grade them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lm_eval_ext.analysis.entries import RIGHT, Entry
from lm_eval_ext.analysis.report.tokens import Tokenizer
from lm_eval_ext.analysis.tables import Estimate, estimate
from lm_eval_ext.grading import Grader, Item
from lm_eval_ext.grading.grader import Extractor

FIRST_BUDGET = 1024
_FEWEST_POINTS = 3


@dataclass(frozen=True)
class Point:
    """The accuracy at one budget, and how many responses are longer."""

    budget: int
    accuracy: Estimate
    cut: int


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
    ends = tokenizer.ends([entry.text for entry in entries])
    cuts = [(b, i) for b in budgets for i in range(len(entries)) if len(ends[i]) > b]
    items = [_item(entries[i], ends[i][b - 1]) for b, i in cuts]
    verdicts = grader.grade(items, extractor=extractor)
    regraded = {cut: verdict.correct is True for cut, verdict in zip(cuts, verdicts, strict=True)}
    points = []
    for budget in budgets:
        rights = [regraded.get((budget, i), entry.outcome == RIGHT) for i, entry in enumerate(entries)]
        if found := estimate(rights):
            points.append(Point(budget, found, sum(b == budget for b, _ in cuts)))
    return tuple(points)


def _item(entry: Entry, end: int) -> Item:
    problem = entry.sample.doc.get("problem")
    return Item(entry.text[:end], entry.sample.gold, problem if isinstance(problem, str) else None)
