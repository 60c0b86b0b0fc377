"""The verifiers, asked about answers that are known to be right and to be wrong."""

from __future__ import annotations

from ...data.documents import Doc
from ...entries import OVERLONG
from ..check import Outcome, check, does_not_apply, passed_if
from ..context import PreflightContext
from .reward import COMPARED, LEAST_RIGHT, OTHER, solution

BY_CHANCE = 0.5
"""Share of solutions of other problems that may happen to be right, where there is no gold to differ from."""
Answers = list[tuple[str, int]]
"""Responses, and the number of the row that each of them answers."""


@check(31, "a verifier misjudges", "error", only="grpo", fix="mend the verifier, its settings, or the source")
def misjudged(context: PreflightContext) -> Outcome:
    """Worked solutions must be right, wrong and empty answers must not; all rewards must take them."""
    if context.reward_set is None or context.grading is None:
        return does_not_apply("the rewards are of another make (row 6)")
    docs = context.sampled[:COMPARED]
    right = [(solution(context, doc), i) for i, doc in enumerate(docs) if _has_solution(doc)]
    found = {}
    for kind, answers in (("right", right), ("wrong", _wrong(docs, right)), ("empty", _empty(docs))):
        found[kind] = sum(_judged(context, answers)), len(answers)
    shown = ", ".join(f"{good} of {n} {kind} answers" for kind, (good, n) in found.items())
    good, asked = found["right"]
    rejects = good < LEAST_RIGHT * asked and context.grader is None  # of math, row 6 says so
    suits = found["wrong"][0] > (0 if context.grader else found["wrong"][1] * BY_CHANCE)
    misjudges = suits or found["empty"][0] or rejects
    return passed_if(not misjudges, f"{context.grading.name} takes for right: {shown}")


def _has_solution(doc: Doc) -> bool:
    return bool(str(doc.get("solution") or "").strip() or doc.get("gold"))


def _wrong(docs: list[Doc], right: Answers) -> Answers:
    """Another number than the gold; without a gold, the solution of the next problem."""
    others = [(text, right[i - 1][1]) for i, (text, _) in enumerate(right)] if len(right) > 1 else []
    numbers = [(f"Final answer: {OTHER}", i) for i, doc in enumerate(docs) if doc.get("gold") is not None]
    return numbers or others


def _empty(docs: list[Doc]) -> Answers:
    return [("", i) for i in range(len(docs))]


def _judged(context: PreflightContext, answers: Answers) -> list[bool]:
    """Whether each is found correct by its row's verifier; the other rewards are asked, too."""
    assert context.reward_set, "the rewards are of another make"
    rows = [context.rows[i] for _, i in answers]
    columns = {name: [row[name] for row in rows] for name in context.rows[0]}
    batch = context.reward_set.batch([text for text, _ in answers], columns)
    for term in context.reward_set.terms:
        if term.entry.name != OVERLONG:  # which is about tokens
            term.values(batch)
    return [score.correct is True for score in batch.scores]
