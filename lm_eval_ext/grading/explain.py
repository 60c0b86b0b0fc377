"""One verdict taken apart: what was extracted from where, what each layer made of it, how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lm_eval_ext.grading import choices, layers
from lm_eval_ext.grading.answers import compare
from lm_eval_ext.grading.answers.describe import describe
from lm_eval_ext.grading.extraction import extract, visible
from lm_eval_ext.grading.golds import Gold, acceptable, shown
from lm_eval_ext.grading.grader import Grader
from lm_eval_ext.grading.normalization import normalize
from lm_eval_ext.grading.types import Item, Verdict

CONTEXT_CHARS = 120


@dataclass(frozen=True)
class Step:
    """What one layer made of the two: their forms, its decision ("passes on" if it has none), its time."""

    layer: str
    answer: str
    gold: str
    decision: str
    ms: float


@dataclass(frozen=True)
class Explanation:
    """Where the answer stands in the response, the layers up to the one that decided, and the verdict."""

    before: str
    answer: str | None
    after: str
    gold: str
    steps: tuple[Step, ...]
    verdict: Verdict
    ms: float


def explain(response: str, gold: Gold, problem: str | None = None, *, grader: Grader) -> Explanation:
    """Grades one response and keeps what happened on the way.

    Args:
        response: all that the model wrote.
        gold: the reference answer; of several acceptable ones the layers are shown for the first.
        problem: the problem, for letters of choice and their options.
        grader: where computer algebra runs, should it be asked; its start is not part of the times.
    """
    grader.equal([("1", "one half of 2")])  # the workers come up
    start = time.perf_counter()
    thinking = grader.config.thinking
    text, span = visible(response, thinking), extract.with_thinking(thinking).find(response)
    answer = span.text if span else None
    extraction = time.perf_counter() - start
    before, after = (text[: span.start], text[span.end :]) if span else (text, "")
    steps = () if answer is None else tuple(_steps(answer, acceptable(gold)[0], problem, grader))
    verdict = grader.grade([Item(response, gold, problem)])[0]
    total = extraction * 1_000 + sum(step.ms for step in steps)
    wanted, option = shown(gold), choices.option_text(shown(gold), problem)
    if option != wanted:
        wanted = f"({wanted}) {option}"
    return Explanation(before[-CONTEXT_CHARS:], answer, after[:CONTEXT_CHARS], wanted, steps, verdict, total)


def _steps(answer: str, gold: str, problem: str | None, grader: Grader) -> Iterator[Step]:
    """The layers in their order, up to the first that decides."""
    if choices.is_letter(gold):
        step = _timed("choice", answer, gold, lambda: _said(choices.decide(answer, gold, problem)))
        yield step
        if not _passes(step):
            return
        gold = choices.option_text(gold, problem)
    step = _timed("exact", answer, gold, lambda: _said(layers.exact(answer, gold)))
    yield step
    if not _passes(step):
        return
    step = _timed(
        "normalized",
        normalize(answer),
        normalize(gold),
        lambda: _said(layers.oversized(answer, gold) or layers.normalized(answer, gold)),
    )
    yield step
    if not _passes(step):
        return
    forms = describe(answer), describe(gold)
    step = _timed("symbolic (our reading)", *forms, lambda: _compared(answer, gold))
    yield step
    if _passes(step):
        yield _timed("symbolic (all of it)", answer, gold, lambda: _said(grader.equal([(answer, gold)])[0]))


def _timed(layer: str, answer: str, gold: str, decide: Callable[[], str]) -> Step:
    start = time.perf_counter()
    decision = decide()
    return Step(layer, answer, gold, decision, (time.perf_counter() - start) * 1_000)


def _said(verdict: Verdict | None) -> str:
    return _outcome(None, "") if verdict is None else _outcome(verdict.correct, verdict.reason or "")


def _compared(answer: str, gold: str) -> str:
    outcome = compare(answer, gold)
    return _outcome(outcome.equal, outcome.detail)


def _outcome(equal: bool | None, reason: str) -> str:
    word = {True: "equal", False: "different", None: "passes on"}[equal]
    return f"{word}: {reason}" if reason else word


def _passes(step: Step) -> bool:
    return step.decision.startswith("passes on")
