"""Sums, powers, roots, factorials, functions; each is bounded before it builds a number."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from typing import Any

from lm_eval_ext.grading.answers.errors import TooLarge, Undefined
from lm_eval_ext.grading.answers.numeric.numbers import (
    MAX_BITS,
    Value,
    as_real,
    bounded,
    is_less,
    mp,
    nearest,
    same,
    whole,
)

MAX_TERMS = 300
MAX_FACTORIAL = 3_000
_MAX_ARGUMENT = 10**6


def add(*terms: Value) -> Value:
    total: Value = Fraction(0)
    for term in terms:
        total = _mix(total, term, lambda a, b: a + b)
    return total


def mul(*factors: Value) -> Value:
    product: Value = Fraction(1)
    for factor in factors:
        product = _mix(product, factor, lambda a, b: a * b)
        bounded(product)
    return product


def _mix(a: Value, b: Value, operation: Callable[[Any, Any], Any]) -> Value:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return operation(a, b)
    return operation(as_real(a), as_real(b))


def div(a: Value, b: Value) -> Value:
    if not isinstance(b, Fraction) and same(b, Fraction(0)):
        raise ZeroDivisionError
    return _mix(a, b, lambda x, y: x / y)


def _pow(base: Value, exponent: Value) -> Value:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction):
        if exponent.denominator == 1:
            if base == 0 and exponent <= 0:
                raise ZeroDivisionError
            power = exponent.numerator
            bits = max(base.numerator.bit_length(), base.denominator.bit_length())
            if bits > 1 and abs(power) * (bits - 1) > MAX_BITS:
                raise TooLarge
            return base**power
        if base >= 0 and (root := _exact_root(base, exponent.denominator)) is not None:
            return _pow(root, Fraction(exponent.numerator))
    x, y = as_real(base), as_real(exponent)
    if x == 0:
        if y.real <= 0:
            raise ZeroDivisionError
        return Fraction(0)
    if abs(y * mp.log(abs(x))) > MAX_BITS:
        raise TooLarge
    return mp.power(x, y)


def _exact_root(base: Fraction, degree: int) -> Fraction | None:
    if degree > 64:
        return None
    top, bottom = integer_root(base.numerator, degree), integer_root(base.denominator, degree)
    return Fraction(top, bottom) if top is not None and bottom is not None else None


def integer_root(number: int, degree: int) -> int | None:
    if number < 2:
        return number
    guess = math.isqrt(number) if degree == 2 else _newton(number, degree)
    return guess if guess**degree == number else None


def _newton(number: int, degree: int) -> int:
    guess = 1 << -(-number.bit_length() // degree)
    while True:
        better = ((degree - 1) * guess + number // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better


def _root(base: Value, degree: Value = Fraction(2)) -> Value:
    n = whole(degree)
    if n < 1 or n > 1000:
        raise Undefined("a root of that degree")
    real = as_real(base)
    if n % 2 and not isinstance(real, mp.mpc) and real < 0:  # the cube root of -8 is -2
        return mul(Fraction(-1), _root(mul(Fraction(-1), base), degree))
    return _pow(base, Fraction(1, n))


def _factorial(number: Value) -> Value:
    if (n := _small(number)) < 0:
        raise Undefined("a factorial of a negative number")
    return Fraction(math.factorial(n))


def _double_factorial(number: Value) -> Value:
    return Fraction(math.prod(range(_small(number), 0, -2)))


def _small(number: Value) -> int:
    if (n := whole(number)) > MAX_FACTORIAL:
        raise TooLarge
    return n


def _binom(top: Value, bottom: Value) -> Value:
    n, k = whole(top), whole(bottom)
    if max(abs(n), abs(k)) > MAX_FACTORIAL:
        raise TooLarge
    if k < 0:
        return Fraction(0)
    return Fraction(math.comb(n, k)) if n >= 0 else Fraction((-1) ** k * math.comb(k - n - 1, k))


def _floor(number: Value) -> Value:
    if isinstance(number, Fraction):
        return Fraction(math.floor(number))
    real = as_real(number)
    if isinstance(real, mp.mpc):
        raise Undefined("the floor of a complex number")
    near = nearest(real)
    return near if same(real, near) else Fraction(int(mp.floor(real)))


def _ceil(number: Value) -> Value:
    return -_floor(mul(Fraction(-1), number))


def _mod(a: Value, b: Value) -> Value:
    return Fraction(whole(a) % whole(b))


def _abs(number: Value) -> Value:
    return abs(number) if isinstance(number, Fraction) else abs(as_real(number))


def _least(*values: Value) -> Value:
    return reduce(lambda best, other: other if is_less(other, best) else best, values)


def _greatest(*values: Value) -> Value:
    return reduce(lambda best, other: other if is_less(best, other) else best, values)


def _log(number: Value, base: Value | None = None) -> Value:
    exact = _exact_log(number, base) if isinstance(number, Fraction) and isinstance(base, Fraction) else None
    if exact is not None:
        return exact
    x = as_real(number)
    if x == 0:
        raise Undefined("the logarithm of zero")
    return mp.log(x) if base is None else div(mp.log(x), mp.log(as_real(base)))


def _exact_log(number: Fraction, base: Fraction) -> Fraction | None:
    if base <= 1 or number <= 0 or base.denominator != 1:
        return None
    power, count = Fraction(1), 0
    while power < number and count < 4 * MAX_TERMS:
        power, count = power * base, count + 1
    return Fraction(count) if power == number else None


def _function(name: str) -> Callable[[Value], Value]:
    function = getattr(mp, name)

    def evaluate(number: Value) -> Value:
        x = as_real(number)
        if abs(x) > _MAX_ARGUMENT:
            raise TooLarge
        if name in ("tan", "sec") and same(mp.cos(x), Fraction(0)):
            raise Undefined("a pole")
        return _rounded(function(x)) if name not in _VANISHING else function(x)

    return evaluate


def _rounded(number: Any) -> Value:
    """cos(pi/2) is 0 and sin(pi/6) is 1/2: so is a value that differs in the last ten digits only."""
    if isinstance(number, mp.mpf) and abs(number) < _MAX_ARGUMENT:
        near = mp.nint(2 * number)
        if abs(2 * number - near) < mp.mpf(10) ** (10 - mp.dps):
            return Fraction(int(near), 2)
    return number


_VANISHING = ("sinh", "cosh", "tanh", "coth", "sech", "csch", "erf", "erfc")
"""Functions that come as near to 0 or 1 as one likes without reaching it: sech(500) is not 0."""
ROUNDING = {
    **{name: name for name in ("sin", "cos", "tan", "cot", "sec", "csc")},
    **{"arcsin": "asin", "arccos": "acos", "arctan": "atan"},
}
"""Functions, with their names in mpmath, whose values may be rounded: cos(10^-30), to 60 digits, is 1."""
OPERATIONS: dict[str, Callable[..., Value]] = {
    "add": add, "mul": mul, "neg": lambda a: mul(Fraction(-1), a), "div": div, "pow": _pow,
    "sqrt": _root, "root": _root, "factorial": _factorial, "factorial2": _double_factorial,
    "binom": _binom, "floor": _floor, "ceil": _ceil, "mod": _mod, "abs": _abs, "min": _least,
    "max": _greatest, "log": _log, "gcd": lambda *a: Fraction(math.gcd(*map(whole, a))),
    "lcm": lambda *a: Fraction(math.lcm(*map(whole, a))), "exp": lambda a: mp.exp(as_real(a)),
    "pi": lambda: +mp.pi, "e": lambda: +mp.e, "i": lambda: mp.mpc(0, 1), "oo": lambda: mp.inf,
    "sgn": lambda a: Fraction((a > 0) - (a < 0)),
    **{name: _function(mpmath_name) for name, mpmath_name in ROUNDING.items()},
    **{name: _function(name) for name in _VANISHING},
}  # fmt: skip
