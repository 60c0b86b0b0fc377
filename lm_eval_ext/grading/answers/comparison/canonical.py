"""Each solution on its own: sets opened, signs and permutations written out, ranges of integers closed."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise, permutations, product

from lm_eval_ext.grading.answers.comparison.expressions import identical
from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.semantics.conditions import IT
from lm_eval_ext.grading.answers.syntax.nodes import (
    ONE,
    Call,
    Condition,
    Group,
    Node,
    Number,
    Property,
    Quantity,
    Relation,
    Symbol,
    children,
    walk,
    with_children,
)

_NUMBERED = re.compile(r"(\w+)_(\d+)")


def unnumbered(items: tuple[Solution, ...], other: tuple[Solution, ...]) -> tuple[Solution, ...]:
    """x_1 = 3, x_2 = 5 numbers the solutions of one unknown, where the other side lists values of one."""
    if len(items) != 1 or len(other) < 2 or any(len(i.values) > 1 for i in other):
        return items
    names = [_NUMBERED.fullmatch(n) for n, _ in items[0].values]
    if len(names) < 2 or len({n[1] if n else "" for n in names}) != 1 or not all(names):
        return items
    return tuple(
        replace(items[0], values=((n[1] if n else "", v),))
        for n, (_, v) in zip(names, items[0].values, strict=True)
    )


def without_start(items: tuple[Solution, ...]) -> tuple[Solution, ...]:
    """Without "for n >= 2" behind the only formula for a_n: it says where n starts, and is no case."""
    if len(items) != 1 or not items[0].arguments:
        return items
    kept = tuple(c for c in items[0].conditions if not _is_start(c, items[0].arguments))
    return (replace(items[0], conditions=kept),)


_LATEST_START = 5


def _is_start(condition: Condition, arguments: tuple[str, ...]) -> bool:
    if not isinstance(condition, Relation) or condition.signs not in ((">=",), (">",)):
        return False
    letter, start = condition.terms
    whole_number = isinstance(start, Number) and start.value.denominator == 1 and start.value <= _LATEST_START
    return (
        isinstance(letter, Symbol) and letter.name in arguments and letter.name in "ijklmn" and whole_number
    )


def listed(items: tuple[Solution, ...]) -> tuple[Solution, ...]:
    """1, 2, ..., m are all the integers from 1 to m."""
    values = [i.values[0][1] for i in items if len(i.values) == 1 and not i.conditions]
    dots = Symbol("...")
    if len(values) != len(items) or values.count(dots) != 1 or len(values) < 3:
        return items
    at = values.index(dots)
    before, after = values[:at], values[at + 1 :]
    steps = [identical(Call("add", (a, ONE)), b)[0] for a, b in pairwise(before)]
    if len(before) < 2 or len(after) > 1 or not all(steps):
        return items
    it = Symbol(IT)
    terms, signs = (before[0], it, *after), ("<=",) * (1 + len(after))
    return (Solution((("", it),), (Property("integer", it), Relation(terms, signs))),)


def expanded(items: tuple[Solution, ...]) -> tuple[Solution, ...]:
    """Each solution on its own: sets opened, ± written out, permutations listed."""
    found: list[Solution] = []
    opened = len(items) == 1
    for item in items:
        for each in _elements(item, opened):
            for signed in _signs(each):
                found += _reordered(signed)
    return tuple(found)


def _elements(item: Solution, alone: bool) -> list[Solution]:
    """x in {1, 2} is x = 1 or x = 2; one set of several values is several solutions."""
    if len(item.values) != 1 or item.order:
        return [item]
    name, node = item.values[0]
    if isinstance(node, Group) and node.open == "{" and alone:
        return [Solution(((name, each),), item.conditions, arguments=item.arguments) for each in node.items]
    if (
        isinstance(node, Call)
        and node.name == "union"
        and all(isinstance(a, Group) and a.open == "{" for a in node.args)
    ):
        return [
            Solution(((name, each),), item.conditions)
            for a in node.args
            if isinstance(a, Group)
            for each in a.items
        ]
    return [item]


def opened(items: tuple[Solution, ...], other: tuple[Solution, ...]) -> tuple[Solution, ...]:
    """[[1, 2], [3, 4]] beside (1, 2), (3, 4) lists them; beside another such it is one thing, a matrix."""
    nodes = [v for i in items for _, v in i.values]
    if len(nodes) != 1 or len(other) < 2 or not isinstance(node := nodes[0], Group) or node.open != "[":
        return items
    if not all(isinstance(each, Group) for each in node.items):
        return items
    return tuple(replace(items[0], values=((items[0].values[0][0], each),)) for each in node.items)


def _signs(item: Solution) -> list[Solution]:
    """± written out: each on its own, but all together where there is a ∓ or one value has several names."""
    found = {
        id(n): n for _, v in item.values for n in walk(v) if isinstance(n, Call) and n.name in ("pm", "mp")
    }
    if not found:
        return [item]
    if len(found) > _MAX_SIGNS:
        raise Unreadable("so many signs")
    together = any(n.name == "mp" for n in found.values())
    count = 1 if together else len(found)
    items = []
    for choice in product((True, False), repeat=count):
        upper = dict(zip(found, choice * len(found) if together else choice, strict=False))
        items.append(replace(item, values=tuple((n, _with_sign(v, upper)) for n, v in item.values)))
    return items


_MAX_SIGNS = 4


def _with_sign(node: Node, upper: dict[int, bool]) -> Node:
    if isinstance(node, Call):
        args = tuple(_with_sign(a, upper) for a in node.args)
        if node.name in ("pm", "mp"):
            return args[0] if upper[id(node)] == (node.name == "pm") else _negated(args[0])
        return Call(node.name, args)
    if isinstance(node, (Group, Quantity)):
        return with_children(node, tuple(_with_sign(i, upper) for i in children(node)))
    return node


def _negated(node: Node) -> Node:
    """-(1, 2) is (-1, -2)."""
    if isinstance(node, Group):
        return Group(node.open, node.close, tuple(_negated(i) for i in node.items))
    return Call("neg", (node,))


def _reordered(item: Solution) -> list[Solution]:
    """All permutations, or the cyclic ones, of a tuple so announced."""
    if not item.order:
        return [item]
    names, values = zip(*item.values, strict=True)
    if len(values) == 1 and isinstance(values[0], Group):
        values = values[0].items
        names = ("",) * len(values)
    if len(values) > 5:
        raise Unreadable("permutations of so many")
    orders = (
        [values[i:] + values[:i] for i in range(len(values))]
        if item.order == "cyclic"
        else list(permutations(values))
    )
    unique = list(dict.fromkeys(orders))
    return [Solution(tuple(zip(names, o, strict=True)), item.conditions) for o in unique]
