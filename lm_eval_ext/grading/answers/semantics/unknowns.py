"""The unknowns that an equation gives values to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.answers.semantics.conditions import IT
from lm_eval_ext.grading.answers.syntax.functions import with_index
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Condition,
    Group,
    Node,
    Property,
    Quantity,
    Relation,
    Symbol,
    children,
    show,
    symbols,
    with_children,
    without_unit,
)

Names = tuple[str, ...]
NamedValues = tuple[tuple[str, Node], ...]


def bind(names: Names, value: Node) -> NamedValues:
    if len(names) == 1:
        return ((names[0], value),)
    if isinstance(value, Group) and len(value.items) == len(names):
        return tuple(zip(names, value.items, strict=True))
    raise Unreadable(f"{len(names)} names for another number of values")


def names_of(node: Node) -> Names:
    """The names in x or (x, y); ("",) for anything else, such as the interval (x, y]."""
    if isinstance(node, Group) and (node.open == "(") != (node.close == ")"):
        return ("",)
    nodes = node.items if isinstance(node, Group) else (node,)
    names = tuple(n.name for n in nodes if isinstance(n, Symbol))
    return names if len(names) == len(nodes) else ("",)


def solved(node: Relation) -> tuple[NamedValues, Names] | None:
    """(name, value) pairs and the arguments of a chain of equalities, None if no side is a name."""
    if set(node.signs) != {"="}:
        return None
    *left, value = node.terms
    first, *forms = _as_sequence(left[0], value), *left[1:], value
    if isinstance(first, Group):
        paired = isinstance(value, Group) and len(value.items) == len(first.items)
        named = first.open in "([" and names_of(first) != ("",) and is_list(value)
        return (bind(names_of(first), value), ()) if named and paired else None
    if isinstance(first, Call) and first.name == "apply":
        return _solved_application(first, forms)
    return _solved_letters(first, forms)


def _solved_letters(first: Node, forms: list[Node]) -> tuple[NamedValues, Names] | None:
    """x = y = 3 for two unknowns; min(a + b) = 5 for a minimum."""
    if isinstance(first, Call) and len(first.args) == 1 and first.name in english.LABELS:
        return ((english.LABELS[first.name], chained(forms)),), ()
    if not isinstance(first, Symbol):
        return None
    names = [first.name]
    while len(forms) > 1 and (name := _name(forms[0])):
        names.append(name)
        forms.pop(0)
    return tuple((n, chained(forms)) for n in names), ()


def is_list(node: Node) -> bool:
    """Brackets of one kind: no interval that is open on one side."""
    return isinstance(node, Group) and (node.open, node.close) in (("(", ")"), ("[", "]"), ("{", "}"))


def _application(node: Node) -> Names:
    """("f", "x") of f(x); empty for anything but a function of letters."""
    if not isinstance(node, Call) or node.name != "apply":
        return ()
    names = tuple(a.name for a in node.args if isinstance(a, Symbol))
    return names if len(names) == len(node.args) else ()


def _solved_application(first: Call, forms: Sequence[Node]) -> tuple[NamedValues, Names]:
    """S_max = 5 gives a maximum, f(2) = 5 one value, and f(x) = g(x) = x both functions."""
    if isinstance(extreme := first.args[-1], Symbol) and extreme.name in english.LABELS:
        return ((english.LABELS[extreme.name], chained(forms)),), ()
    if not _application(first):
        return _solved_values(first, list(forms))
    left, value = [first, *forms[:-1]], forms[-1]
    names: list[str] = []
    arguments: Names = ()
    while left and (application := _application(left[0])):
        if names and application[1:] != arguments:
            break
        names.append(application[0])
        arguments = application[1:]
        left = left[1:]
    for constant in set(arguments) & {"i", "e"}:
        value = with_index(value, constant)
    value = _with_own_constants(value, names)
    return tuple((n, chained([*left, value])) for n in names), arguments


def _solved_values(first: Call, forms: list[Node]) -> tuple[NamedValues, Names]:
    """f(2) = f(3) = 5 gives two values."""
    names = [_spelled(first)]
    while len(forms) > 1 and isinstance(form := forms[0], Call) and form.name == "apply":
        names.append(_spelled(form))
        forms.pop(0)
    return tuple((name, chained(forms)) for name in names), ()


def _with_own_constants(node: Node, names: Sequence[str]) -> Node:
    """f(x) = f(1)x leaves open what f(1) is: a constant."""
    if isinstance(node, Call) and node.name == "apply" and node.args[0] in [Symbol(n) for n in names]:
        return node if symbols(node) - set(names) else Symbol(_spelled(node))
    below = children(node)
    return with_children(node, tuple(_with_own_constants(c, names) for c in below)) if below else node


def without_bars(node: Relation, alone: bool) -> Relation:
    """|x| = 3 as x = +-3; but |z| = 3 is a circle, and |A| = 3 alone the size of A."""
    first, last = node.terms[0], node.terms[-1]
    if node.signs != ("=",) or not isinstance(first, Call) or first.name != "abs" or symbols(last):
        return node
    (letter,) = first.args
    real = isinstance(letter, Symbol) and letter.name not in "zw" and not (alone and letter.name.isupper())
    return Relation((letter, Call("pm", (last,))), ("=",)) if real else node


def unordered_unknowns(node: Relation) -> Node | None:
    """The unordered values of {p, q} = {3, 5}."""
    left, right = node.terms[0], node.terms[-1]
    sets = isinstance(left, Group) and isinstance(right, Group) and left.open == right.open == "{"
    if node.signs != ("=",) or not sets:
        return None
    assert isinstance(left, Group) and isinstance(right, Group)
    unknown = names_of(left) != ("",) and len(left.items) == len(right.items) > 1
    return right if unknown else None


def _name(node: Node) -> str:
    """ "x" of x, "a(n)" of a_n in "a_1 = ... = a_n = 0"; empty if it is not a name."""
    if isinstance(node, Symbol):
        return node.name
    return _spelled(node) if isinstance(node, Call) and _application(node) else ""


def _as_sequence(node: Node, value: Node) -> Node:
    """Cn = 2n + 1 gives the terms of a sequence, not a product: its n comes back on the other side."""
    if isinstance(node, Call) and node.name == "mul" and len(node.args) == 2:
        name, index = node.args
        letters = isinstance(name, Symbol) and isinstance(index, Symbol)
        if letters and index in (Symbol("n"), Symbol("k")) and symbols(index) <= symbols(value):
            return Call("apply", node.args)
    return node


def _spelled(node: Call) -> str:
    """A name for f(5) or ab: a value of something."""
    name, *arguments = node.args
    return f"{show(name)}({', '.join(map(show, arguments))})"


def chained(values: Sequence[Node]) -> Node:
    """K = a = b: two forms of one value; s = ab = 6: a formula, and the value by it."""
    if not symbols(values[-1]):
        unit = without_unit(values[-1])[1]
        closed = [v for v in values if not symbols(v)]
        values = [v if without_unit(v)[1] or not unit else Quantity(v, unit) for v in closed]
    return values[0] if len(values) == 1 else Call("equals", tuple(values))


def about(condition: Condition, subject: Node) -> Condition:
    """The condition with `subject` in place of "it"."""
    if isinstance(condition, Property) and condition.subject == Symbol(IT):
        return replace(condition, subject=subject)
    return condition
