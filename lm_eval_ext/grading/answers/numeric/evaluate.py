"""The value of an expression: an exact fraction where there is one, else 60 digits, never a huge number.

`value(node, at)` gives a Fraction, an mpmath number, or infinity. Numbers of more than `MAX_BITS` bits are
never built: `TooLarge` is raised before, and `residue` compares such expressions modulo large primes.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from functools import lru_cache

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.numeric.numbers import (
    DIGITS,
    TooLarge,
    Undefined,
    Value,
    as_real,
    bounded,
    compared,
    mp,
    whole,
)
from lm_eval_ext.grading.answers.numeric.operations import MAX_TERMS, OPERATIONS, SNAPPED, add, div, mul
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Group,
    Node,
    Number,
    Quantity,
    Relation,
    Symbol,
    children,
    symbols,
)


def value(node: Node, at: Mapping[str, Value] | None = None) -> Value:
    """The value with the symbols set to `at`. Raises TooLarge, Undefined, Unreadable."""
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Symbol):
        if at is None or node.name not in at:
            raise Unreadable(f"{node.name} has no value")
        return at[node.name]
    if isinstance(node, Quantity):
        return _united(value(node.value, at), node.unit)
    if not isinstance(node, Call):
        raise Unreadable("brackets or relations have no value")
    if node.name in ("sum", "prod"):
        return _big(node, at or {})
    if node.name == "apply":
        return _unknown(node, at or {})
    try:
        rule = OPERATIONS[node.name]
    except KeyError:
        raise Unreadable(f"{node.name} has no value") from None
    _spend()
    try:
        return bounded(rule(*[value(arg, at) for arg in node.args]))
    except (ZeroDivisionError, ValueError, OverflowError, TypeError) as error:
        raise Undefined(f"{node.name}: {error}") from None


_budget = 0


def allow(steps: int) -> None:
    """How many operations may be evaluated from here on, before `value` raises TooLarge."""
    global _budget
    _budget = steps


def _spend() -> None:
    global _budget
    _budget -= 1
    if _budget < 0:
        raise TooLarge


_MOST_DIGITS = 1_200


@lru_cache(maxsize=1024)
def _digits(node: Node) -> int:
    """How many digits a number in it adds: pi + 10^-50 needs 50 more than pi."""
    if isinstance(node, Number):
        return _decimals(node.value)
    below = max(map(_digits, children(node)), default=0)
    if isinstance(node, Call) and node.name in _EXPONENTIAL and not symbols(node):
        with suppress(Undefined, TooLarge, Unreadable):
            exponent = value(node.args[-1])
            times = abs(int(exponent)) if isinstance(exponent, Fraction) else 1
            return max(below, _decimals(value(node.args[0])) * times if node.name == "pow" else times)
    return below


_EXPONENTIAL = frozenset("pow exp sinh cosh tanh".split())


def _decimals(number: Value) -> int:
    """Digits of its numerator or its denominator, whichever are more."""
    if not isinstance(number, Fraction):
        return 1
    return max(number.numerator.bit_length(), number.denominator.bit_length()) * 3 // 10


def equal_at(left: Node, right: Node, at: Mapping[str, Value]) -> bool:
    """Whether two expressions have the same value, with as many digits as it takes to tell.

    Raises Undefined where 1,200 digits cannot tell.
    """
    SNAPPED.clear()
    a, b = value(left, at), value(right, at)
    if isinstance(a, Fraction) and isinstance(b, Fraction) and (a != b or not SNAPPED):
        return a == b
    needed = DIGITS + max(_digits(left), _digits(right))
    if needed > _MOST_DIGITS:
        raise Undefined(f"{needed} digits would be needed")
    try:
        for digits in (DIGITS, 240, _MOST_DIGITS):
            mp.dps = digits
            a, b = as_real(value(left, at)), as_real(value(right, at))
            if (verdict := compared(a, b)) is not None and (not verdict or digits >= needed):
                return verdict
        if max(abs(a), abs(b)) < mp.mpf(10) ** -1_000:  # zero, but for the rounding
            return True
    finally:
        mp.dps = DIGITS
    raise Undefined("1,200 digits cannot tell")


def _united(amount: Value, unit: str) -> Value:
    if unit == "%":
        return div(amount, Fraction(100))
    if unit.startswith("base "):
        return _in_base(str(whole(amount)), unit.removeprefix("base "))
    return mul(amount, mp.pi, Fraction(1, 180)) if unit == "°" else amount


def _in_base(digits: str, base: str) -> Fraction:
    if not base.isdigit() or not 2 <= int(base) <= 36 or len(digits) > 200:
        raise Undefined(f"no base: {base}")
    try:
        return Fraction(int(digits, int(base)))
    except ValueError:
        raise Undefined(f"{digits} has digits that base {base} has not") from None


def _big(node: Call, at: Mapping[str, Value]) -> Value:
    index, low, high, body = node.args
    assert isinstance(index, Symbol)
    first, last = whole(value(low, at)), whole(value(high, at))
    if last - first > MAX_TERMS:
        raise TooLarge
    terms = [value(body, {**at, index.name: Fraction(i)}) for i in range(first, last + 1)]
    return bounded(add(*terms) if node.name == "sum" else mul(*terms))


def _unknown(node: Call, at: Mapping[str, Value]) -> Value:
    """f(2) of an unknown f: some number that depends on nothing but f and 2."""
    if not isinstance(node.args[0], Symbol):
        raise Unreadable("a function that is no letter")
    key = [node.args[0].name]
    for arg in node.args[1:]:
        if not isinstance(arg, (Group, Relation)):
            number = value(arg, at)
            key.append(str(hash(number)) if isinstance(number, Fraction) else mp.nstr(as_real(number), 30))
        else:
            raise Unreadable("an unknown function of a pair")
    seed = 0
    for letter in "\0".join(key):
        seed = (seed * 1_000_003 + ord(letter)) % (2**61 - 1)
    return Fraction(seed % 10_007, 97)
