"""Sets of numbers: conditions, intervals, lists, compared number by number."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction

from lm_eval_ext.grading.answers.comparison.domains import (
    harmonised,
    is_integral,
    renamed,
    sample_points,
    shown,
)
from lm_eval_ext.grading.answers.comparison.outcome import Comparison
from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.numeric.evaluate import value
from lm_eval_ext.grading.answers.numeric.numbers import TooLarge, Undefined, Value, same
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
    Quantity,
    Relation,
    Symbol,
    symbols,
    walk,
)
from lm_eval_ext.grading.answers.syntax.sets import DOMAINS

Items = tuple[Solution, ...]
PASS: Comparison = (None, "not of this kind")
_LETTER = "x"


_ORDER = frozenset(["<", ">", "<=", ">="])


def same_region(given: Items, wanted: Items) -> Comparison:
    """Sets of numbers described by conditions, intervals or a list: compared number by number."""
    mine, theirs = _predicates(given, _is_described(wanted)), _predicates(wanted, _is_described(given))
    if (
        mine is None
        or theirs is None
        or not any(
            i.conditions or _is_union(i) or isinstance(i.values[0][1], Relation) for i in (*given, *wanted)
        )
    ):
        return PASS
    mine, theirs = _harmonised_sides(mine, theirs)
    if _letters(given) | _letters(wanted) <= _INTEGER_LETTERS and any(
        all(isinstance(n, Number) and n.value.denominator == 1 for n, _ in side) for side in (mine, theirs)
    ):  # n = 3, 4, 5 beside 3 <= n <= 5
        mine, theirs = (
            [(n, [*c, Property("integer", Symbol(_LETTER))]) for n, c in s] for s in (mine, theirs)
        )
    points = sample_points(_all_conditions(mine), _all_conditions(theirs))
    try:
        if any(isinstance(n, frozenset) for n, _ in (*mine, *theirs)):
            points = [p for p in points if isinstance(p, Fraction) and abs(p) <= _REACH]
        members = 0
        for point in points:
            belongs = _belongs(point, mine)
            if belongs != _belongs(point, theirs):
                return False, f"{shown(point)} belongs to the {'answer' if belongs else 'gold'} only"
            members += belongs
        if not members:
            return PASS  # nothing seen of either set
    except (Undefined, TooLarge, Unreadable) as error:
        return None, str(error)
    return True, f"the same numbers, compared at {len(points)} of them"


Predicate = tuple["Node | frozenset[Fraction] | None", list[Condition]]
"""A single value, the conditions on the letter x (None), or the values of an integer parameter."""


def _has_unknown_function(node: Node) -> bool:
    return any(isinstance(n, Call) and n.name == "apply" for n in walk(node))


def _is_described(items: Items) -> bool:
    """Whether it says which numbers: "all powers of 2", "n even"."""
    return all(i.conditions and isinstance(v, Symbol) for i in items for _, v in i.values)


def _predicates(items: Items, beside_description: bool) -> list[Predicate] | None:
    """Each item as a predicate on x; None if one is no set of numbers."""
    found: list[Predicate] = []
    if _has_cases(items):
        return None
    beside_description &= len(items) == 1
    for item in items:
        if len(item.values) != 1 or item.arguments:
            return None
        node = item.values[0][1]
        if isinstance(node, Symbol) and item.conditions:
            conditions = [
                renamed(c, {node.name: Symbol(_LETTER), IT: Symbol(_LETTER)}) for c in item.conditions
            ]
            if (
                any(symbols_of(c) - {_LETTER} for c in conditions)
                or Property("otherwise", Symbol(_LETTER)) in conditions
            ):
                return None
            if any(_is_implicit(c) for c in conditions):
                return None
            found.append((None, conditions))
        elif (
            _is_region(node, alone=len(items) == 1) and not item.conditions and not symbols(node) - DOMAINS
        ) or (isinstance(node, Symbol) and node.name in DOMAINS and not item.conditions):
            found.append((None, [Relation((Symbol(_LETTER), node), ("in",))]))
        elif (
            isinstance(node, Relation)
            and not _has_unknown_function(node)
            and len(letters := symbols(node)) == 1
            and set(node.signs) <= _ORDER
        ):
            found.append((None, [renamed(node, {next(iter(letters)): Symbol(_LETTER)})]))
        elif not item.conditions and not symbols(node) and not isinstance(node, (Group, Relation)):
            found.append((node, []))
        elif (values := _parametric(item, beside_description)) is not None:
            found.append((values, [Property("integer", Symbol(_LETTER))]))
        else:
            return None
    return found


def _is_implicit(condition: Condition) -> bool:
    """x^2 = 4: which numbers solve it, the sample points do not show."""
    if not isinstance(condition, Relation) or not {"=", "!="} & set(condition.signs):
        return False
    return not any(t == Symbol(_LETTER) for t in condition.terms)


def _letters(items: Items) -> frozenset[str]:
    """The names of the unknown, where it has one."""
    named = {n for i in items for n, _ in i.values} | {
        v.name for i in items for _, v in i.values if isinstance(v, Symbol)
    }
    return frozenset(named - {"", IT})


def _has_cases(items: Items) -> bool:
    """ "n if n is even, n - 1 if n is odd" are the cases of one function, not a set of numbers."""
    described = {v.name for i in items for _, v in i.values if isinstance(v, Symbol)}
    return any(described & symbols(v) for i in items for _, v in i.values if not isinstance(v, Symbol))


def _parametric(item: Solution, beside_description: bool) -> frozenset[Fraction] | None:
    """The values of "4k + 3" or "2^k (k >= 0)" for an integer k: those that the sample points can meet."""
    node = item.values[0][1]
    letters = symbols(node)
    if (
        len(letters) != 1
        or not (item.values[0][0] or (beside_description and item.conditions))
        or isinstance(node, (Symbol, Group, Relation))
    ):
        return None  # without a name it is a formula in that letter, not a set
    letter = next(iter(letters))
    said = [c for c in item.conditions if letter in declared([c])]
    integral = is_integral(said) or (letter in _INTEGER_LETTERS and all(map(_is_bound, said)))
    if len(said) != len(item.conditions) or not integral:
        return None
    values: set[Fraction] = set()
    for k in range(-_REACH, _REACH + 1):
        with suppress(Undefined, TooLarge):
            at: dict[str, Value] = {letter: Fraction(k)}
            if all(holds(c, at) for c in said):
                values.add(value(node, at))
    return frozenset(values) if all(isinstance(v, Fraction) for v in values) else None


def _is_bound(condition: Condition) -> bool:
    """k >= 0, k positive: no word of what kind of number k is."""
    if isinstance(condition, Property):
        return condition.name not in ("real", "rational", "complex", "irrational")
    return "in" not in condition.signs and "notin" not in condition.signs


_REACH = 700


_INTEGER_LETTERS = frozenset("ijklmnst")


def _all_conditions(side: list[Predicate]) -> list[Condition]:
    """The conditions of a side; a value counts as one."""
    found: list[Condition] = [c for _, conditions in side for c in conditions]
    values = [n for n, _ in side if isinstance(n, (Number, Call, Quantity))]
    return found + [Relation((Symbol(_LETTER), n), ("=",)) for n in values]


def symbols_of(condition: Condition) -> frozenset[str]:
    nodes = (condition.subject, *condition.args) if isinstance(condition, Property) else condition.terms
    found = frozenset[str]().union(*(symbols(n) for n in nodes))
    if (
        isinstance(condition, Relation)
        and condition.signs[-1] in ("in", "notin")
        and isinstance(condition.terms[-1], Symbol)
    ):
        found -= {condition.terms[-1].name}
    return found


def _is_union(item: Solution) -> bool:
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
