"""Answers that are infinite sets: ranges of one number, definitions by cases, values of a parameter."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction

from lm_eval_ext.grading.reading.arithmetic import TooLarge, Undefined, Value, same, value
from lm_eval_ext.grading.reading.conditions import IT, declared, holds, inside, is_domain
from lm_eval_ext.grading.reading.ranges import (
    harmonised,
    is_integral,
    renamed,
    sample_points,
    shown,
)
from lm_eval_ext.grading.reading.tree import (
    Call,
    Condition,
    Group,
    Item,
    Node,
    Num,
    Property,
    Relation,
    Sym,
    Unreadable,
    symbols,
)
from lm_eval_ext.grading.verdict import Outcome

Items = tuple[Item, ...]
_DOMAINS = frozenset("RZNQC")
_ORDER = frozenset(["<", ">", "<=", ">="])
_PASS: Outcome = (None, "not of this kind")
_LETTER = "x"


# ranges of one number -------------------------------------------------------------------------------------


def same_region(given: Items, wanted: Items) -> Outcome:
    """Sets of numbers described by conditions, intervals or a list: compared number by number."""
    mine, theirs = (_predicates(side) for side in (given, wanted))
    if (
        mine is None
        or theirs is None
        or not any(
            i.conditions or _is_union(i) or isinstance(i.values[0][1], Relation) for i in (*given, *wanted)
        )
    ):
        return _PASS
    mine, theirs = _harmonised_sides(mine, theirs)
    if _letters(given) | _letters(wanted) <= _INTEGER_LETTERS and any(
        all(isinstance(n, Num) and n.value.denominator == 1 for n, _ in side) for side in (mine, theirs)
    ):  # n = 3, 4, 5 beside 3 <= n <= 5
        mine, theirs = ([(n, [*c, Property("integer", Sym(_LETTER))]) for n, c in s] for s in (mine, theirs))
    points = sample_points(_all_conditions(mine), _all_conditions(theirs))
    try:
        if any(isinstance(n, frozenset) for n, _ in (*mine, *theirs)):
            points = [p for p in points if isinstance(p, Fraction) and abs(p) <= _REACH]
        for point in points:
            if _belongs(point, mine) != _belongs(point, theirs):
                return False, f"{shown(point)} belongs to one side only"
    except (Undefined, TooLarge, Unreadable) as error:
        return None, str(error)
    return True, f"the same numbers, compared at {len(points)} of them"


Predicate = tuple["Node | frozenset[Fraction] | None", list[Condition]]
"""A single value, the conditions on the letter x (None), or the values of an integer parameter."""


def _predicates(items: Items) -> list[Predicate] | None:
    """Each item as a predicate on x; None if one is no set of numbers."""
    found: list[Predicate] = []
    if _has_cases(items):
        return None
    for item in items:
        if len(item.values) != 1 or item.arguments:
            return None
        node = item.values[0][1]
        if isinstance(node, Sym) and item.conditions:
            conditions = [renamed(c, {node.name: Sym(_LETTER), IT: Sym(_LETTER)}) for c in item.conditions]
            if (
                any(symbols_of(c) - {_LETTER} for c in conditions)
                or Property("otherwise", Sym(_LETTER)) in conditions
            ):
                return None
            found.append((None, conditions))
        elif (
            _is_region(node, alone=len(items) == 1)
            and not item.conditions
            and not symbols(node) - _DOMAINS
            or isinstance(node, Sym)
            and node.name in _DOMAINS
            and not item.conditions
        ):
            found.append((None, [Relation((Sym(_LETTER), node), ("in",))]))
        elif isinstance(node, Relation) and len(letters := symbols(node)) == 1 and set(node.signs) <= _ORDER:
            found.append((None, [renamed(node, {next(iter(letters)): Sym(_LETTER)})]))
        elif not item.conditions and not symbols(node) and not isinstance(node, (Group, Relation)):
            found.append((node, []))
        elif (values := _parametric(item)) is not None:
            found.append((values, [Property("integer", Sym(_LETTER))]))
        else:
            return None
    return found


def _letters(items: Items) -> frozenset[str]:
    """The names of the unknown, where it has one."""
    named = {n for i in items for n, _ in i.values} | {
        v.name for i in items for _, v in i.values if isinstance(v, Sym)
    }
    return frozenset(named - {"", IT})


def _has_cases(items: Items) -> bool:
    """ "n if n is even, n - 1 if n is odd" are the cases of one function, not a set of numbers."""
    described = {v.name for i in items for _, v in i.values if isinstance(v, Sym)}
    return any(described & symbols(v) for i in items for _, v in i.values if not isinstance(v, Sym))


def _parametric(item: Item) -> frozenset[Fraction] | None:
    """The values of "4k + 3" or "2^k (k >= 0)" for an integer k: those that the sample points can meet."""
    node = item.values[0][1]
    letters = symbols(node)
    if len(letters) != 1 or not item.values[0][0] or isinstance(node, (Sym, Group, Relation)):
        return None  # without a name it is a formula in that letter, not a set
    letter = next(iter(letters))
    said = [c for c in item.conditions if letter in declared([c])]
    if len(said) != len(item.conditions) or (letter not in _INTEGER_LETTERS and not is_integral(said)):
        return None
    values: set[Fraction] = set()
    for k in range(-_REACH, _REACH + 1):
        with suppress(Undefined, TooLarge):
            at: dict[str, Value] = {letter: Fraction(k)}
            if all(holds(c, at) for c in said):
                values.add(value(node, at))
    return frozenset(values) if all(isinstance(v, Fraction) for v in values) else None


_REACH = 700
_INTEGER_LETTERS = frozenset("ijklmnst")


def _all_conditions(side: list[Predicate]) -> list[Condition]:
    """The conditions of a side; a value counts as one."""
    found: list[Condition] = [c for _, conditions in side for c in conditions]
    return found + [Relation((Sym(_LETTER), n), ("=",)) for n, _ in side if isinstance(n, (Num, Call))]


def symbols_of(condition: Condition) -> frozenset[str]:
    nodes = (condition.subject, *condition.args) if isinstance(condition, Property) else condition.terms
    found = frozenset[str]().union(*(symbols(n) for n in nodes))
    if (
        isinstance(condition, Relation)
        and condition.signs[-1] in ("in", "notin")
        and isinstance(condition.terms[-1], Sym)
    ):
        found -= {condition.terms[-1].name}
    return found


def _is_union(item: Item) -> bool:
    return any(isinstance(v, Call) and v.name in ("union", "minus", "intersection") for _, v in item.values)


def _is_region(node: Node, alone: bool) -> bool:
    """A union, or a pair in brackets: an interval where it is all that is said, else a pair of numbers."""
    if isinstance(node, Call):
        return node.name in ("union", "minus", "intersection")
    return (
        alone
        and isinstance(node, Group)
        and len(node.items) == 2
        and node.open in "(["
        and node.close in ")]"
    )


def _harmonised_sides(
    mine: list[Predicate], theirs: list[Predicate]
) -> tuple[list[Predicate], list[Predicate]]:
    left, right = ([c for _, conditions in side for c in conditions] for side in (mine, theirs))
    more_left, more_right = harmonised(left, right)
    add_left, add_right = more_left[len(left) :], more_right[len(right) :]
    return (
        [(n, [*c, *add_left] if n is None else c) for n, c in mine],
        [(n, [*c, *add_right] if n is None else c) for n, c in theirs],
    )


def _belongs(point: Value, side: list[Predicate]) -> bool:
    return any(_is_met(point, node, conditions) for node, conditions in side)


def _is_met(point: Value, node: Node | frozenset[Fraction] | None, conditions: list[Condition]) -> bool:
    if node is None:
        return all(holds(c, {_LETTER: point}) for c in conditions)
    return point in node if isinstance(node, frozenset) else same(point, value(node))


# definitions by cases -------------------------------------------------------------------------------------


def same_cases(given: Items, wanted: Items) -> Outcome:
    """ "n - 1 if n is even, n if n is odd": compared at integers, each side by the case that holds there."""
    if not any(i.conditions for i in (*given, *wanted)) or any(
        len(side) == 1 and side[0].conditions for side in (given, wanted)
    ):
        return _PASS
    if any(len(i.values) != 1 or isinstance(i.values[0][1], (Group, Relation)) for i in (*given, *wanted)):
        return _PASS
    letters = {n for i in (*given, *wanted) for c in i.conditions for n in symbols_of(c)} - {IT}
    free = {n for i in (*given, *wanted) for n in symbols(i.values[0][1])}
    if len(letters) != 1 or not free <= letters or max(len(given), len(wanted)) < 2:
        return _PASS
    letter = letters.pop()
    compared = 0
    try:
        mine, theirs = ([c for i in side for c in i.conditions] for side in (given, wanted))
        for point in sample_points(mine or theirs, theirs or mine):
            at: dict[str, Value] = {letter: point}
            here, there = _case(given, at), _case(wanted, at)
            if here is None and there is None:
                continue
            if here is None or there is None:
                if any(_is_otherwise(i) for i in (*given, *wanted)):
                    continue  # "otherwise" may say more than the cases that can occur
                return False, f"only one side has a case for {letter} = {shown(point)}"
            if not same(value(here, at), value(there, at)):
                return False, f"they differ at {letter} = {shown(point)}"
            compared += 1
    except (Undefined, TooLarge, Unreadable) as error:
        return None, str(error)
    return (True, f"equal in each case, {compared} numbers compared") if compared > 9 else _PASS


def _is_otherwise(item: Item) -> bool:
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


# values of an integer parameter ---------------------------------------------------------------------------

_INNER, _OUTER = 12, 60


def same_family(given: Items, wanted: Items) -> Outcome:
    """ "pi/2 + k pi" and "(2k + 1) pi/2": each value of the one among the values of the other."""
    sides = [_enumerable(side) for side in (given, wanted)]
    if sides[0] is None or sides[1] is None or not any(i.conditions for i in (*given, *wanted)):
        return _PASS
    try:
        for one, other in ((sides[0], sides[1]), (sides[1], sides[0])):
            many = [v for f in other for v in f(_OUTER)]
            chosen = [v for f in one for v in f(_OUTER)[:_INNER]]
            if not chosen:
                return _PASS
            for few in chosen:
                if not any(_same_tuple(few, v) for v in many):
                    return False, f"{', '.join(map(shown, few))} belongs to one side only"
    except (Undefined, TooLarge, Unreadable) as error:
        return None, str(error)
    return True, "the same values for integer parameters"


def _enumerable(items: Items) -> list[Callable[[int], list[tuple[Value, ...]]]] | None:
    found: list[Callable[[int], list[tuple[Value, ...]]]] = []
    for item in items:
        nodes = [v for _, v in item.values]
        if len(nodes) == 1 and isinstance(nodes[0], Group) and nodes[0].open == "(":
            nodes = list(nodes[0].items)
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


__all__ = ["inside", "is_domain", "same_cases", "same_family", "same_region"]
