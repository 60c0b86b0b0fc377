"""Closed expressions modulo a prime: how numbers too large to be built are compared."""

from __future__ import annotations

import math

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.numeric.evaluate import value
from lm_eval_ext.grading.answers.numeric.numbers import (
    Undefined,
    whole,
)
from lm_eval_ext.grading.answers.syntax.nodes import Call, Node, Number


def residue(node: Node, prime: int) -> int:
    """A closed rational expression modulo a prime; powers of any size are no trouble.

    Raises Unreadable for what is not rational, Undefined for a division by zero.
    """
    if isinstance(node, Number):
        return node.value.numerator * pow(node.value.denominator, -1, prime) % prime
    if not isinstance(node, Call):
        raise Unreadable("no residue")
    if node.name == "pow":
        exponent = value(node.args[1])
        base = residue(node.args[0], prime)
        if base == 0:
            raise Undefined("a power of zero")
        return pow(base, whole(exponent) % (prime - 1), prime)
    below = [residue(arg, prime) for arg in node.args]
    if node.name == "add":
        return sum(below) % prime
    if node.name == "neg":
        return -below[0] % prime
    if node.name == "mul":
        return math.prod(below) % prime
    if node.name == "div" and below[1]:
        return below[0] * pow(below[1], -1, prime) % prime
    raise Unreadable(f"no residue of {node.name}")
