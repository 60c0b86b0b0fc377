r"""Sums and multiples of vectors and matrices, entry by entry: 2(1, 3) + (0, 1), 3\mathbf{i} - \mathbf{j}.

A vector in unit vectors is a `Call("vector", (x, y, z))`: how many entries it has, only the other side shows.
"""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Group,
    Node,
    Number,
    Symbol,
    children,
    number,
    times,
    tuple_items,
    walk,
    with_children,
)
from lm_eval_ext.grading.answers.syntax.parser import Parser

ZERO = number(0)


def unit_vector(parser: Parser, token: Token) -> Node:
    return Call("vector", tuple(number(int(token.text == axis)) for axis in "123"))


def combined(node: Node) -> Node:
    """`node` with its sums and multiples of vectors worked out."""
    if not any(map(_may_be_vector, walk(node))):
        return node
    return _combined(node)


def _may_be_vector(node: Node) -> bool:
    if isinstance(node, Call):
        return node.name == "vector" or (node.name == "apply" and len(node.args) > 2)
    return isinstance(node, Group)


def _combined(node: Node) -> Node:
    below = children(node)
    if not below or (isinstance(node, Call) and node.name == "vector"):
        return node
    new = with_children(node, tuple(map(_combined, below)))
    if not isinstance(new, Call):
        return new
    if new.name == "add":
        return _sum(new)
    if new.name == "neg" and is_vector(new.args[0]):
        return _scaled(number(-1), new.args[0])
    if new.name == "mul":
        return _multiple(Call("mul", tuple(map(_without_braces, new.args))))
    if new.name == "div" and is_vector(new.args[0]):
        return _scaled(Call("div", (number(1), new.args[1])), new.args[0])
    return new


def is_vector(node: Node) -> bool:
    """A tuple, a matrix, or a sum of unit vectors."""
    if isinstance(node, Call):
        return node.name == "vector"
    return len(tuple_items(node)) > 1 and node != Group("(", ")", ())


_SCALARS = frozenset("s t r u k c a b lambda mu alpha beta c_1 c_2 c_3".split())


def _as_multiple(node: Node, size: int) -> Node:
    """t(4, 5, 6) as a multiple of a vector, where it stands beside one of as many entries."""
    if not isinstance(node, Call) or node.name != "apply" or len(node.args) != size + 1:
        return node
    factor = node.args[0]
    is_scalar = isinstance(factor, Symbol) and factor.name in _SCALARS
    return _scaled(factor, Group("(", ")", node.args[1:])) if is_scalar else node


def _sum(node: Call) -> Node:
    sizes = {len(a.items) if isinstance(a, Group) else len(children(a)) - 1 for a in node.args}
    if len(sizes) == 1 and min(sizes) > 1:
        node = Call("add", tuple(_as_multiple(a, min(sizes)) for a in node.args))
    if not all(map(is_vector, node.args)):
        if all(isinstance(a, Group) or not is_vector(a) for a in node.args):
            return node
        return _imaginary(node)
    total = node.args[0]
    for term in node.args[1:]:
        if (added := _added(total, term)) is None:
            return node
        total = added
    return total


def _added(left: Node, right: Node) -> Node | None:
    mine, theirs = padded(left, right), padded(right, left)
    if mine is None or theirs is None or len(mine) != len(theirs):
        return None
    entries = [
        _added(a, b) if is_vector(a) and is_vector(b) else _plus(a, b)
        for a, b in zip(mine, theirs, strict=True)
    ]
    found = tuple(e for e in entries if e is not None)
    return _like(left if isinstance(left, Group) else right, found) if len(found) == len(mine) else None


def padded(node: Node, other: Node) -> Sequence[Node] | None:
    """The entries of `node`, as many as `other` has where `node` is written in unit vectors."""
    entries = children(node)
    if isinstance(node, Call) and isinstance(other, Group):
        size = len(other.items)
        return entries[:size] if size in (2, 3) and all(e == ZERO for e in entries[size:]) else None
    return entries


def _like(shape: Node, entries: tuple[Node, ...]) -> Node:
    return with_children(shape, entries)


def _plus(left: Node, right: Node) -> Node:
    if ZERO in (left, right):
        return right if left == ZERO else left
    return Call("add", (left, right))


def _without_braces(factor: Node) -> Node:
    r"""2\left\{x + 1\right\}: braces around a factor are no set."""
    single = isinstance(factor, Group) and factor.open == "{" and len(factor.items) == 1
    return children(factor)[0] if single else factor


def _multiple(node: Call) -> Node:
    vectors = [a for a in node.args if is_vector(a)]
    if len(vectors) != 1 or any(isinstance(a, Group) and a not in vectors for a in node.args):
        return node
    factors = [a for a in node.args if a is not vectors[0]]
    factor = factors[0] if len(factors) == 1 else Call("mul", tuple(factors))
    return _scaled(factor, vectors[0])


def _scaled(factor: Node, vector: Node) -> Node:
    return with_children(
        vector, tuple(_scaled(factor, e) if is_vector(e) else _times(factor, e) for e in children(vector))
    )


def _times(factor: Node, entry: Node) -> Node:
    if entry == ZERO or factor == ZERO:
        return ZERO
    if entry == number(1):
        return factor
    if isinstance(factor, Number) and isinstance(entry, Number):
        return number(factor.value * entry.value)
    return times(factor, entry)


def _imaginary(node: Call) -> Node:
    r"""3 + 4\mathbf{i}, which is no vector: a number and multiples of i."""
    terms: list[Node] = []
    for term in node.args:
        if isinstance(term, Call) and term.name == "vector":
            if any(e != ZERO for e in term.args[1:]):
                return node
            term = times(term.args[0], Call("i", ()))
        terms.append(term)
    return Call("add", tuple(terms))
