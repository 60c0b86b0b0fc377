"""Which unknowns an equation gives values to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.semantics.conditions import IT
from lm_eval_ext.grading.answers.syntax.functions import with_index
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Condition,
    Group,
    Node,
    Property,
    Relation,
    Symbol,
    show,
    symbols,
)


def values_of(item: Solution) -> list[Node]:
    return [value for _, value in item.values]


def bind(names: tuple[str, ...], value: Node) -> tuple[tuple[str, Node], ...]:
    if len(names) == 1:
        return ((names[0], value),)
    if isinstance(value, Group) and len(value.items) == len(names):
        return tuple(zip(names, value.items, strict=True))
    raise Unreadable("as many names as values, please")


def names_of(node: Node) -> tuple[str, ...]:
    if isinstance(node, Symbol):
        return (node.name,)
    if isinstance(node, Group) and all(isinstance(i, Symbol) for i in node.items):
        return tuple(i.name for i in node.items if isinstance(i, Symbol))
    return ("",)


def named(node: Relation) -> tuple[tuple[tuple[str, Node], ...], tuple[str, ...]] | None:
    """(name, value) pairs and the arguments of a chain of equalities, None if no side is a name."""
    if set(node.signs) != {"="}:
        return None
    *left, value = node.terms
    first = _sequence(left[0], value)
    if isinstance(first, Group) and first.open == "(" and all(isinstance(i, Symbol) for i in first.items):
        if isinstance(value, Group) and len(value.items) == len(first.items):
            return bind(names_of(first), value), ()
        return None
    if isinstance(first, Call) and first.name == "apply":
        if isinstance(extreme := first.args[-1], Symbol) and extreme.name in english.LABELS:
            return ((english.LABELS[extreme.name], _chained([*left[1:], value])),), ()
        if all(isinstance(a, Symbol) for a in first.args):
            return _functions([first, *left[1:]], value)
        return ((_spelled(first), _chained([*left[1:], value])),), ()
    if not isinstance(first, Symbol):
        return None
    names = [first.name]
    rest = [*left[1:], value]
    while len(rest) > 1 and (name := _name(rest[0])):
        names.append(name)
        rest.pop(0)
    return tuple((n, _chained(rest)) for n in names), ()


def _functions(left: list[Node], value: Node) -> tuple[tuple[tuple[str, Node], ...], tuple[str, ...]]:
    """f(x) = g(x) = x gives both; what stands between the last of them and the value are forms of it."""
    names: list[str] = []
    arguments: tuple[str, ...] = ()
    while (
        left
        and isinstance(f := left[0], Call)
        and f.name == "apply"
        and all(isinstance(a, Symbol) for a in f.args)
    ):
        name, *variables = (a.name for a in f.args if isinstance(a, Symbol))
        if names and tuple(variables) != arguments:
            break
        names.append(name)
        arguments = tuple(variables)
        left = left[1:]
    for constant in set(arguments) & {"i", "e"}:
        value = with_index(value, constant)
    return tuple((n, _chained([*left, value])) for n in names), arguments


def unordered_unknowns(node: Relation) -> Node | None:
    """The unordered values of {p, q} = {3, 5}."""
    if node.signs != ("=",):
        return None
    left, right = node.terms
    if not isinstance(left, Group) or not isinstance(right, Group) or left.open != "{" or right.open != "{":
        return None
    unknown = all(isinstance(i, Symbol) for i in left.items) and len(left.items) == len(right.items) > 1
    return right if unknown else None


def _name(node: Node) -> str:
    """ "x" of x, "a(n)" of a_n in "a_1 = ... = a_n = 0"; empty for what is no name."""
    if isinstance(node, Symbol):
        return node.name
    applied = (
        isinstance(node, Call) and node.name == "apply" and all(isinstance(a, Symbol) for a in node.args)
    )
    return _spelled(node) if applied and isinstance(node, Call) else ""


def _sequence(node: Node, value: Node) -> Node:
    """Cn = 2n + 1 gives the terms of a sequence, not a product: its n comes back on the other side."""
    if isinstance(node, Call) and node.name == "mul" and len(node.args) == 2:
        name, index = node.args
        if (
            isinstance(name, Symbol)
            and isinstance(index, Symbol)
            and index.name in "nk"
            and index.name in symbols(value)
        ):
            return Call("apply", node.args)
    return node


def _spelled(node: Call) -> str:
    """A name for f(5) or ab: a value of something."""
    name, *arguments = node.args
    return f"{show(name)}({', '.join(map(show, arguments))})"


def _chained(values: Sequence[Node]) -> Node:
    """K = a = b: two forms of one value."""
    return values[0] if len(values) == 1 else Call("equals", tuple(values))


def about(condition: Condition, subject: Node) -> Condition:
    if isinstance(condition, Property) and condition.subject == Symbol(IT):
        return replace(condition, subject=subject)
    return condition
