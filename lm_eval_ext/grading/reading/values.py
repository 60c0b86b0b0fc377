"""Whether one solution equals another: its values one by one, with letters renamed where they are bound."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import permutations

from lm_eval_ext.grading.reading.arithmetic import TooLarge, Undefined, is_real, same, value
from lm_eval_ext.grading.reading.conditions import declared
from lm_eval_ext.grading.reading.identity import identical, same_relation
from lm_eval_ext.grading.reading.ranges import same_ranges
from lm_eval_ext.grading.reading.tree import (
    Call,
    Group,
    Item,
    Node,
    Num,
    Relation,
    Sym,
    Unreadable,
    show,
    substitute,
    symbols,
)
from lm_eval_ext.grading.verdict import Outcome

_MAX_BOUND = 3


def same_item(given: Item, wanted: Item) -> Outcome:
    """One solution against one of the gold: by the names of the unknowns, or in their order."""
    pairs = _paired(given, wanted)
    if pairs is None:
        return False, f"the unknowns are {_names(given)}, in the gold {_names(wanted)}"
    outcome: Outcome = (False, "different")
    for renaming in _renamings(given, wanted, pairs):
        renamed = [(substitute(a, renaming), g) for a, g in pairs]
        outcome = _all_values(renamed)
        if outcome[0]:
            ranged = same_ranges(given, wanted, renaming)
            if ranged[0]:
                return outcome
            outcome = ranged
    if not outcome[0] and (equations := _as_equations(given, wanted)) is not None:
        return same_relation(*equations)
    return outcome


def _as_equations(given: Item, wanted: Item) -> tuple[Relation, Relation] | None:
    """ "n = 2m" and "m = n/2" are one equation, though they name different unknowns."""
    if len(given.values) != 1 or len(wanted.values) != 1 or given.arguments or wanted.arguments:
        return None
    (my_name, mine), (name, theirs) = given.values[0], wanted.values[0]
    if given.conditions != wanted.conditions or not symbols(mine) or not symbols(theirs):
        return None
    sides = [_equation(my_name, mine), _equation(name, theirs)]
    if None in sides or (my_name == name and my_name):
        return None
    if not any(isinstance(v, Relation) for v in (mine, theirs)) and not (my_name and name):
        return None
    return sides[0], sides[1]  # type: ignore[return-value]


def _equation(name: str, node: Node) -> Relation | None:
    """y = 2x + 3, or 2x - y + 3 = 0 as it is."""
    if isinstance(node, Relation):
        return node
    return Relation((Sym(name), node), ("=",)) if name and not isinstance(node, Group) else None


def may_be_equal(given: Item, wanted: Item) -> bool:
    """False where both are numbers, or tuples of such, that are far apart: a cheap first look."""
    mine, theirs = _rough(given), _rough(wanted)
    if mine is None or theirs is None or len(mine) != len(theirs) or {n for n, _ in given.values} - {""}:
        return True
    return all(abs(a - b) <= _NEAR * max(1.0, abs(a), abs(b)) for a, b in zip(mine, theirs, strict=True))


_NEAR = 0.02
"""More than any rounding that is accepted."""


@lru_cache(maxsize=4096)
def _rough(item: Item) -> tuple[float, ...] | None:
    nodes = [v for _, v in item.values]
    if len(nodes) == 1 and isinstance(nodes[0], Group):
        nodes = list(nodes[0].items) if nodes[0].open == "(" else []
    if not nodes or any(isinstance(n, (Group, Relation)) or symbols(n) for n in nodes):
        return None
    try:
        found = [value(_without_unit(n)[0]) for n in nodes]
        rough = tuple(float(v) if is_real(v) else abs(complex(v)) for v in found)
        return rough if all(map(math.isfinite, rough)) else None
    except (TooLarge, Undefined, Unreadable, OverflowError, TypeError):
        return None


def show_item(item: Item) -> str:
    return ", ".join((f"{n} = " if n else "") + show(v)[:60] for n, v in item.values)


def _names(item: Item) -> str:
    return ", ".join(n or "without a name" for n, _ in item.values)


def _paired(given: Item, wanted: Item) -> list[tuple[Node, Node]] | None:
    left, right = dict(given.values), dict(wanted.values)
    if len(left) == len(given.values) > 1 and set(left) == set(right):
        return [(left[name], right[name]) for name in right]
    if _are_apart(given, wanted):
        return None
    mine, theirs = [v for _, v in given.values], [v for _, v in wanted.values]
    if len(mine) == 1 < len(theirs):
        mine = _opened(mine[0])
    elif len(theirs) == 1 < len(mine):
        theirs = _opened(theirs[0])
    if len(mine) != len(theirs):
        return None
    return list(zip(mine, theirs, strict=True))


def _are_apart(given: Item, wanted: Item) -> bool:
    """Names that cannot mean the same: a minimum and a maximum, f(2) and f(3)."""
    if len(given.values) != 1 or len(wanted.values) != 1:
        return False
    mine, theirs = given.values[0][0], wanted.values[0][0]
    fixed = any("(" in n or n in ("minimum", "maximum") for n in (mine, theirs))
    return bool(mine and theirs) and mine != theirs and fixed


def _opened(node: Node) -> list[Node]:
    return list(node.items) if isinstance(node, Group) and node.open == "(" and node.close == ")" else [node]


def _renamings(given: Item, wanted: Item, pairs: list[tuple[Node, Node]]) -> Iterator[dict[str, Node]]:
    """Ways to name the bound letters as the gold does: arguments in order, parameters anyhow."""
    arguments = dict(zip(given.arguments, wanted.arguments, strict=False))
    fixed: dict[str, Node] = {a: Sym(g) for a, g in arguments.items()}
    mine = frozenset().union(*(symbols(a) for a, _ in pairs)) - set(given.arguments)
    theirs = frozenset().union(*(symbols(g) for _, g in pairs)) - set(wanted.arguments)
    yield fixed
    bound = declared(given.conditions) & mine if given.conditions else set[str]()
    free = sorted((mine - theirs) | bound)
    targets = sorted((theirs - mine) | (declared(wanted.conditions) & theirs))
    allowed = all(side.arguments or side.conditions for side in (given, wanted))
    if not allowed or not free or len(free) != len(targets) or len(free) > _MAX_BOUND:
        return
    for order in permutations(targets):
        yield {**fixed, **{a: Sym(g) for a, g in zip(free, order, strict=True)}}


def _all_values(pairs: list[tuple[Node, Node]]) -> Outcome:
    unknown: Outcome | None = None
    reason = "the same"
    for given, wanted in pairs:
        equal, reason = same_value(given, wanted)
        if equal is False:
            return False, reason
        if equal is None:
            unknown = unknown or (None, reason)
    return unknown or (True, reason)


def same_value(given: Node, wanted: Node, nested: bool = False) -> Outcome:
    """Two values of any kind."""
    for node, other, swap in ((given, wanted, False), (wanted, given, True)):
        if isinstance(node, Call) and node.name == "equals":
            forms = [same_value(*((other, form) if swap else (form, other)), nested) for form in node.args]
            return next((f for f in forms if f[0] is False), next((f for f in forms if f[0]), forms[0]))
    if isinstance(given, Group) and isinstance(wanted, Group):
        return _same_group(given, wanted, nested)
    if isinstance(given, Relation) and isinstance(wanted, Relation):
        return same_relation(given, wanted)
    if isinstance(given, Relation) or isinstance(wanted, Relation):
        return _against_equation(given, wanted)
    if isinstance(given, Group) or isinstance(wanted, Group):
        return False, f"{show(given)[:60]} and {show(wanted)[:60]} are things of different kinds"
    return _same_scalar(given, wanted)


def _against_equation(given: Node, wanted: Node) -> Outcome:
    """ "AB : CD = 5/16" for 5/16: the value of what was asked for, or of an identity such as 4 + 5 = 9."""
    for equation, other, swap in ((given, wanted, False), (wanted, given, True)):
        if (
            isinstance(equation, Relation)
            and set(equation.signs) == {"="}
            and not isinstance(other, Relation)
        ):
            left, last = equation.terms[0], equation.terms[-1]
            if _is_quantity(left) or (
                not isinstance(left, (Group, Sym))
                and not isinstance(last, Group)
                and identical(left, last)[0]
            ):
                return same_value(other, last) if swap else same_value(last, other)
    return False, f"{show(given)[:60]} and {show(wanted)[:60]} are things of different kinds"


def _is_quantity(node: Node) -> bool:
    """Made of points and given functions: AB/CD, an angle, S(5); not an expression in unknowns."""
    letters = symbols(node)
    return (
        bool(letters) and not isinstance(node, Group) and all(n[0].isupper() or n[0] == "∠" for n in letters)
    )


def _same_group(given: Group, wanted: Group, nested: bool) -> Outcome:
    if len(given.items) != len(wanted.items):
        return False, f"{len(given.items)} elements, the gold has {len(wanted.items)}"
    if wanted.open == "{":
        return _same_multiset(given.items, wanted.items)
    if (given.open, given.close) != (wanted.open, wanted.close):
        lists = (
            nested and {given.open, wanted.open} <= {"(", "["} and {given.close, wanted.close} <= {")", "]"}
        )
        if not lists and not (len(wanted.items) > 2 and {given.open, wanted.open} == {"(", "["}):
            return False, f"brackets {given.open}{given.close} and {wanted.open}{wanted.close}"
    outcomes = [same_value(a, g, nested=True) for a, g in zip(given.items, wanted.items, strict=True)]
    return next((o for o in outcomes if not o[0]), (True, "element by element"))


def _same_multiset(given: tuple[Node, ...], wanted: tuple[Node, ...]) -> Outcome:
    left = list(given)
    for node in wanted:
        match = next((i for i, other in enumerate(left) if same_value(other, node, nested=True)[0]), None)
        if match is None:
            return False, f"{show(node)[:60]} is missing"
        left.pop(match)
    return True, "the same elements"


def _same_scalar(given: Node, wanted: Node) -> Outcome:
    if _is_ratio(given) or _is_ratio(wanted):
        return _same_ratio(given, wanted)
    mine, my_unit = _without_unit(given)
    theirs, their_unit = _without_unit(wanted)
    if my_unit and their_unit and my_unit != their_unit:
        return (
            identical(given, wanted)
            if {my_unit, their_unit} <= {"%", "°"}
            else (False, f"{my_unit} and {their_unit}")
        )
    outcome = identical(mine, theirs)
    if not outcome[0] and bool(my_unit) != bool(their_unit) and _CONVERTED.match(my_unit + their_unit):
        converted = identical(given, wanted)
        outcome = converted if converted[0] else outcome
    if outcome[0] is False and _rounds_to(mine, theirs):
        return True, f"the gold is {show(theirs)}, rounded"
    return outcome


_CONVERTED = re.compile(r"%|°|base ")
"""Units with a value of their own: 60% is 3/5, 180° is pi, 101_2 is 5."""


def _is_ratio(node: Node) -> bool:
    return isinstance(node, Call) and node.name == "ratio"


def _same_ratio(given: Node, wanted: Node) -> Outcome:
    """a:b is a/b; a:b:c is any multiple of it."""
    mine, theirs = (n.args if isinstance(n, Call) and n.name == "ratio" else (n,) for n in (given, wanted))
    if len(mine) == 1 and len(theirs) == 2:
        return identical(mine[0], Call("div", theirs))
    if len(theirs) == 1 and len(mine) == 2:
        return identical(Call("div", mine), theirs[0])
    if len(mine) != len(theirs):
        return False, "ratios of different lengths"
    outcomes = [
        identical(Call("mul", (a, theirs[0])), Call("mul", (g, mine[0])))
        for a, g in zip(mine[1:], theirs[1:], strict=True)
    ]
    return next((o for o in outcomes if not o[0]), (True, "the same ratio"))


def _without_unit(node: Node) -> tuple[Node, str]:
    if isinstance(node, Call) and node.name == "unit":
        assert isinstance(node.args[1], Sym)
        return node.args[0], node.args[1].name
    if isinstance(node, Call) and node.name == "neg":
        inside, unit = _without_unit(node.args[0])
        return Call("neg", (inside,)), unit
    return node, ""


def _rounds_to(given: Node, wanted: Node) -> bool:
    """A gold that is a decimal with two or more places, and an exact value that rounds to it: 3.14 and pi.

    Not the other way round, and not for decimals: 0.333 is not 1/3, and 3.142 is not 3.14.
    """
    sign = 1
    if isinstance(wanted, Call) and wanted.name == "neg" and isinstance(wanted.args[0], Num):
        sign, wanted = -1, wanted.args[0]
    if not isinstance(wanted, Num) or (wanted.places or 0) < 2 or symbols(given):
        return False
    try:
        exact = value(given)
        if isinstance(exact, Fraction) and _terminates(exact):
            return False
        step = Fraction(10) ** (wanted.places or 0)
        shifted = value(Call("floor", (Call("add", (Call("mul", (Num(step), given)), Num(Fraction(1, 2)))),)))
        return same(shifted, sign * wanted.value * step)
    except (TooLarge, Undefined, Unreadable):
        return False


def _terminates(number: Fraction) -> bool:
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1
