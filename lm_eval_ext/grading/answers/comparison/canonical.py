"""Each solution on its own: sets opened, signs and permutations written out, ranges of integers closed."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise, permutations, product

from lm_eval_ext.grading.answers.comparison.conditions import letters_of
from lm_eval_ext.grading.answers.comparison.expressions import identical
from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.semantics.conditions import IT
from lm_eval_ext.grading.answers.semantics.values import is_player
from lm_eval_ext.grading.answers.syntax.nodes import (
    ONE,
    Call,
    Condition,
    Group,
    Node,
    Number,
    Property,
    Relation,
    Symbol,
    children,
    number,
    substitute,
    walk,
    with_children,
)

Solutions = tuple[Solution, ...]
_NUMBERED = re.compile(r"(\w+)_(\d+)")
_LATEST_START = 5
_MAX_SIGNS = 4
_MAX_PERMUTED = 5
_MOST_INSTANCES = 24


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


def without_start(solutions: Solutions) -> Solutions:
    """Without "for n >= 2" behind the only formula for a_n: it says where n starts, and is no case."""
    if len(solutions) != 1 or not solutions[0].arguments:
        return solutions
    solution = solutions[0]
    kept = tuple(c for c in solution.conditions if not _is_start(c, solution.arguments))
    return (replace(solution, conditions=kept),)


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
    players = [v for s in other for _, v in s.values if is_player(v)]
    if len(solutions) != 1 or not solutions[0].conditions or len(players) != 2 or len(other) != 2:
        return solutions
    values = [v for _, v in solutions[0].values]
    if len(values) != 1 or values[0] not in players or players[0] == players[1]:
        return solutions
    loser = next(p for p in players if p != values[0])
    return (*solutions, Solution((("", loser),), (Property("otherwise", Symbol(IT)),)))


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


def _is_start(condition: Condition, arguments: tuple[str, ...]) -> bool:
    if not isinstance(condition, Relation) or condition.signs not in ((">=",), (">",)):
        return False
    letter, start = condition.terms
    if not isinstance(letter, Symbol) or letter.name not in arguments or letter.name not in "ijklmn":
        return False
    return isinstance(start, Number) and start.value.denominator == 1 and start.value <= _LATEST_START


def listed(solutions: Solutions, evaluator: Evaluator) -> Solutions:
    """1, 2, ..., m are all the integers from 1 to m."""
    dots, it = Symbol("..."), Symbol(IT)
    values = [s.values[0][1] for s in solutions if len(s.values) == 1 and not s.conditions]
    if len(values) != len(solutions) or values.count(dots) != 1:
        return solutions
    at = values.index(dots)
    before, after = values[:at], values[at + 1 :]
    if len(before) < 2 or len(after) > 1:
        return solutions
    if not all(identical(Call("add", (a, ONE)), b, evaluator).equal for a, b in pairwise(before)):
        return solutions
    between = Relation((before[0], it, *after), ("<=",) * (1 + len(after)))
    return (Solution((("", it),), (Property("integer", it), between)),)


def expanded(solutions: Solutions) -> Solutions:
    """Each solution on its own: sets opened, ± written out, permutations listed."""
    alone = len(solutions) == 1
    return tuple(
        single
        for solution in solutions
        for limited in _instances(_with_both_signs(solution))
        for element in _elements(limited, alone)
        for signed in _signed(element)
        for single in _reordered(signed)
    )


def _with_both_signs(solution: Solution) -> Solution:
    """x != +-5 is x != 5 and x != -5."""
    conditions: list[Condition] = []
    for condition in solution.conditions:
        last = condition.terms[-1] if isinstance(condition, Relation) else None
        if isinstance(condition, Relation) and condition.signs == ("!=",) and _is_plus_minus(last):
            assert isinstance(last, Call)
            for value in (last.args[0], Call("neg", last.args)):
                conditions.append(Relation((condition.terms[0], value), ("!=",)))
        else:
            conditions.append(condition)
    return replace(solution, conditions=tuple(conditions))


def _is_plus_minus(node: Node | None) -> bool:
    return isinstance(node, Call) and node.name == "pm" and len(node.args) == 1


def _instances(solution: Solution) -> list[Solution]:
    """The values for k in {0, 1, 2}, one by one."""
    for condition in solution.conditions:
        if isinstance(condition, Relation) and condition.signs == ("in",):
            letter, values = condition.terms
            listed = isinstance(values, Group) and values.open == "{" and len(values.items) <= _MOST_INSTANCES
            if listed and isinstance(letter, Symbol) and letter.name in solution.letters - {IT}:
                if any(v == letter for _, v in solution.values):
                    continue
                rest = tuple(c for c in solution.conditions if letter.name not in letters_of(c))
                return [
                    replace(
                        solution,
                        values=tuple((n, substitute(v, {letter.name: each})) for n, v in solution.values),
                        conditions=rest,
                    )
                    for each in children(values)
                ]
    return [solution]


def _elements(solution: Solution, alone: bool) -> list[Solution]:
    """x in {1, 2} is x = 1 or x = 2; one set of several values is several solutions."""
    if len(solution.values) != 1 or solution.order:
        return [solution]
    name, node = solution.values[0]
    if alone and isinstance(node, Group) and node.open == "{":
        return [
            Solution(((name, each),), solution.conditions, arguments=solution.arguments)
            for each in node.items
        ]
    if isinstance(node, Call) and node.name == "union":
        sets = [a for a in node.args if isinstance(a, Group) and a.open == "{"]
        if len(sets) == len(node.args):
            return [Solution(((name, each),), solution.conditions) for a in sets for each in a.items]
    return [solution]


def opened(solutions: Solutions, other: Solutions) -> Solutions:
    """[[1, 2], [3, 4]] beside (1, 2), (3, 4) lists them; beside another such it is one thing, a matrix."""
    values = [pair for s in solutions for pair in s.values]
    if len(values) != 1 or len(other) < 2:
        return solutions
    name, node = values[0]
    if not isinstance(node, Group) or node.open != "[" or not all(isinstance(i, Group) for i in node.items):
        return solutions
    return tuple(replace(solutions[0], values=((name, each),)) for each in node.items)


def _signed(solution: Solution) -> list[Solution]:
    """± written out: each on its own, but all together where there is a ∓ or one value has several names."""
    signs = {
        id(n): n.name
        for _, v in solution.values
        for n in walk(v)
        if isinstance(n, Call) and n.name in ("pm", "mp")
    }
    if not signs:
        return [solution]
    if len(signs) > _MAX_SIGNS:
        raise Unreadable("too many signs")
    together = "mp" in signs.values()
    found = []
    for choice in product((True, False), repeat=1 if together else len(signs)):
        upper = dict(zip(signs, choice * len(signs) if together else choice, strict=True))
        found.append(replace(solution, values=tuple((n, _with_sign(v, upper)) for n, v in solution.values)))
    return found


def _with_sign(node: Node, upper: dict[int, bool]) -> Node:
    if isinstance(node, Relation) or not children(node):
        return node
    new = tuple(_with_sign(child, upper) for child in children(node))
    if isinstance(node, Call) and node.name in ("pm", "mp"):
        return new[0] if upper[id(node)] == (node.name == "pm") else _negated(new[0])
    return with_children(node, new)


def _negated(node: Node) -> Node:
    """-(1, 2) is (-1, -2)."""
    if isinstance(node, Group):
        return replace(node, items=tuple(map(_negated, node.items)))
    return Call("neg", (node,))


def _reordered(solution: Solution) -> list[Solution]:
    """All permutations, or the cyclic ones, of a tuple announced so."""
    if not solution.order:
        return [solution]
    names, values = zip(*solution.values, strict=True)
    if len(values) == 1 and isinstance(values[0], Group):
        values = values[0].items
        names = ("",) * len(values)
    if len(values) > _MAX_PERMUTED:
        raise Unreadable("too many values to permute")
    if solution.order == "cyclic":
        orders = [values[i:] + values[:i] for i in range(len(values))]
    else:
        orders = list(permutations(values))
    return [Solution(tuple(zip(names, o, strict=True)), solution.conditions) for o in dict.fromkeys(orders)]
