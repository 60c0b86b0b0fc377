"""The verifiers asked about answers that are known to be right and to be wrong."""

from __future__ import annotations

from ...entries import OVERLONG
from ..check import Outcome, check, does_not_apply, failed, passed_if
from ..context import PreflightContext
from .reward import COMPARED, LEAST_RIGHT


@check(31, "a verifier takes wrong for right", "error", only="grpo", fix="mend the verifier or the source")
def verdicts(context: PreflightContext) -> Outcome:
    """Sends worked solutions, wrong and empty answers through the rows' verifier and all rewards."""
    rewards, grading = context.reward_set, context.grading
    if rewards is None or grading is None:
        return does_not_apply("the rewards are of another make (row 6)")
    docs = context.sampled[:COMPARED]
    answers = {"right": _right(context, docs), "wrong": _wrong(context, docs), "empty": [""] * len(docs)}
    right: dict[str, int] = {}
    for kind, responses in answers.items():
        given = [
            (response, row)
            for response, row in zip(responses, context.rows, strict=False)
            if response is not None
        ]
        columns = {name: [row[name] for _, row in given] for name in context.rows[0]}
        batch = rewards.batch([response for response, _ in given], columns)
        right[kind] = sum(score.correct is True for score in batch.scores)
        for term in rewards.terms:
            if term.entry.name != OVERLONG:  # of tokens, not of answers
                term.values(batch)
        answers[kind] = [response for response, _ in given]
    seen = ", ".join(f"{n} of {len(answers[kind])} {kind} answers" for kind, n in right.items())
    seen = f"{grading.name} finds right: {seen}"
    if right["wrong"] or right["empty"]:
        return failed(seen)
    return passed_if(right["right"] >= LEAST_RIGHT * len(answers["right"]), seen)
