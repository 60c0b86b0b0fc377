"""One verdict taken apart: what was extracted from where, what each step made of it, how long that took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lm_eval_ext.grading import asked, pipeline
from lm_eval_ext.grading.answers.describe import describe
from lm_eval_ext.grading.extraction import extract, visible
from lm_eval_ext.grading.extraction.values import Span
from lm_eval_ext.grading.golds import Gold, acceptable, shown
from lm_eval_ext.grading.grader import Grader
from lm_eval_ext.grading.normalization import normalize
from lm_eval_ext.grading.pipeline import STEPS, Step, prepared
from lm_eval_ext.grading.types import Item, Outcome, Verdict

CONTEXT_CHARS = 120
FORMS: dict[str, Callable[[str], str]] = {"normalized": normalize, "comparison": describe}
"""What a step compares in place of the texts, by its name."""


@dataclass(frozen=True)
class Trace:
    """What one step made of the two: the forms it compared, its outcome, its time."""

    step: Step
    answer: str
    gold: str
    outcome: Outcome | None
    ms: float

    @property
    def decision(self) -> str:
        """In words, with the rule that decided; "passes on" without one."""
        if self.outcome is None:
            return "passes on"
        equal, rule, detail = self.outcome
        if equal is None:
            return f"passes on: {detail}"
        return f"{'equal' if equal else 'different'} by {rule}: {detail}"


@dataclass(frozen=True)
class Explanation:
    """Where the answer stands in the response, the steps up to the one that decided, and the verdict."""

    before: str
    answer: str | None
    after: str
    gold: str
    steps: tuple[Trace, ...]
    verdict: Verdict
    ms: float


def explain(response: str, gold: Gold, problem: str | None = None, *, grader: Grader) -> Explanation:
    """Grades one response and keeps what each step made of it.

    Args:
        response: all that the model wrote.
        gold: the reference answer; of several acceptable ones the steps are shown for the first.
        problem: the problem, for letters of choice and their options.
        grader: whose workers and judge are asked; where it has none yet, their start is part of the times.
    """
    start = time.perf_counter()
    thinking = grader.config.thinking
    text, span = visible(response, thinking), extract.with_thinking(thinking).find(response)
    extraction_ms = (time.perf_counter() - start) * 1_000
    before, after = (text[: span.start], text[span.end :]) if span else (text, "")
    verdict = grader.grade([Item(response, gold, problem)])[0]
    traces = tuple(_traces(span, acceptable(gold)[0], problem, grader)) if span else ()
    return Explanation(
        before=before[-CONTEXT_CHARS:],
        answer=span.text if span else None,
        after=after[:CONTEXT_CHARS],
        gold=_with_option(shown(gold), problem),
        steps=traces,
        verdict=verdict,
        ms=extraction_ms + sum(trace.ms for trace in traces),
    )


def _with_option(gold: str, problem: str | None) -> str:
    option, _ = prepared(gold, problem)
    return gold if option == gold else f"({gold}) {option}"


def _traces(span: Span, gold: str, problem: str | None, grader: Grader) -> Iterator[Trace]:
    """The steps in their order, up to the first that decides; a judge also sees what was found different."""
    gold, context = prepared(gold, problem, grader.config.tolerance)
    answer = asked.value(span.text, problem)
    if pipeline.decide(answer, gold, context) is None:
        answer, gold = pipeline.in_english(answer, gold, span.language)
    context = context._replace(
        workers=lambda answer, gold: _outcome(grader.equal([(answer, gold)])[0]),
        judge=lambda answer, gold: _outcome(grader.grade([Item(answer, gold, problem)], extractor=str)[0]),
    )
    equal: bool | None = None
    for step in STEPS:
        is_judge = step.place == "judge"
        if equal or (grader.config.judge is None if is_judge else equal is False):
            continue
        start = time.perf_counter()
        form = FORMS.get(step.name, str)
        forms = form(answer), form(gold)
        outcome = step.decide(answer, gold, context)
        yield Trace(step, *forms, outcome, (time.perf_counter() - start) * 1_000)
        equal = outcome.equal if outcome else None


def _outcome(verdict: Verdict) -> Outcome:
    return Outcome(verdict.correct, verdict.rule or "", verdict.reason or "")
