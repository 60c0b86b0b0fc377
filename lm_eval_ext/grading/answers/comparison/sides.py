"""One side in the form of the other: what a list, a chain or a decision says beside the other side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from lm_eval_ext.grading.answers.comparison.canonical import Solutions, letters_of_tuple
from lm_eval_ext.grading.answers.comparison.conditions import is_integral, letters_of
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.semantics.conditions import IT
from lm_eval_ext.grading.answers.semantics.values import decided
from lm_eval_ext.grading.answers.syntax.nodes import (
    Condition,
    Group,
    Node,
    Number,
    Property,
    Relation,
    Symbol,
    number,
    symbols,
    tuple_items,
)

_NUMBERED = re.compile(r"(\w+)_(\d+)")


def unnumbered(solutions: Solutions, other: Solutions) -> Solutions:
    """x_1 = 3, x_2 = 5 numbers the solutions of one unknown, where the other side lists values of one."""
    if len(solutions) != 1 or len(other) < 2 or any(len(s.values) > 1 for s in other):
        return solutions
    values = solutions[0].values
    if _are_extremes(dict(values)) and len(values) == len(other) == 2:
        return tuple(replace(solutions[0], values=(("", value),)) for _, value in values)
    names = {match[1] if (match := _NUMBERED.fullmatch(name)) else "" for name, _ in values}
    if len(values) < 2 or len(names) != 1 or "" in names:
        return solutions
    (name,) = names
    return tuple(replace(solutions[0], values=((name, value),)) for _, value in values)


def _are_extremes(named: dict[str, Node]) -> bool:
    """A maximum and a minimum, in numbers that can be such."""
    low, high = named.get("minimum"), named.get("maximum")
    return isinstance(low, Number) and isinstance(high, Number) and low.value <= high.value


def in_links(solutions: Solutions, other: Solutions) -> Solutions:
    """a | b | c beside a | b, b | c says two things."""
    if len(solutions) != 1 or len(other) < 2 or len(solutions[0].values) != 1 or solutions[0].conditions:
        return solutions
    node = solutions[0].values[0][1]
    if not isinstance(node, Relation) or len(node.signs) != len(other):
        return solutions
    pairs = zip(pairwise(node.terms), node.signs, strict=True)
    return tuple(Solution((("", Relation(terms, (sign,))),)) for terms, sign in pairs)


def with_loser(solutions: Solutions, other: Solutions) -> Solutions:
    """ "The first player wins iff n is odd" beside who wins in either case: else the other one does."""
    players = [v for s in other for _, v in s.values if decided(v)]
    if len(solutions) != 1 or not solutions[0].conditions or len(players) != 2 or len(other) != 2:
        return solutions
    values = [v for _, v in solutions[0].values]
    if len(values) != 1 or values[0] not in players or players[0] == players[1]:
        return solutions
    loser = next(p for p in players if p != values[0])
    return (*solutions, Solution((("", loser),), (Property("otherwise", Symbol(IT)),)))


def as_condition(solutions: Solutions, other: Solutions) -> Solutions:
    """ "It is possible if and only if n is even" beside "all even n": what its condition describes."""
    mine, theirs = ([decided(v) for s in side for _, v in s.values] for side in (solutions, other))
    if len(mine) != 1 or not mine[0] or not (mine == theirs or (mine == ["yes"] and not any(theirs))):
        return solutions
    letters = sorted({n for c in solutions[0].conditions for n in letters_of(c)})
    if len(letters) != 1:
        return solutions
    return (replace(solutions[0], values=(("", Symbol(letters[0])),)),)


def in_tuples(solutions: Solutions, other: Solutions) -> Solutions:
    """1, 7, 103 or 3, 5, 101 beside two triples lists the same."""
    starts = [i for i, s in enumerate(solutions) if i == 0 or not s.in_order]
    size = len(solutions) // max(len(starts), 1)
    if len(starts) < 2 or size < 2 or starts != [*range(0, len(solutions), size)]:
        return solutions
    if not all(map(_is_bare, solutions)) or {len(tuple_items(s.values[0][1])) for s in other} != {size}:
        return solutions
    values = [s.values[0][1] for s in solutions]
    return tuple(Solution((("", Group("(", ")", tuple(values[i : i + size]))),)) for i in starts)


def _is_bare(solution: Solution) -> bool:
    """Whether it is one value without a name and without conditions."""
    return len(solution.values) == 1 and not solution.values[0][0] and not solution.conditions


def with_parameters(solutions: Solutions, other: Solutions) -> Solutions:
    """x = y beside (x, y) = (t, t): its y is the parameter."""
    names = {name for s in other for name, _ in s.values}
    if len(names) < 2 or any(len(s.values) != len(names) for s in other):
        return solutions
    if not all(_is_solved_for_rest(s, names) for s in solutions):
        return solutions
    kind = "integer" if is_integral(c for s in other for c in s.conditions) else "real"
    return tuple(_with_rest(s, sorted(names - {s.values[0][0]}), kind) for s in solutions)


def _is_solved_for_rest(solution: Solution, names: set[str]) -> bool:
    """Whether it gives one of the unknowns by all the others."""
    (name, value), *more = solution.values
    return not more and not solution.arguments and name in names and symbols(value) == names - {name}


def _with_rest(solution: Solution, rest: Sequence[str], kind: str) -> Solution:
    values = (*solution.values, *((name, Symbol(name)) for name in rest))
    return replace(solution, values=values).limited(tuple(Property(kind, Symbol(name)) for name in rest))


def at_its_bound(solutions: Solutions, other: Solutions) -> Solutions:
    """The gold "at least 5" beside a value: what is asked for is the bound."""
    value, limits = solutions[0].values[0][1], solutions[0].conditions
    bounded = len(solutions) == len(limits) == 1 and value == Symbol(IT) and isinstance(limits[0], Property)
    if not bounded or len(other) != 1 or other[0].conditions:
        return solutions
    (limit,) = limits
    if not isinstance(limit, Property) or limit.name not in ("<=", ">=") or not limit.holds:
        return solutions
    return (Solution((("", limit.args[0]),)),)


def as_relations(solutions: Solutions, other: Solutions) -> Solutions:
    """(a, b, c) with a | b and b | c, beside "a | b and b | c": what the tuple says of its letters."""
    plain = all(isinstance(v, Relation) and not n and not s.conditions for s in other for n, v in s.values)
    if len(solutions) != 1 or not plain or not letters_of_tuple(solutions[0]):
        return solutions
    said = [c for c in solutions[0].conditions if isinstance(c, Relation)]
    if len(said) < len(solutions[0].conditions) or not said:
        return solutions
    return tuple(Solution((("", relation),)) for relation in said)


def without_zero(solutions: Solutions, other: Solutions) -> Solutions:
    """A density by one formula on its support: "0 otherwise" adds nothing to it."""
    if len(other) != 1 or not other[0].conditions or len(solutions) != 2:
        return solutions
    kept = tuple(
        s for s in solutions if len(s.values) != 1 or s.values[0][1] != number(0) or not s.conditions
    )
    bounded = len(kept) == 1 and kept[0].conditions and all(map(_is_bound, kept[0].conditions))
    return kept if bounded else solutions


def _is_bound(condition: Condition) -> bool:
    return isinstance(condition, Relation) and set(condition.signs) <= {"<", ">", "<=", ">="}


def opened(solutions: Solutions, other: Solutions) -> Solutions:
    """[[1, 2], [3, 4]] beside (1, 2), (3, 4) lists them; beside another such it is one thing, a matrix."""
    values = [pair for s in solutions for pair in s.values]
    if len(values) != 1 or len(other) < 2:
        return solutions
    name, node = values[0]
    if not isinstance(node, Group) or node.open != "[" or not all(isinstance(i, Group) for i in node.items):
        return solutions
    return tuple(replace(solutions[0], values=((name, each),)) for each in node.items)
