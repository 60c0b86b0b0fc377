"""Whether two answers say the same, and why: the answers read, matched solution by solution.

What counts as equal, in the order of the rules below:

- words: yes, no, no solution; a letter of choice, with or without its value; the name of who wins;
- parts in their order; several values as a set, whatever their order; solutions by the names of the
  unknowns, or in their order where one side has no names; unordered pairs under any order;
- values: expressions as functions of their letters, with units and percents read, ratios, regions;
- families: parameters may be renamed, and must run over the same numbers.
"""

from __future__ import annotations

import re
from dataclasses import replace

from lm_eval_ext.grading.answers.comparison.outcome import Comparison
from lm_eval_ext.grading.answers.comparison.solution_sets import same_solutions
from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.numeric.evaluate import allow
from lm_eval_ext.grading.answers.numeric.numbers import TooLarge, Undefined
from lm_eval_ext.grading.answers.semantics import read
from lm_eval_ext.grading.answers.semantics.claims import Answer
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Group,
    Quantity,
    Relation,
    Symbol,
    walk,
)
from lm_eval_ext.grading.types import VALUES_DIFFER, Outcome

MAX_STEPS = 20_000
"""Operations evaluated for one comparison; each takes some microseconds."""
_EQUALITY = re.compile(r"[\s\S]*\bequality\b(?:\s+(?:holds|occurs))?", re.IGNORECASE)
"""Where the gold is a case of equality, the answer is what follows that word."""


def compare(answer: str, gold: str) -> Outcome:
    """(equal, reason); equal is None where this reading cannot tell and computer algebra may be asked."""
    allow(MAX_STEPS)
    try:
        wanted = read(gold)
    except Unreadable as error:
        return Outcome(None, "unread", f"the gold is not read: {error}")
    except RecursionError:
        return Outcome(None, "unread", "the gold is nested too deeply")
    try:
        given = read(answer)
    except Unreadable as error:
        return Outcome(None, "unread", f"the answer is not read: {error}")
    except RecursionError:
        return Outcome(None, "unread", "the answer is nested too deeply")
    try:
        outcome = _parts(given, wanted)
        if not outcome[0] and _EQUALITY.match(gold) and (case := _EQUALITY.split(answer)[-1]) != answer:
            equal, detail = _parts(read(case), read(_EQUALITY.split(gold)[-1]))
            return Outcome(equal, "reading", detail)
    except (Unreadable, Undefined) as error:
        return Outcome(None, "unread", str(error))
    except TooLarge:
        return Outcome(None, "unread", "too much to evaluate")
    except RecursionError:
        return Outcome(None, "unread", "nested too deeply")
    except (
        ArithmeticError,
        ValueError,
    ) as error:  # a number that cannot be: computer algebra may know better
        return Outcome(None, "unread", f"not evaluated: {error}"[:200])
    if outcome[0] is False and (shape := _closed_shape(given)) is not None and shape == _closed_shape(wanted):
        return Outcome(False, VALUES_DIFFER, outcome[1])
    return Outcome(outcome[0], "reading", outcome[1])


def _closed_shape(parts: tuple[Answer, ...]) -> tuple[object, ...] | None:
    """How many closed values there are and in which brackets; None where anything else is said.

    What has letters or units, conditions or other words leaves room for opinion.
    """
    answer = parts[0]
    if (
        len(parts) > 1
        or answer.word
        or answer.choice
        or answer.again
        or any(i.conditions for i in answer.items)
    ):
        return None
    nodes = [value for item in answer.items for _, value in item.values]
    if any(
        isinstance(n, (Symbol, Relation, Quantity)) or (isinstance(n, Call) and n.name in ("equals", "apply"))
        for node in nodes
        for n in walk(node)
    ):
        return None
    return tuple((n.open, n.close, len(n.items)) if isinstance(n, Group) else "value" for n in nodes)


def _parts(given: tuple[Answer, ...], wanted: tuple[Answer, ...]) -> Comparison:
    if len(given) == len(wanted):
        return _all_of([_answers(a, g) for a, g in zip(given, wanted, strict=True)])
    for few, many in ((given, wanted), (wanted, given)):
        if len(few) == 1 and len(few[0].items) == 1 and len(values := few[0].items[0].values) == len(many):
            single = [Answer(items=(replace(few[0].items[0], values=(v,)),)) for v in values]
            pairs = zip(single, many, strict=True) if few is given else zip(many, single, strict=True)
            return _all_of([_answers(a, g) for a, g in pairs])
    if len(given) == 1 and len(given[0].items) == len(wanted):
        return _all_of([_answers(Answer(items=(i,)), g) for i, g in zip(given[0].items, wanted, strict=True)])
    if len(wanted) == 1 and len(wanted[0].items) == len(given):
        return _all_of([_answers(a, Answer(items=(i,))) for a, i in zip(given, wanted[0].items, strict=True)])
    return None, f"{len(given)} parts, the gold has {len(wanted)}"


def _all_of(outcomes: list[Comparison]) -> Comparison:
    """False if one is, None if one is not known, else True."""
    for wanted in (False, None):
        for equal, reason in outcomes:
            if equal is wanted:
                return equal, reason
    return outcomes[0]


def _answers(given: Answer, wanted: Answer) -> Comparison:
    """The answer and its restatements: one must be equal, none may differ."""
    outcomes = [_some_of([_single(a, g) for g in (wanted, *wanted.again)]) for a in (given, *given.again)]
    decided = [o for o in outcomes if o[0] is not None]
    return next((o for o in decided if o[0] is False), decided[0]) if decided else outcomes[0]


def _some_of(outcomes: list[Comparison]) -> Comparison:
    for wanted in (True, None):
        for equal, reason in outcomes:
            if equal is wanted:
                return equal, reason
    return outcomes[0]


def _single(given: Answer, wanted: Answer) -> Comparison:
    if given.word or wanted.word:
        negative = {given.word, wanted.word}  # that there is no such thing answers both questions
        equal = len(negative) == 1 or negative in ({"no", "absent"}, {"none", "absent"})
        return equal, f"{given.word or 'a value'} and {wanted.word or 'a value'}"
    if given.choice and wanted.choice:
        equal = given.choice.casefold() == wanted.choice.casefold()
        if equal and given.items and wanted.items and same_solutions(given.items, wanted.items)[0] is False:
            return None, f"choice {given.choice} with another value"
        return equal, f"choice {given.choice} and {wanted.choice}"
    if (given.choice or wanted.choice) and not (given.items and wanted.items):
        sides = [f"choice {a.choice}" if a.choice else "a value" for a in (given, wanted)]
        return False, f"{sides[0]} and {sides[1]}"
    return same_solutions(given.items, wanted.items)
