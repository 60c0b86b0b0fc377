"""One solution against one of the gold: unknowns by name or in order, bound letters renamed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import permutations

from lm_eval_ext.grading.answers.comparison.domains import same_ranges
from lm_eval_ext.grading.answers.comparison.expressions import same_relation
from lm_eval_ext.grading.answers.comparison.outcome import Comparison
from lm_eval_ext.grading.answers.comparison.values import same_value
from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.numeric.evaluate import value
from lm_eval_ext.grading.answers.numeric.numbers import TooLarge, Undefined, is_real
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.semantics.conditions import declared
from lm_eval_ext.grading.answers.syntax.nodes import (
    Group,
    Node,
    Relation,
    Symbol,
    show,
    substitute,
    symbols,
    tuple_items,
    without_unit,
)

_MAX_BOUND = 3


def same_item(given: Solution, wanted: Solution) -> Comparison:
    """One solution against one of the gold: by the names of the unknowns, or in their order."""
    pairs = _paired(given, wanted)
    if pairs is None:
        return False, f"the unknowns are {_names(given)}, in the gold {_names(wanted)}"
    outcome: Comparison = (False, "different")
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


def _as_equations(given: Solution, wanted: Solution) -> tuple[Relation, Relation] | None:
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
    return Relation((Symbol(name), node), ("=",)) if name and not isinstance(node, Group) else None


def may_be_equal(given: Solution, wanted: Solution) -> bool:
    """False where both are numbers, or tuples of such, that are far apart: a cheap first look."""
    mine, theirs = _rough(given), _rough(wanted)
    if mine is None or theirs is None or len(mine) != len(theirs) or {n for n, _ in given.values} - {""}:
        return True
    return all(abs(a - b) <= _NEAR * max(1.0, abs(a), abs(b)) for a, b in zip(mine, theirs, strict=True))


_NEAR = 0.02
"""More than any rounding that is accepted."""


@lru_cache(maxsize=4096)
def _rough(item: Solution) -> tuple[float, ...] | None:
    nodes = [v for _, v in item.values]
    if len(nodes) == 1 and isinstance(nodes[0], Group):
        nodes = list(tuple_items(nodes[0]))
    if not nodes or any(isinstance(n, (Group, Relation)) or symbols(n) or without_unit(n)[1] for n in nodes):
        return None
    try:
        found = [value(n) for n in nodes]
        rough = tuple(float(v) if is_real(v) else abs(complex(v)) for v in found)
        return rough if all(map(math.isfinite, rough)) else None
    except (TooLarge, Undefined, Unreadable, OverflowError, TypeError):
        return None


def show_item(item: Solution) -> str:
    return ", ".join((f"{n} = " if n else "") + show(v)[:60] for n, v in item.values)


def _names(item: Solution) -> str:
    return ", ".join(n or "without a name" for n, _ in item.values)


def _paired(given: Solution, wanted: Solution) -> list[tuple[Node, Node]] | None:
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


def _are_apart(given: Solution, wanted: Solution) -> bool:
    """Names that cannot mean the same: a minimum and a maximum, f(2) and f(3)."""
    if len(given.values) != 1 or len(wanted.values) != 1:
        return False
    mine, theirs = given.values[0][0], wanted.values[0][0]
    fixed = any("(" in n or n in ("minimum", "maximum") for n in (mine, theirs))
    return bool(mine and theirs) and mine != theirs and fixed


def _opened(node: Node) -> list[Node]:
    return list(tuple_items(node)) or [node]


def _renamings(
    given: Solution, wanted: Solution, pairs: list[tuple[Node, Node]]
) -> Iterator[dict[str, Node]]:
    """Ways to name the bound letters as the gold does: arguments in order, parameters anyhow."""
    arguments = dict(zip(given.arguments, wanted.arguments, strict=False))
    fixed: dict[str, Node] = {a: Symbol(g) for a, g in arguments.items()}
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
        yield {**fixed, **{a: Symbol(g) for a, g in zip(free, order, strict=True)}}


def _all_values(pairs: list[tuple[Node, Node]]) -> Comparison:
    unknown: Comparison | None = None
    reason = "the same"
    for given, wanted in pairs:
        equal, reason = same_value(given, wanted)
        if equal is False:
            return False, reason
        if equal is None:
            unknown = unknown or (None, reason)
    return unknown or (True, reason)
