"""Definitions by cases, and families that run over the values of an integer parameter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from lm_eval_ext.grading.answers.comparison.canonical import Solutions
from lm_eval_ext.grading.answers.comparison.conditions import is_integral, letters_of
from lm_eval_ext.grading.answers.comparison.points import sample_points, shown
from lm_eval_ext.grading.answers.errors import AnswerError, Undefined
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator, Point
from lm_eval_ext.grading.answers.numeric.numbers import Value, same
from lm_eval_ext.grading.answers.numeric.predicates import holds
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.semantics.conditions import IT, declared
from lm_eval_ext.grading.answers.syntax.nodes import (
    Condition,
    Group,
    Node,
    Number,
    Property,
    Relation,
    Symbol,
    differ,
    symbols,
    tuple_items,
)
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

_NEEDED_POINTS = 10


@rule("cases.equal")
def same_cases(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome | None:
    """ "n - 1 if n is even, n if n is odd": compared at integers, each side by the case that holds there."""
    letter = _case_letter(given, wanted)
    if letter is None:
        return None
    mine, theirs = _limits(given, letter), _limits(wanted, letter)
    compared = 0
    try:
        for point in sample_points(mine or theirs, theirs or mine, evaluator):
            at: Point = {letter: point, IT: point}
            here, there = _case(given, at, evaluator), _case(wanted, at, evaluator)
            if here is not None and there is not None:
                if not same(evaluator.value(here, at), evaluator.value(there, at)):
                    return _different_case(here, there, letter, point)
                compared += 1
            elif here is not there and not any(map(_is_otherwise, (*given, *wanted))):
                return _different_case(here, there, letter, point)  # "otherwise" may say more than can occur
    except AnswerError:
        return None
    if compared < _NEEDED_POINTS:
        return None
    return Outcome(True, "cases.equal", f"equal in each case, {compared} numbers compared")


def _limits(solutions: Solutions, letter: str) -> list[Condition]:
    """All conditions on the letter of the cases; one that counts is an integer."""
    limits = [c for s in solutions for c in s.conditions]
    return [*limits, Property("integer", Symbol(letter))] if letter in _COUNTING else limits


@rule("cases.differ", "cases.missing")
def _different_case(here: Node | None, there: Node | None, letter: str, point: Value) -> Outcome:
    at = f"{letter} = {shown(point)}"
    if here is not None and there is not None:
        return Outcome(False, "cases.differ", differ(here, there, f" at {at}"))
    side = "answer" if here else "gold"
    return Outcome(False, "cases.missing", f"only the {side} has a case for {at}")


def _case_letter(given: Solutions, wanted: Solutions) -> str | None:
    """The one letter of a definition by cases; None where there is none."""
    every = (*given, *wanted)
    single = any(len(side) == 1 and side[0].conditions for side in (given, wanted))
    if single or max(len(given), len(wanted)) < 2 or not all(map(_has_plain_value, every)):
        return None
    if not any(s.conditions for s in every):
        return None
    letters = {n for s in every for c in s.conditions for n in letters_of(c)} - {IT}
    free = {n for s in every for n in symbols(s.values[0][1])}
    return letters.pop() if len(letters) == 1 and free <= letters else None


def _has_plain_value(solution: Solution) -> bool:
    return len(solution.values) == 1 and not isinstance(solution.values[0][1], (Group, Relation))


def _is_otherwise(solution: Solution) -> bool:
    return any(isinstance(c, Property) and c.name == "otherwise" for c in solution.conditions)


def _case(solutions: Solutions, at: Point, evaluator: Evaluator) -> Node | None:
    """The value of the one case that holds; None if none does. Raises Undefined for two different ones."""
    found: list[Node] = []
    for solution in solutions:
        if _is_otherwise(solution):
            applies = not found
        else:
            applies = all(holds(c, at, evaluator) for c in solution.conditions)
        if applies:
            found.append(solution.values[0][1])
    for other in found[1:]:
        if not same(evaluator.value(found[0], at), evaluator.value(other, at)):
            raise Undefined("two cases at once")
    return found[0] if found else None


_COUNTING = frozenset("ijklmn")
_INNER, _OUTER = 12, 60
"""How many values of each solution are looked for, and among the values of how large a parameter."""


_SHOWN, _FURTHEST = 4, 400


@rule("families.same-list")
def same_list(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome | None:
    """1, 3, 9, 27, ... beside "3^k, k >= 0": four shown values are the first ones of a set of integers."""
    for one, other in ((given, wanted), (wanted, given)):
        values = [s.values[0][1] for s in one if len(s.values) == 1 and not s.conditions]
        if len(values) <= _SHOWN or len(values) != len(one) or values[-1] != Symbol("..."):
            continue
        try:
            shown_values = [evaluator.value(v) for v in values[:-1]]
            members = sorted({m for s in other for m in _members(s, evaluator)}, key=float)
        except AnswerError:
            return None
        if members and members[: len(shown_values)] == shown_values:
            return Outcome(True, "families.same-list", f"the same first {len(shown_values)} values")
    return None


def _members(solution: Solution, evaluator: Evaluator) -> list[Value]:
    """The least integers that belong to it, in order; empty where it is no set of integers."""
    node = solution.values[0][1]
    if isinstance(node, Number) and len(solution.values) == 1 and not solution.conditions:
        return [node.value]
    if len(solution.values) != 1 or not solution.conditions:
        return []
    if isinstance(node, Symbol):
        return _integers_with(node.name, solution.conditions, evaluator)
    if not _is_enumerable(replace(solution, values=(("x", node),))):
        return []
    values = [v for (v,) in _values(solution, evaluator)]
    return sorted(values) if all(isinstance(v, Fraction) and v.denominator == 1 for v in values) else []


def _integers_with(name: str, conditions: Sequence[Condition], evaluator: Evaluator) -> list[Value]:
    """The integers for which conditions on this letter alone hold; empty where there is no least one."""
    letters = {n for c in conditions for n in letters_of(c)}
    if letters - {name, IT} or not (is_integral(conditions) or name in _COUNTING):
        return []
    candidates: list[Value] = [Fraction(n) for n in range(-_FURTHEST, _FURTHEST)]
    found = [n for n in candidates if all(holds(c, {name: n, IT: n}, evaluator) for c in conditions)]
    return found if found and found[0] > -_FURTHEST // 2 else []


@rule("families.same-values", "families.differ")
def same_family(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome | None:
    """ "pi/2 + k pi" and "(2k + 1) pi/2": each value of the one among the values of the other."""
    every = (*given, *wanted)
    if not any(s.conditions for s in every) or not all(map(_is_enumerable, every)):
        return None
    try:
        mine, theirs = ([list(_values(s, evaluator)) for s in side] for side in (given, wanted))
        for side, one, other in (("answer", mine, theirs), ("gold", theirs, mine)):
            chosen = [v for values in one for v in values[:_INNER]]
            if not chosen:
                return None
            for few in chosen:
                if not any(_is_same_tuple(few, v) for values in other for v in values):
                    named = ", ".join(map(shown, few))
                    return Outcome(False, "families.differ", f"{named} belongs to the {side} only")
    except AnswerError:
        return None
    return Outcome(True, "families.same-values", "the same values for integer parameters")


def _entries(solution: Solution) -> list[Node]:
    nodes = [v for _, v in solution.values]
    return (list(tuple_items(nodes[0])) or nodes) if len(nodes) == 1 else nodes


def _is_enumerable(solution: Solution) -> bool:
    """Numbers, or tuples of such, with at most one integer parameter."""
    nodes = _entries(solution)
    letters = frozenset[str]().union(*map(symbols, nodes))
    if len(letters) > 1 or solution.arguments or any(isinstance(n, (Group, Relation)) for n in nodes):
        return False
    if not letters:
        return True
    if len(nodes) == 1 and not solution.values[0][0]:
        return False  # a formula in that letter, not a set
    counted = letters <= _COUNTING and bool(solution.conditions) and all(map(_is_bound, solution.conditions))
    return (counted or is_integral(solution.conditions)) and declared(solution.conditions) <= letters


def _is_bound(condition: Condition) -> bool:
    """k >= 2, which says of a counting letter that it is an integer."""
    return isinstance(condition, Relation) and set(condition.signs) <= {"<", ">", "<=", ">="}


def _values(solution: Solution, evaluator: Evaluator) -> Iterator[tuple[Value, ...]]:
    nodes = _entries(solution)
    letter = next((name for n in nodes for name in symbols(n)), "")
    for k in sorted(range(-_OUTER, _OUTER + 1), key=abs) if letter else (0,):
        at: Point = {letter: Fraction(k)} if letter else {}
        if all(holds(c, at, evaluator) for c in solution.conditions):
            yield tuple(evaluator.value(n, at) for n in nodes)


def _is_same_tuple(left: tuple[Value, ...], right: tuple[Value, ...]) -> bool:
    return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
