"""Whether one solution equals another: its values one by one, with letters renamed where they are bound."""

from __future__ import annotations

from fractions import Fraction

from lm_eval_ext.grading.answers.comparison.expressions import identical, same_relation
from lm_eval_ext.grading.answers.comparison.outcome import Comparison
from lm_eval_ext.grading.answers.comparison.scalars import same_scalar
from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.numeric.evaluate import value
from lm_eval_ext.grading.answers.numeric.numbers import TooLarge, Undefined, is_less
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Group,
    Node,
    Relation,
    Symbol,
    differ,
    number,
    show,
    symbols,
    walk,
)


def same_value(given: Node, wanted: Node, nested: bool = False) -> Comparison:
    """Two values of any kind."""
    for node, other, swap in ((given, wanted, False), (wanted, given, True)):
        if isinstance(node, Call) and node.name == "equals":
            forms = [same_value(*((other, form) if swap else (form, other)), nested) for form in node.args]
            return next((f for f in forms if f[0] is False), next((f for f in forms if f[0]), forms[0]))
        if isinstance(node, Call) and node.name == "about":
            return _about(node, other, swap, nested)
    if isinstance(given, Group) and isinstance(wanted, Group):
        return _same_group(given, wanted, nested)
    if isinstance(given, Relation) and isinstance(wanted, Relation):
        return same_relation(given, wanted)
    if isinstance(given, Relation) or isinstance(wanted, Relation):
        return _against_equation(given, wanted)
    if isinstance(given, Group) or isinstance(wanted, Group):
        return False, f"{show(given)[:60]} and {show(wanted)[:60]} are things of different kinds"
    return same_scalar(given, wanted)


def _about(node: Call, other: Node, swap: bool, nested: bool) -> Comparison:
    r"""\sqrt{2} \approx 1.41: the exact value counts, if the other is near."""
    exact, rough = node.args
    try:
        gap = value(Call("abs", (Call("add", (exact, Call("neg", (rough,)))),)))
        near = not is_less(value(Call("abs", (Call("mul", (number(Fraction(1, 50)), exact)),))), gap)
    except (Undefined, TooLarge, Unreadable) as error:
        return None, str(error)
    if not near:
        return False, f"{show(rough)[:60]} is not near {show(exact)[:60]}"
    return same_value(*((other, exact) if swap else (exact, other)), nested)


def _against_equation(given: Node, wanted: Node) -> Comparison:
    """ "AB : CD = 5/16" for 5/16: the value of what was asked for, or of an identity such as 4 + 5 = 9."""
    for equation, other, swap in ((given, wanted, False), (wanted, given, True)):
        if (
            isinstance(equation, Relation)
            and set(equation.signs) == {"="}
            and not isinstance(other, Relation)
        ):
            left, last = equation.terms[0], equation.terms[-1]
            if len({_spelling(t) for t in equation.terms}) == 1:
                return False, f"{show(equation)[:60]} says nothing"
            if _is_quantity(left) or (
                not isinstance(left, (Group, Symbol))
                and not isinstance(last, Group)
                and identical(left, last)[0]
            ):
                return same_value(other, last) if swap else same_value(last, other)
    return False, f"{show(given)[:60]} and {show(wanted)[:60]} are things of different kinds"


def _spelling(node: Node) -> str:
    """The same for 2 + 3 and 3 + 2, for 1 and 1.0: forms that are no two forms of a value."""
    if isinstance(node, Call) and node.name in ("add", "mul"):
        return f"{node.name} {sorted(map(_spelling, node.args))}"
    return show(node)


def _is_quantity(node: Node) -> bool:
    """What was asked for: AB/CD, an angle, S(5), a sum over a sequence; no expression in unknowns."""
    if isinstance(node, Group):
        return False
    if any((isinstance(n, Call) and n.name == "apply") or n == Symbol("...") for n in walk(node)):
        return True
    letters = symbols(node)
    return bool(letters) and all(n[0].isupper() or n[0] == "∠" for n in letters)


def _same_group(given: Group, wanted: Group, nested: bool) -> Comparison:
    if len(given.items) != len(wanted.items):
        return False, differ(
            given, wanted, f": {len(given.items)} elements, the gold has {len(wanted.items)}"
        )
    if wanted.open == "{":
        return _same_multiset(given.items, wanted.items)
    if (given.open, given.close) != (wanted.open, wanted.close):
        lists = {given.open, wanted.open} <= {"(", "["} and {given.close, wanted.close} <= {")", "]"}
        rows = len(wanted.items) > 2 or all(isinstance(i, Group) for i in wanted.items)
        if not lists or not (nested or rows):
            return False, differ(given, wanted, " in their brackets")
    outcomes = [same_value(a, g, nested=True) for a, g in zip(given.items, wanted.items, strict=True)]
    return next((o for o in outcomes if not o[0]), (True, "element by element"))


def _same_multiset(given: tuple[Node, ...], wanted: tuple[Node, ...]) -> Comparison:
    left = list(given)
    missing: list[Node] = []
    for node in wanted:
        match = next((i for i, other in enumerate(left) if same_value(other, node, nested=True)[0]), None)
        if match is None:
            missing.append(node)
        else:
            left.pop(match)
    if missing:
        return False, differ(left[0], missing[0])
    return True, "the same elements"
