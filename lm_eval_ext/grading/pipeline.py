"""How an answer becomes a verdict: `STEPS`, in this order; the first that decides wins.

`Grader` runs the steps of the caller as responses come in and those of the workers in its pool, and asks the
judge last, in blocks. `explain` shows what each step makes of one answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from lm_eval_ext.grading import choices, comparison, languages
from lm_eval_ext.grading.normalization import normalize, without_name
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.tolerance import Tolerance, within
from lm_eval_ext.grading.types import Context, Layer, Outcome, Verdict
from lm_eval_ext.grading.worker import Failure

MAX_LENGTH_RATIO = 50
"""An answer longer than this many golds (and than `MAX_SHORT_ANSWER`) is no spelling of the gold."""
MAX_SHORT_ANSWER = 1_000
MAX_READ = 10_000
"""No step reads longer answers or golds; the longest gold of MATH has 81 characters."""


class Step(NamedTuple):
    """One step.

    Attributes:
        name: as `explain` shows it.
        layer: of the verdicts that it decides.
        decide: (answer, gold, context) to an outcome; None, or an outcome that cannot tell, passes on.
        place: where `Grader` runs it: at once in the caller, in its workers, or in its judge.
        module: of a step for the workers, the module whose `compare(answer, gold)` they call; what the first
            leaves undecided, the second is not asked, unless the first returns None.
    """

    name: str
    layer: Layer
    decide: Callable[[str, str, Context], Outcome | None]
    place: Literal["caller", "workers", "judge"] = "caller"
    module: str = ""


@rule("exact.same-text")
def exact(answer: str, gold: str, context: Context) -> Outcome | None:
    """Equal as strings, except for white space around them."""
    if answer.strip() == gold.strip():
        return Outcome(True, "exact.same-text", "the strings are equal")
    return None


@rule("size.oversized", "undecided.oversized")
def oversized(answer: str, gold: str, context: Context) -> Outcome | None:
    """An answer absurdly longer than its gold is a different one; more than `MAX_READ` no step reads."""
    if len(answer) > max(MAX_SHORT_ANSWER, MAX_LENGTH_RATIO * len(gold)):
        return Outcome(False, "size.oversized", f"{len(answer)} characters, the gold has {len(gold)}")
    if (longest := max(len(answer), len(gold))) > MAX_READ:
        return Outcome(None, "undecided.oversized", f"{longest:,} characters; at most {MAX_READ:,} are read")
    return None


@rule("normalized.same-notation", "normalized.same-without-name")
def normalized(answer: str, gold: str, context: Context) -> Outcome | None:
    """Equal in normalized notation: `$x = \\dfrac12$` and `x=\\frac{1}{2}`; one side may name the value."""
    left, right = normalize(answer), normalize(gold)
    if left == right and left:
        return Outcome(True, "normalized.same-notation", f"both are {left!r} once normalized")
    if ("=" in left) == ("=" in right):
        return None
    bare = without_name(left)
    if bare and bare == without_name(right) and f"{bare}={bare}" not in (left, right):  # x = x names nothing
        return Outcome(True, "normalized.same-without-name", f"both are {bare!r} without the name")
    return None


@rule("tolerance.within")
def tolerated(answer: str, gold: str, context: Context) -> Outcome | None:
    """Numbers within the tolerance that the task states."""
    if context.tolerance is None or not within(answer, gold, context.tolerance):
        return None
    relative, absolute = context.tolerance
    return Outcome(
        equal=True, rule="tolerance.within", detail=f"within {relative:g} of the gold, or {absolute:g}"
    )


def compared(answer: str, gold: str, context: Context) -> Outcome | None:
    """The answers parsed and compared: exact, bounded, without computer algebra."""
    return comparison.compare(answer, gold)


def computer_algebra(answer: str, gold: str, context: Context) -> Outcome | None:
    """math-verify and sympy on formulas that they read whole."""
    return context.workers(answer, gold) if context.workers else None


def judge(answer: str, gold: str, context: Context) -> Outcome | None:
    """A language model's opinion."""
    return context.judge(answer, gold) if context.judge else None


STEPS: tuple[Step, ...] = (
    Step("letter", "exact", choices.same_letter),
    Step("choice", "normalized", choices.same_choice),
    Step("exact", "exact", exact),
    Step("size", "normalized", oversized),
    Step("normalized", "normalized", normalized),
    Step("tolerance", "symbolic", tolerated),
    Step("comparison", "symbolic", compared, "workers", "lm_eval_ext.grading.comparison"),
    Step("math-verify", "symbolic", computer_algebra, "workers", "lm_eval_ext.grading.fallback"),
    Step("judge", "judge", judge, "judge"),
)
_IN_CALLER = tuple(step for step in STEPS if step.place == "caller")
_IN_WORKERS = tuple(step for step in STEPS if step.place == "workers")
STAGES = tuple(step.module for step in _IN_WORKERS)
"""Modules whose `compare(answer, gold)` the workers call: the quick one, then the one that may hang."""


def prepared(gold: str, problem: str | None, tolerance: Tolerance | None = None) -> tuple[str, Context]:
    """The gold that the steps get, and their context: a letter of choice becomes the text of its option."""
    letter = choices.letter_of(gold, problem)
    return (letter.options.get(letter.letter, gold) if letter else gold), Context(letter, tolerance)


def in_english(answer: str, gold: str, language: str | None) -> tuple[str, str]:
    """Both in English: the answer from the language of its response, the gold from its own."""
    language, own = language or languages.detect(answer), languages.detect(gold)
    given = languages.in_english(answer, language or own, own=language is not None)
    return given, languages.in_english(gold, own or language, own=own is not None)


def decide(answer: str, gold: str, context: Context | None = None) -> Verdict | None:
    """The verdict of the first step in the caller that decides, None if all pass."""
    for step in _IN_CALLER:
        outcome = step.decide(answer, gold, context or Context())
        if outcome is not None:
            return Verdict.of(outcome, step.layer, answer)
    return None


def from_workers(answer: str, outcome: Outcome | Failure) -> Verdict:
    """The verdict of what the workers returned."""
    if isinstance(outcome, Failure):
        outcome = Outcome(None, outcome.rule, outcome.reason)
    return Verdict.of(outcome, _IN_WORKERS[0].layer, answer)


@rule("response.no-answer")
def no_answer() -> Verdict:
    outcome = Outcome(False, "response.no-answer", "the response commits to no answer")
    return Verdict.of(outcome, "none", None)


@rule("gold.no-answer")
def no_gold(answer: str, reason: str) -> Verdict:
    return Verdict.of(Outcome(None, "gold.no-answer", reason), "none", answer)
