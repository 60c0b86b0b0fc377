"""Answers that are infinite sets: ranges of one number, definitions by cases, values of a parameter."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from lm_eval_ext.grading.answers.comparison.domains import (
    is_integral,
    sample_points,
    shown,
)
from lm_eval_ext.grading.answers.comparison.number_sets import PASS, Items, symbols_of
from lm_eval_ext.grading.answers.comparison.outcome import Comparison
from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.numeric.evaluate import value
from lm_eval_ext.grading.answers.numeric.numbers import TooLarge, Undefined, Value, same
from lm_eval_ext.grading.answers.numeric.predicates import holds
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.semantics.conditions import IT, declared
from lm_eval_ext.grading.answers.syntax.nodes import (
    Condition,
    Group,
    Node,
    Property,
    Relation,
    differ,
    symbols,
    tuple_items,
)


def same_cases(given: Items, wanted: Items) -> Comparison:
    """ "n - 1 if n is even, n if n is odd": compared at integers, each side by the case that holds there."""
    if not any(i.conditions for i in (*given, *wanted)) or any(
        len(side) == 1 and side[0].conditions for side in (given, wanted)
    ):
        return PASS
    if any(len(i.values) != 1 or isinstance(i.values[0][1], (Group, Relation)) for i in (*given, *wanted)):
        return PASS
    letters = {n for i in (*given, *wanted) for c in i.conditions for n in symbols_of(c)} - {IT}
    free = {n for i in (*given, *wanted) for n in symbols(i.values[0][1])}
    if len(letters) != 1 or not free <= letters or max(len(given), len(wanted)) < 2:
        return PASS
    letter = letters.pop()
    compared = 0
    try:
        mine, theirs = ([c for i in side for c in i.conditions] for side in (given, wanted))
        for point in sample_points(mine or theirs, theirs or mine):
            at: dict[str, Value] = {letter: point, IT: point}
            here, there = _case(given, at), _case(wanted, at)
            if here is None and there is None:
                continue
            if here is None or there is None:
                if any(_is_otherwise(i) for i in (*given, *wanted)):
                    continue  # "otherwise" may say more than the cases that can occur
                return False, f"only the {_whose(here)} has a case for {letter} = {shown(point)}"
            if not same(value(here, at), value(there, at)):
                return False, differ(here, there, f" at {letter} = {shown(point)}")
            compared += 1
    except (Undefined, TooLarge, Unreadable) as error:
        return None, str(error)
    return (True, f"equal in each case, {compared} numbers compared") if compared > 9 else PASS


def _whose(answers: object) -> str:
    return "answer" if answers else "gold"


def _is_otherwise(item: Solution) -> bool:
    return any(isinstance(c, Property) and c.name == "otherwise" for c in item.conditions)


def _case(items: Items, at: dict[str, Value]) -> Node | None:
    """The value of the one case that holds; None if none does. Raises Undefined for two different ones."""
    found: list[Node] = []
    for item in items:
        otherwise = _is_otherwise(item)
        if (otherwise and not found) or (not otherwise and all(holds(c, at) for c in item.conditions)):
            found.append(item.values[0][1])
    if len(found) > 1 and any(not same(value(found[0], at), value(f, at)) for f in found[1:]):
        raise Undefined("two cases at once")
    return found[0] if found else None


_INNER, _OUTER = 12, 60


def same_family(given: Items, wanted: Items) -> Comparison:
    """ "pi/2 + k pi" and "(2k + 1) pi/2": each value of the one among the values of the other."""
    sides = [_enumerable(side) for side in (given, wanted)]
    if sides[0] is None or sides[1] is None or not any(i.conditions for i in (*given, *wanted)):
        return PASS
    try:
        for one, other in ((sides[0], sides[1]), (sides[1], sides[0])):
            many = [v for f in other for v in f(_OUTER)]
            chosen = [v for f in one for v in f(_OUTER)[:_INNER]]
            if not chosen:
                return PASS
            for few in chosen:
                if not any(_same_tuple(few, v) for v in many):
                    whose = _whose(one is sides[0])
                    return False, f"{', '.join(map(shown, few))} belongs to the {whose} only"
    except (Undefined, TooLarge, Unreadable) as error:
        return None, str(error)
    return True, "the same values for integer parameters"


def _enumerable(items: Items) -> list[Callable[[int], list[tuple[Value, ...]]]] | None:
    found: list[Callable[[int], list[tuple[Value, ...]]]] = []
    for item in items:
        nodes = [v for _, v in item.values]
        if len(nodes) == 1:
            nodes = list(tuple_items(nodes[0])) or nodes
        letters = frozenset[str]().union(*(symbols(n) for n in nodes))
        if len(letters) > 1 or item.arguments or any(isinstance(n, (Group, Relation)) for n in nodes):
            return None
        if len(nodes) == 1 and letters and not item.values[0][0]:
            return None  # a formula in that letter, not a set
        if letters and not (is_integral(item.conditions) and declared(item.conditions) <= letters):
            return None
        found.append(_enumerator(nodes, next(iter(letters), ""), item.conditions))
    return found


def _enumerator(
    nodes: list[Node], letter: str, conditions: tuple[Condition, ...]
) -> Callable[[int], list[tuple[Value, ...]]]:
    def values(reach: int) -> list[tuple[Value, ...]]:
        found = []
        for k in sorted(range(-reach, reach + 1), key=abs):
            at: dict[str, Value] = {letter: Fraction(k)} if letter else {}
            if all(holds(c, at) for c in conditions):
                found.append(tuple(value(n, at) for n in nodes))
            if not letter:
                break
        return found

    return values


def _same_tuple(left: tuple[Value, ...], right: tuple[Value, ...]) -> bool:
    return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
