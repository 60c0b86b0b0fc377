"""What an answer is read into: small immutable trees, and the answer as a list of items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Number:
    """An exact number. `places` is the count of digits after the point as written, None without a point."""

    value: Fraction
    places: int | None = None


@dataclass(frozen=True, slots=True)
class Symbol:
    """A letter, perhaps with a subscript: "x", "a_1", "alpha"."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """An operation: "add", "mul", "pow", "sqrt", ..., or "apply" of an unknown function."""

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value with a unit: "cm", "m/s^2", "%", "°", "$", "base 7", or what is counted."""

    value: Node
    unit: str


@dataclass(frozen=True, slots=True)
class Group:
    """Brackets around several things, or a half-open pair: `(a, b)`, `[a, b)`, `{a, b}`."""

    open: str
    close: str
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """A chain `a < b = c`: one sign fewer than terms."""

    terms: tuple[Node, ...]
    signs: tuple[str, ...]


def tuple_items(node: Node) -> tuple[Node, ...]:
    """The entries of (a, b), or of [a, b, c], which with two would be an interval; else none."""
    if not isinstance(node, Group):
        return ()
    brackets = node.open, node.close
    return node.items if brackets == ("(", ")") or (brackets == ("[", "]") and len(node.items) > 2) else ()


Node: TypeAlias = Number | Symbol | Call | Quantity | Group | Relation

ONE = Number(Fraction(1))


def number(value: int | Fraction) -> Number:
    return Number(Fraction(value))


def literal(text: str) -> Number:
    """ "2", "0.50", "1/3" (a repeating decimal), "1e+6"."""
    if "/" in text:
        return Number(Fraction(text))
    places = len(text.partition(".")[2]) if "." in text and "e" not in text.lower() else None
    return Number(Fraction(text), places)


def times(left: Node, right: Node) -> Node:
    if isinstance(left, Call) and left.name == "mul":
        return Call("mul", (*left.args, right))
    return Call("mul", (left, right))


def without_unit(node: Node) -> tuple[Node, str]:
    r"""(node, unit), the unit empty where there is none: -5 cm, 2\sqrt{3} cm, 1 + \sqrt{3} cm are in cm."""
    if isinstance(node, Quantity):
        return node.value, node.unit
    if not isinstance(node, Call) or node.name not in ("neg", "mul", "div", "add"):
        return node, ""
    *before, last = node.args
    inside, unit = without_unit(last)
    if before and (unit in ("%", "°") or any(isinstance(n, Quantity) for b in before for n in walk(b))):
        return node, ""
    return (Call(node.name, (*before, inside)), unit) if unit else (node, "")


def children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Call):
        return node.args
    if isinstance(node, Group):
        return node.items
    if isinstance(node, Quantity):
        return (node.value,)
    return node.terms if isinstance(node, Relation) else ()


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, parents first."""
    todo = [node]
    while todo:
        here = todo.pop()
        yield here
        todo.extend(children(here))


def with_children(node: Node, new: tuple[Node, ...]) -> Node:
    if isinstance(node, Call):
        return Call(node.name, new)
    if isinstance(node, Group):
        return Group(node.open, node.close, new)
    if isinstance(node, Quantity):
        return Quantity(new[0], node.unit)
    return Relation(new, node.signs) if isinstance(node, Relation) else node


def substitute(node: Node, values: dict[str, Node]) -> Node:
    """`node` with symbols replaced, all at once."""
    if isinstance(node, Symbol):
        return values.get(node.name, node)
    below = children(node)
    return with_children(node, tuple(substitute(c, values) for c in below)) if below else node


BINDING = frozenset(["sum", "prod", "int", "antiderivative"])
"""Operations whose first argument is a letter that they bind."""


def symbols(node: Node) -> frozenset[str]:
    """Names of all symbols, but those bound by a sum, a product or a set-builder."""
    if isinstance(node, Symbol):
        return frozenset([node.name])
    found = frozenset[str]().union(*(symbols(c) for c in children(node)))
    if isinstance(node, Call) and node.name in BINDING and isinstance(node.args[0], Symbol):
        return found - {node.args[0].name}
    return found


def with_plain_indices(node: Node, depth: int) -> Node:
    """`node` with the letters that sums and integrals bind renamed by how deep they stand."""
    if isinstance(node, Call) and node.name in BINDING and isinstance(index := node.args[0], Symbol):
        plain = Symbol(f"#{depth}")
        inner = substitute(node.args[-1], {index.name: plain})
        limits = tuple(with_plain_indices(limit, depth) for limit in node.args[1:-1])
        return Call(node.name, (plain, *limits, with_plain_indices(inner, depth + 1)))
    below = children(node)
    if not below:
        return node
    new = tuple(with_plain_indices(c, depth) for c in below)
    return node if new == below else with_children(node, new)


def show(node: Node) -> str:
    """A short text for reasons."""
    if isinstance(node, Number):
        return str(node.value) if node.value.numerator.bit_length() < 2_000 else "a large number"
    if isinstance(node, Symbol):
        return node.name
    if isinstance(node, Quantity):
        return f"{show(node.value)} {node.unit}"
    if isinstance(node, Group):
        return f"{node.open}{', '.join(map(show, node.items))}{node.close}"
    if isinstance(node, Relation):
        return show(node.terms[0]) + "".join(
            f" {sign} {show(term)}" for sign, term in zip(node.signs, node.terms[1:], strict=True)
        )
    return _show_call(node)


def differ(left: Node, right: Node, why: str = "") -> str:
    """The reason of a difference, which names both sides."""
    return f"{show(left)[:60]} and {show(right)[:60]} differ{why}"


_INFIX = {"add": " + ", "mul": "*", "div": "/", "pow": "^"}


def _show_call(node: Call) -> str:
    if node.name in _INFIX:
        return "(" + _INFIX[node.name].join(map(show, node.args)) + ")"
    if node.name == "neg":
        return f"-{show(node.args[0])}"
    return f"{node.name}({', '.join(map(show, node.args))})"


@dataclass(frozen=True, slots=True)
class Property:
    """A property said in words: ("even", n), ("multiple", n, 4); `holds` is False for "not even"."""

    name: str
    subject: Node
    args: tuple[Node, ...] = ()
    holds: bool = True


Condition: TypeAlias = Relation | Property
