"""The first stage: what the package's own parser decides, and which pairs are left to computer algebra.

math-verify decides hardly anything that this parser cannot read, and takes long to say so: it is asked only
about two formulas in notation that it is known to read whole (`countertest`).
"""

from __future__ import annotations

import re

from lm_eval_ext.grading import answers
from lm_eval_ext.grading.answers.comparison import expressions
from lm_eval_ext.grading.countertest import formula, is_known, name
from lm_eval_ext.grading.rulebook import DECIDES, rule
from lm_eval_ext.grading.types import Outcome

_SOME = re.compile(r"\bfor some\b")


@rule("undecided.names-differ")
def compare(answer: str, gold: str) -> Outcome | None:
    """Whether two answers denote the same; None leaves the pair to computer algebra, which may tell."""
    outcome = answers.compare(answer, gold)
    if outcome.equal is not None:
        return outcome
    if name(answer) and name(gold) and name(answer) != name(gold):
        return Outcome(None, "undecided.names-differ", f"one is {name(answer)}, the other {name(gold)}")
    given, wanted = bare(answer), bare(gold)
    if (given, wanted) != (answer, gold) and not _evaluated(outcome):  # without layout, they can be read
        outcome = answers.compare(given, wanted)
    some_for_all = _SOME.search(given) and not _SOME.search(wanted)
    if (outcome.equal and not some_for_all) or outcome.rule.startswith("ambiguous."):
        return outcome
    return unread(given, wanted) or (None if outcome.equal is None else outcome)


def _evaluated(outcome: Outcome) -> bool:
    """Undecided after both were read: neither layout nor a name stood in the way."""
    decided = DECIDES.get(outcome.rule)
    return outcome.equal is None and decided is not None and decided.__module__ == expressions.__name__


def bare(source: str) -> str:
    """The formula, without the decimals that a closed value is said to be about: 2/3 of 2/3 \\approx 0.67."""
    source = formula(source)
    exact, about, decimals = source.rpartition("\\approx")
    return exact if about and answers.compare(exact, decimals).equal is True else source


@rule("undecided.not-a-formula", "answer.invalid-bytes")
def unread(given: str, wanted: str) -> Outcome | None:
    """The outcome where a side is not one formula, None where both are."""
    if not is_known(wanted):
        return Outcome(None, "undecided.not-a-formula", "the gold cannot be read whole as one formula")
    if "\ufffd" in given:
        return Outcome(False, "answer.invalid-bytes", "the answer has bytes that are no text")
    if is_known(given):
        return None
    return Outcome(None, "undecided.not-a-formula", "the answer cannot be read whole as one formula")
