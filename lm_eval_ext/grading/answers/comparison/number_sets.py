"""Sets of numbers: conditions, intervals, lists, compared number by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from lm_eval_ext.grading.answers.comparison.canonical import Solutions
from lm_eval_ext.grading.answers.comparison.conditions import letters_of, renamed, unsaid
from lm_eval_ext.grading.answers.comparison.number_parts import (
    INTEGER_LETTERS,
    IS_INTEGER,
    REACH,
    Part,
    X,
    is_combination,
    read_parts,
)
from lm_eval_ext.grading.answers.comparison.points import sample_points, shown
from lm_eval_ext.grading.answers.errors import AnswerError
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.numeric.numbers import Value
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.semantics.conditions import IT
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Condition,
    Group,
    Node,
    Number,
    Property,
    Relation,
    Symbol,
    number,
    walk,
)
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

_COUNTING = frozenset("klmn")


def same_number_set(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome | None:
    """Sets of numbers described by conditions, intervals or a list; None for anything else."""
    if (letter := _free_letter(given, wanted)) is not None:
        return _for_each(letter, given, wanted, evaluator)
    if _holds_infinity(given) != _holds_infinity(wanted):
        return _verdict(False, "only one side has an interval that holds infinity")
    mine = read_parts(given, _are_described(wanted), evaluator)
    theirs = read_parts(wanted, _are_described(given), evaluator)
    if mine is None or theirs is None or not any(map(_is_described_set, (*given, *wanted))):
        return None
    mine, theirs = _with_unsaid(mine, theirs, evaluator), _with_unsaid(theirs, mine)
    letters = _letters(given) | _letters(wanted)
    if letters <= INTEGER_LETTERS and (
        _are_integers(mine)
        or _are_integers(theirs)
        or (letters and letters <= _COUNTING and _are_whole(mine + theirs))
    ):
        mine, theirs = _all_integers(mine), _all_integers(theirs)  # n = 3, 4, 5 beside 3 <= n <= 5
    return _compared(mine, theirs, evaluator)


_INFINITY = (Call("oo", ()), Call("neg", (Call("oo", ()),)))
_TRIED = (7, 12, 31)


def _free_letter(given: Solutions, wanted: Solutions) -> str | None:
    """The letter of both sides on which two described sets depend; none that runs through values."""
    if not _are_described(given) or not _are_described(wanted):
        return None
    free = []
    for side in (given, wanted):
        unknowns = {v.name for s in side for _, v in s.values if isinstance(v, Symbol)} | {IT}
        free.append({n for s in side for c in s.conditions for n in letters_of(c)} - unknowns)
    if len(free[0]) != 1 or free[0] != free[1]:
        return None
    letter = next(iter(free[0]))
    return None if any(_runs(letter, s.conditions) for s in (*given, *wanted)) else letter


def _runs(letter: str, conditions: Sequence[Condition]) -> bool:
    """Whether it runs through values none of which is meant: "n != 2^k for k >= 0"."""
    denied = any(letter in letters_of(c) for c in conditions if _denies(c))
    return denied and any(letters_of(c) == {letter} for c in conditions)


def _denies(condition: Condition) -> bool:
    says = condition.name if isinstance(condition, Property) else "".join(condition.signs)
    return says == "!=" or (isinstance(condition, Property) and not condition.holds)


def _for_each(letter: str, given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome | None:
    """The sets at several values of the letter; the first difference counts."""
    outcome = None
    for value in _TRIED:
        at: dict[str, Node] = {letter: number(value)}
        mine, theirs = (
            tuple(replace(s, conditions=tuple(renamed(c, at) for c in s.conditions)) for s in side)
            for side in (given, wanted)
        )
        outcome = same_number_set(mine, theirs, evaluator)
        if outcome is None or not outcome.equal:
            return outcome
    return outcome


def _holds_infinity(solutions: Solutions) -> bool:
    """Whether an interval is closed at infinity: (8, oo]."""
    intervals = [n for s in solutions for _, v in s.values for n in walk(v) if isinstance(n, Group)]
    return any(
        (g.open == "[" and g.items[0] in _INFINITY) or (g.close == "]" and g.items[-1] in _INFINITY)
        for g in intervals
        if len(g.items) == 2
    )


@rule("number-sets.equal", "number-sets.differ")
def _verdict(equal: bool, detail: str) -> Outcome:
    return Outcome(equal, "number-sets.equal" if equal else "number-sets.differ", detail)


def _compared(mine: list[Part], theirs: list[Part], evaluator: Evaluator) -> Outcome | None:
    """Number by number; None where one cannot be decided, or none belongs to either."""
    points = _sample(mine, theirs, evaluator)
    members = 0
    try:
        for point in points:
            here, there = _belongs(point, mine, evaluator), _belongs(point, theirs, evaluator)
            if here != there:
                side = "answer" if here else "gold"
                return _verdict(False, f"{shown(point)} belongs to the {side} only")
            members += here
    except AnswerError:
        return None
    if not members:
        return None
    return _verdict(True, f"the same numbers, compared at {len(points)} of them")


def _sample(mine: list[Part], theirs: list[Part], evaluator: Evaluator) -> list[Value]:
    """The numbers to compare at; within reach of a parameter, where a part is the values of one."""
    left, right = ([c for part in side for c in part.limits()] for side in (mine, theirs))
    points = sample_points(left, right, evaluator)
    if any(part.values is not None or part.excluded for part in (*mine, *theirs)):
        return [p for p in points if isinstance(p, Fraction) and abs(p) <= REACH]
    return points


def _belongs(point: Value, side: list[Part], evaluator: Evaluator) -> bool:
    return any(part.has(point, evaluator) for part in side)


def _are_described(solutions: Solutions) -> bool:
    """Whether they say which numbers: "all powers of 2", "n even"."""
    return all(s.conditions and isinstance(v, Symbol) for s in solutions for _, v in s.values)


def _is_described_set(solution: Solution) -> bool:
    node = solution.values[0][1]
    return bool(solution.conditions) or isinstance(node, Relation) or is_combination(node)


def _least(side: list[Part], evaluator: Evaluator) -> Fraction | None:
    """The least of its numbers; None where one is described, or is no rational number."""
    found = [p.values or ([evaluator.value(p.number)] if p.number is not None else ()) for p in side]
    numbers = [n for values in found for n in values if isinstance(n, Fraction)]
    return min(numbers) if all(found) and len(numbers) == sum(map(len, found)) else None


def _letters(solutions: Solutions) -> frozenset[str]:
    """The names of the unknown, where it has one."""
    values = [pair for s in solutions for pair in s.values]
    named = {name for name, _ in values} | {v.name for _, v in values if isinstance(v, Symbol)}
    return frozenset(named - {"", IT})


def _are_integers(side: list[Part]) -> bool:
    return all(isinstance(p.number, Number) and p.number.value.denominator == 1 for p in side)


def _are_whole(side: list[Part]) -> bool:
    """Whether all the numbers that bound them are integers: n > 4 is n >= 5."""
    numbers = [
        n for p in side for c in p.limits() if isinstance(c, Relation) for t in c.terms for n in walk(t)
    ]
    return all(n.value.denominator == 1 for n in numbers if isinstance(n, Number))


def _all_integers(side: list[Part]) -> list[Part]:
    return [replace(part, conditions=(*part.conditions, IS_INTEGER)) for part in side]


def _with_unsaid(side: list[Part], other: list[Part], evaluator: Evaluator | None = None) -> list[Part]:
    """Described parts limited to the kind of numbers that only the other side names.

    With an evaluator, of an answer: to positive ones where the gold has no others, "n | 6" for 1, 2, 3, 6.
    """
    mine, theirs = ([c for part in parts for c in part.conditions] for parts in (side, other))
    if evaluator is not None and (least := _least(other, evaluator)) is not None and least >= 0:
        theirs.append(Property("positive" if least else "nonnegative", X))
    more = tuple(unsaid(mine, theirs))
    return [replace(p, conditions=p.conditions + more) if p.is_described() else p for p in side]
