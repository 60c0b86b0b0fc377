"""Two numbers or formulas, with their units; ratios; decimals that round."""

from __future__ import annotations

import re
from fractions import Fraction

from lm_eval_ext.grading.answers.comparison.expressions import identical
from lm_eval_ext.grading.answers.comparison.outcome import Comparison
from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.numeric.evaluate import value
from lm_eval_ext.grading.answers.numeric.numbers import TooLarge, Undefined, same
from lm_eval_ext.grading.answers.syntax.nodes import Call, Node, Number, differ, show, symbols, without_unit


def same_scalar(given: Node, wanted: Node) -> Comparison:
    if _is_ratio(given) or _is_ratio(wanted):
        return _same_ratio(given, wanted)
    mine, my_unit = without_unit(given)
    theirs, their_unit = without_unit(wanted)
    if my_unit and their_unit and my_unit != their_unit:
        return (
            identical(given, wanted)
            if {my_unit, their_unit} <= {"%", "°"}
            else (False, differ(given, wanted))
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


def _same_ratio(given: Node, wanted: Node) -> Comparison:
    """a:b is a/b; a:b:c is any multiple of it."""
    mine, theirs = (n.args if isinstance(n, Call) and n.name == "ratio" else (n,) for n in (given, wanted))
    if len(mine) == 1 and len(theirs) == 2:
        return identical(mine[0], Call("div", theirs))
    if len(theirs) == 1 and len(mine) == 2:
        return identical(Call("div", mine), theirs[0])
    if len(mine) != len(theirs):
        return False, differ(given, wanted)
    outcomes = [
        identical(Call("mul", (a, theirs[0])), Call("mul", (g, mine[0])))
        for a, g in zip(mine[1:], theirs[1:], strict=True)
    ]
    return next((o for o in outcomes if not o[0]), (True, "the same ratio"))


def _rounds_to(given: Node, wanted: Node) -> bool:
    """A gold that is a decimal with two or more places, and an exact value that rounds to it: 3.14 and pi.

    Not the other way round, and not for decimals: 0.333 is not 1/3, and 3.142 is not 3.14.
    """
    sign = 1
    if isinstance(wanted, Call) and wanted.name == "neg" and isinstance(wanted.args[0], Number):
        sign, wanted = -1, wanted.args[0]
    if not isinstance(wanted, Number) or (wanted.places or 0) < 2 or symbols(given):
        return False
    try:
        exact = value(given)
        if isinstance(exact, Fraction) and _terminates(exact):
            return False
        step = Fraction(10) ** (wanted.places or 0)
        shifted = value(
            Call("floor", (Call("add", (Call("mul", (Number(step), given)), Number(Fraction(1, 2)))),))
        )
        return same(shifted, sign * wanted.value * step)
    except (TooLarge, Undefined, Unreadable):
        return False


def _terminates(number: Fraction) -> bool:
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1
