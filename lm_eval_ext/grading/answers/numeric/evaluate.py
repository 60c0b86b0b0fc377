"""The value of an expression: an exact fraction where there is one, else 60 digits, never a huge number.

Numbers of more than `MAX_BITS` bits are never built: `TooLarge` is raised before, and `Evaluator.residue`
compares such expressions modulo large primes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from functools import lru_cache
from typing import Any

from lm_eval_ext.grading.answers.errors import AnswerError, TooLarge, Undefined, Unreadable
from lm_eval_ext.grading.answers.limit import check
from lm_eval_ext.grading.answers.numeric.numbers import (
    DIGITS,
    MAX_DIGITS,
    SLACK,
    Value,
    as_real,
    bounded,
    compared,
    is_real,
    mp,
    whole,
)
from lm_eval_ext.grading.answers.numeric.operations import MAX_TERMS, OPERATIONS, ROUNDING, add, div, mul
from lm_eval_ext.grading.answers.numeric.quadrature import INTEGRAL_DIGITS, quadrature
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Node,
    Number,
    Quantity,
    Symbol,
    children,
    symbols,
    without_unit,
)

MAX_STEPS = 20_000
"""Operations evaluated for one comparison; each takes some microseconds."""
Point = Mapping[str, Value]
_NOWHERE: Point = {}


class Evaluator:
    """Evaluates expressions for one comparison, within its budget of operations.

    Every comparison has its own, so that comparisons may run in threads.
    """

    def __init__(self, max_steps: int = MAX_STEPS) -> None:
        self._steps = max_steps
        self._rounded = self._integrated = False
        self._approximations: dict[Node, float | None] = {}

    def value(self, node: Node, at: Point = _NOWHERE) -> Value:
        """A Fraction, an mpmath number, or infinity, with the symbols set to `at`. Raises AnswerError."""
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Symbol):
            if node.name not in at:
                raise Unreadable(f"{node.name} has no value")
            return at[node.name]
        if isinstance(node, Quantity):
            return _in_units(self.value(node.value, at), node.unit)
        if not isinstance(node, Call):
            raise Unreadable("brackets or relations have no value")
        operation = OPERATIONS.get(node.name)
        if operation is None:
            return self._special(node, at)
        self._steps -= 1
        check()
        if self._steps < 0:
            raise TooLarge
        try:
            result = bounded(operation(*[self.value(arg, at) for arg in node.args]))
        except (ZeroDivisionError, ValueError, OverflowError, TypeError) as error:
            raise Undefined(f"{node.name}: {error}") from None
        if node.name in ROUNDING and isinstance(result, Fraction):
            self._rounded = True
        return result

    def _special(self, node: Call, at: Point) -> Value:
        if node.name in ("sum", "prod"):
            return self._big(node, at)
        if node.name == "int":
            return self._integral(node, at)
        if node.name == "apply":
            return self._unknown(node, at)
        raise Unreadable(f"{node.name} has no value")

    def _big(self, node: Call, at: Point) -> Value:
        index, low, high, body = node.args
        assert isinstance(index, Symbol)
        first, last = whole(self.value(low, at)), self.value(high, at)
        if not isinstance(last, Fraction) and mp.isinf(last) and node.name == "sum":
            return self._series(index.name, first, body, at)
        last = whole(last)
        if last - first > MAX_TERMS:
            raise TooLarge
        terms = [self.value(body, {**at, index.name: Fraction(i)}) for i in range(first, last + 1)]
        return bounded(add(*terms) if node.name == "sum" else mul(*terms))

    def _series(self, index: str, first: int, body: Node, at: Point) -> Value:
        """An infinite sum whose terms become negligible soon."""
        total, small, at = Fraction(0), 0, {name: as_real(v) for name, v in at.items()}
        for i in range(first, first + _MOST_TERMS):
            term = self.value(body, {**at, index: Fraction(i)})
            total = add(total, term)
            negligible = abs(as_real(term)) <= mp.mpf(10) ** -(mp.dps + 2) * abs(as_real(total))
            small = small + 1 if negligible else 0
            if small == _LAST_TERMS:
                return as_real(total)
        raise Undefined("a sum that converges too slowly")

    def _integral(self, node: Call, at: Point) -> Value:
        """By double exponential quadrature, good to some 12 digits: see `INTEGRAL_DIGITS`."""
        variable, low, high, body = node.args
        assert isinstance(variable, Symbol)
        a, b = (as_real(self.value(limit, at)) for limit in (low, high))
        if any(isinstance(limit, mp.mpc) for limit in (a, b)) or a > b or (a == b and at):
            raise Undefined(
                "limits that are not in order, or an interval that shows nothing of the integrand"
            )
        self._integrated = True
        total = mp.mpf(0)
        for x, weight in quadrature(a, b):
            with suppress(TooLarge):  # far out, where the integrand vanishes
                total += weight * as_real(self.value(body, {**at, variable.name: x}))
            if self._steps < 0:
                raise TooLarge
        return total

    def _unknown(self, node: Call, at: Point) -> Value:
        """f(2) of an unknown f: some number that depends on nothing but f and 2."""
        if not isinstance(node.args[0], Symbol):
            raise Unreadable("a function that is no letter")
        key = [node.args[0].name]
        for arg in node.args[1:]:
            number = self.value(arg, at)
            key.append(str(hash(number)) if isinstance(number, Fraction) else mp.nstr(as_real(number), 30))
        seed = 0
        for letter in "\0".join(key):
            seed = (seed * 1_000_003 + ord(letter)) % (2**61 - 1)
        return Fraction(seed % 10_007, 97)

    def value_or_none(self, node: Node, at: Point = _NOWHERE) -> Value | None:
        with suppress(AnswerError):
            return self.value(node, at)
        return None

    def approximate(self, node: Node) -> float | None:
        """The value of a closed expression without a unit, of a complex one its absolute value."""
        if node not in self._approximations:
            self._approximations[node] = None if symbols(node) or without_unit(node)[1] else self._float(node)
        return self._approximations[node]

    def _float(self, node: Node) -> float | None:
        with suppress(AnswerError, OverflowError, TypeError):
            exact = self.value(node)
            found = float(exact) if is_real(exact) else abs(complex(exact))
            return found if math.isfinite(found) else None
        return None

    def equal_at(self, left: Node, right: Node, at: Point = _NOWHERE) -> bool:
        """Whether two expressions have the same value, with as many digits as it takes to tell.

        Raises Undefined where `MAX_DIGITS` digits cannot tell.
        """
        self._rounded = self._integrated = False
        a, b = self.value(left, at), self.value(right, at)
        if self._integrated:
            return _near(as_real(a), as_real(b))
        if isinstance(a, Fraction) and isinstance(b, Fraction) and (a != b or not self._rounded):
            return a == b
        needed = max(DIGITS, DIGITS - SLACK + max(_digits(left), _digits(right)))
        if needed > MAX_DIGITS:
            raise Undefined(f"{needed} digits would be needed")
        try:
            for digits in (DIGITS, 240, MAX_DIGITS):
                mp.dps = digits
                a, b = as_real(self.value(left, at)), as_real(self.value(right, at))
                if (equal := compared(a, b)) is not None and (not equal or digits >= needed):
                    return equal
            if max(abs(a), abs(b)) < mp.mpf(10) ** -1_000:  # zero, but for the rounding
                return True
        finally:
            mp.dps = DIGITS
        raise Undefined(f"{MAX_DIGITS} digits cannot tell")

    def residue(self, node: Node, prime: int) -> int:
        """A closed rational expression modulo a prime, with powers of any size.

        Raises Unreadable for what is not rational, Undefined for a division by zero.
        """
        if isinstance(node, Number):
            return node.value.numerator * pow(node.value.denominator, -1, prime) % prime
        if not isinstance(node, Call):
            raise Unreadable("no residue")
        if node.name == "pow":
            exponent, base = self.value(node.args[1]), self.residue(node.args[0], prime)
            if base == 0:
                raise Undefined("a power of zero")
            return pow(base, whole(exponent) % (prime - 1), prime)
        below = [self.residue(arg, prime) for arg in node.args]
        if node.name == "add":
            return sum(below) % prime
        if node.name == "neg":
            return -below[0] % prime
        if node.name == "mul":
            return math.prod(below) % prime
        if node.name == "div" and below[1]:
            return below[0] * pow(below[1], -1, prime) % prime
        raise Unreadable(f"no residue of {node.name}")


_LAST_TERMS, _MOST_TERMS = 3, 150


def _near(a: Any, b: Any) -> bool:
    """Whether two numbers of which one is an integral are equal. Raises Undefined where that is not clear."""
    gap, size = abs(a - b), max(abs(a), abs(b), mp.mpf(10) ** -6)
    if gap <= size * mp.mpf(10) ** -INTEGRAL_DIGITS:
        return True
    if gap > size / 1000:
        return False
    raise Undefined("an integral to few digits")


@lru_cache(maxsize=1024)
def _digits(node: Node) -> int:
    """How many digits a number in it adds: pi + 10^-50 needs 50 more than pi."""
    if isinstance(node, Number):
        return _decimals(node.value)
    below = max(map(_digits, children(node)), default=0)
    if isinstance(node, Call) and _may_be_near(node):
        return below + SLACK  # the sum of 1/k! up to 40 is e to 49 digits
    if isinstance(node, Call) and node.name in _EXPONENTIAL and not symbols(node):
        evaluator = Evaluator()
        with suppress(AnswerError):
            exponent = evaluator.value(node.args[-1])
            times = abs(int(exponent)) if isinstance(exponent, Fraction) else 1
            return max(
                below, _decimals(evaluator.value(node.args[0])) * times if node.name == "pow" else times
            )
    return below


def _may_be_near(node: Call) -> bool:
    """Whether it is a finite sum or a large number in few signs."""
    if node.name in ("sum", "prod"):
        return node.args[2] != Call("oo", ())
    return node.name in ("factorial", "binom") and not symbols(node)


_EXPONENTIAL = frozenset("pow exp sinh cosh tanh".split())


def _decimals(number: Value) -> int:
    """Digits of its numerator or its denominator, whichever are more."""
    if not isinstance(number, Fraction):
        return 1
    return max(number.numerator.bit_length(), number.denominator.bit_length()) * 3 // 10


def _in_units(amount: Value, unit: str) -> Value:
    """Of units with a value of their own: percent, degrees, a base."""
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
