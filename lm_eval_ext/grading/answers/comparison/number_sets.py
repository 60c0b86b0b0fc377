"""Sets of numbers: conditions, intervals, lists, compared number by number."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction

from lm_eval_ext.grading.answers.comparison.canonical import Solutions
from lm_eval_ext.grading.answers.comparison.conditions import is_integral, letters_of, renamed, unsaid
from lm_eval_ext.grading.answers.comparison.points import sample_points, shown
from lm_eval_ext.grading.answers.errors import AnswerError, TooLarge, Undefined
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.numeric.numbers import Value, same
from lm_eval_ext.grading.answers.numeric.predicates import holds
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.semantics.conditions import IT, declared
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
    symbols,
    walk,
)
from lm_eval_ext.grading.answers.syntax.sets import DOMAINS
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

_X = Symbol("#x")
_IS_INTEGER = Property("integer", _X)
_ORDER = frozenset(["<", ">", "<=", ">="])
_INTEGER_LETTERS = frozenset("ijklmnst")
_COUNTING = frozenset("klmn")
_REACH = 700
"""How far an integer parameter runs in either direction."""


@dataclass(frozen=True)
class _Part:
    """Numbers x: one number, else the values of a parameter, else all that meet the conditions."""

    conditions: tuple[Condition, ...] = ()
    number: Node | None = None
    values: frozenset[Fraction] | None = None

    def is_described(self) -> bool:
        return self.number is None and self.values is None

    def limits(self) -> tuple[Condition, ...]:
        """Its conditions; a number counts as one."""
        return self.conditions + ((Relation((_X, self.number), ("=",)),) if self.number is not None else ())

    def has(self, point: Value, evaluator: Evaluator) -> bool:
        if self.number is not None:
            return same(point, evaluator.value(self.number))
        if self.values is not None:
            return point in self.values
        return all(holds(c, {_X.name: point}, evaluator) for c in self.conditions)


def same_number_set(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome | None:
    """Sets of numbers described by conditions, intervals or a list; None for anything else."""
    if (letter := _free_letter(given, wanted)) is not None:
        return _for_each(letter, given, wanted, evaluator)
    mine = _parts(given, _are_described(wanted), evaluator)
    theirs = _parts(wanted, _are_described(given), evaluator)
    if mine is None or theirs is None or not any(map(_is_described_set, (*given, *wanted))):
        return None
    mine, theirs = _with_unsaid(mine, theirs), _with_unsaid(theirs, mine)
    letters = _letters(given) | _letters(wanted)
    if letters <= _INTEGER_LETTERS and (
        _are_integers(mine)
        or _are_integers(theirs)
        or (letters and letters <= _COUNTING and _are_whole(mine + theirs))
    ):
        mine, theirs = _all_integers(mine), _all_integers(theirs)  # n = 3, 4, 5 beside 3 <= n <= 5
    return _compared(mine, theirs, evaluator)


_TRIED = (7, 12, 31)


def _free_letter(given: Solutions, wanted: Solutions) -> str | None:
    """The letter, the same on both sides, on which two described sets depend."""
    if not _are_described(given) or not _are_described(wanted):
        return None
    free = []
    for side in (given, wanted):
        unknowns = {v.name for s in side for _, v in s.values if isinstance(v, Symbol)} | {IT}
        free.append({n for s in side for c in s.conditions for n in letters_of(c)} - unknowns)
    return next(iter(free[0])) if len(free[0]) == 1 and free[0] == free[1] else None


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


@rule("number-sets.equal", "number-sets.differ")
def _compared(mine: list[_Part], theirs: list[_Part], evaluator: Evaluator) -> Outcome | None:
    """Number by number; None where one cannot be decided, or none belongs to either."""
    left, right = ([c for part in side for c in part.limits()] for side in (mine, theirs))
    points = sample_points(left, right, evaluator)
    if any(part.values is not None for part in (*mine, *theirs)):
        points = [p for p in points if isinstance(p, Fraction) and abs(p) <= _REACH]
    members = 0
    try:
        for point in points:
            here, there = (any(part.has(point, evaluator) for part in side) for side in (mine, theirs))
            if here != there:
                side = "answer" if here else "gold"
                return Outcome(False, "number-sets.differ", f"{shown(point)} belongs to the {side} only")
            members += here
    except AnswerError:
        return None
    if not members:
        return None
    return Outcome(True, "number-sets.equal", f"the same numbers, compared at {len(points)} of them")


def _are_described(solutions: Solutions) -> bool:
    """Whether they say which numbers: "all powers of 2", "n even"."""
    return all(s.conditions and isinstance(v, Symbol) for s in solutions for _, v in s.values)


def _is_described_set(solution: Solution) -> bool:
    node = solution.values[0][1]
    return bool(solution.conditions) or isinstance(node, Relation) or _is_combination(node)


def _is_combination(node: Node) -> bool:
    return isinstance(node, Call) and node.name in ("union", "minus", "intersection")


def _parts(solutions: Solutions, beside_description: bool, evaluator: Evaluator) -> list[_Part] | None:
    """Each solution as a set of numbers x; None if one is none."""
    if _are_cases(solutions):
        return None
    alone = len(solutions) == 1
    found: list[_Part] = []
    for solution in solutions:
        if len(solution.values) != 1 or solution.arguments:
            return None
        part = (
            _described(solution)
            or _region(solution, alone)
            or _inequality(solution)
            or _number(solution)
            or _parametric(solution, beside_description and alone, evaluator)
        )
        if part is None:
            return None
        found.append(part)
    return found


def _are_cases(solutions: Solutions) -> bool:
    """ "n if n is even, n - 1 if n is odd" are the cases of one function, not a set of numbers."""
    described = {v.name for s in solutions for _, v in s.values if isinstance(v, Symbol)}
    return any(described & symbols(v) for s in solutions for _, v in s.values if not isinstance(v, Symbol))


def _described(solution: Solution) -> _Part | None:
    """ "n even", "all primes p > 2"."""
    node = solution.values[0][1]
    if not isinstance(node, Symbol) or not solution.conditions:
        return None
    conditions = tuple(renamed(c, {node.name: _X, IT: _X}) for c in solution.conditions)
    if Property("otherwise", _X) in conditions or any(letters_of(c) - {_X.name} for c in conditions):
        return None
    return None if any(map(_is_implicit, conditions)) else _Part(conditions)


def _is_implicit(condition: Condition) -> bool:
    """x^2 = 4: which numbers solve it, the sample points do not show."""
    if not isinstance(condition, Relation) or not {"=", "!="} & set(condition.signs):
        return False
    return _X not in condition.terms


def _region(solution: Solution, alone: bool) -> _Part | None:
    """R, a union, or a pair in brackets: an interval where it is all that is said, else a pair of numbers."""
    node = solution.values[0][1]
    pair = isinstance(node, Group) and len(node.items) == 2 and node.open in "([" and node.close in ")]"
    if solution.conditions or not ((pair and alone) or _is_combination(node) or isinstance(node, Symbol)):
        return None
    known = node.name in DOMAINS if isinstance(node, Symbol) else not symbols(node) - DOMAINS
    return _Part((Relation((_X, node), ("in",)),)) if known else None


def _inequality(solution: Solution) -> _Part | None:
    node = solution.values[0][1]
    if not isinstance(node, Relation) or not set(node.signs) <= _ORDER or len(symbols(node)) != 1:
        return None
    if any(isinstance(n, Call) and n.name == "apply" for n in walk(node)):
        return None
    (letter,) = symbols(node)
    return _Part((renamed(node, {letter: _X}),))


def _number(solution: Solution) -> _Part | None:
    node = solution.values[0][1]
    if solution.conditions or symbols(node) or isinstance(node, (Group, Relation)):
        return None
    return _Part(number=node)


def _parametric(solution: Solution, beside_description: bool, evaluator: Evaluator) -> _Part | None:
    """The values of "4k + 3" or "2^k (k >= 0)" for an integer k: those that the sample points can meet."""
    name, node = solution.values[0]
    if len(symbols(node)) != 1 or isinstance(node, (Symbol, Group, Relation)):
        return None
    if not name and not (beside_description and solution.conditions):
        return None  # without a name it is a formula in that letter, not a set
    (letter,) = symbols(node)
    if not all(letter in declared([c]) for c in solution.conditions):
        return None
    by_letter = letter in _INTEGER_LETTERS and all(map(_is_bound, solution.conditions))
    if not by_letter and not is_integral(solution.conditions):
        return None
    values = _values_at_integers(node, letter, solution.conditions, evaluator)
    if not all(isinstance(v, Fraction) for v in values):
        return None
    return _Part((_IS_INTEGER,), values=values)


def _values_at_integers(
    node: Node, letter: str, conditions: tuple[Condition, ...], evaluator: Evaluator
) -> frozenset[Value]:
    values = set[Value]()
    for k in range(-_REACH, _REACH + 1):
        with suppress(Undefined, TooLarge):
            at = {letter: Fraction(k)}
            if all(holds(c, at, evaluator) for c in conditions):
                values.add(evaluator.value(node, at))
    return frozenset(values)


def _is_bound(condition: Condition) -> bool:
    """k >= 0, k positive: no word of what kind of number k is."""
    if isinstance(condition, Property):
        return condition.name not in ("real", "rational", "complex", "irrational")
    return "in" not in condition.signs and "notin" not in condition.signs


def _letters(solutions: Solutions) -> frozenset[str]:
    """The names of the unknown, where it has one."""
    values = [pair for s in solutions for pair in s.values]
    named = {name for name, _ in values} | {v.name for _, v in values if isinstance(v, Symbol)}
    return frozenset(named - {"", IT})


def _are_integers(side: list[_Part]) -> bool:
    return all(isinstance(p.number, Number) and p.number.value.denominator == 1 for p in side)


def _are_whole(side: list[_Part]) -> bool:
    """Whether all the numbers that bound them are integers: n > 4 is n >= 5."""
    numbers = [
        n for p in side for c in p.limits() if isinstance(c, Relation) for t in c.terms for n in walk(t)
    ]
    return all(n.value.denominator == 1 for n in numbers if isinstance(n, Number))


def _all_integers(side: list[_Part]) -> list[_Part]:
    return [replace(part, conditions=(*part.conditions, _IS_INTEGER)) for part in side]


def _with_unsaid(side: list[_Part], other: list[_Part]) -> list[_Part]:
    """Described parts limited to the kind of numbers that only the other side names."""
    mine, theirs = ([c for part in parts for c in part.conditions] for parts in (side, other))
    more = tuple(unsaid(mine, theirs))
    return [replace(p, conditions=p.conditions + more) if p.is_described() else p for p in side]
