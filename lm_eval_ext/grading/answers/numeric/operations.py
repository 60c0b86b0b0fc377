"""Sums, powers, roots, factorials, functions; each is bounded before it builds a number."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from functools import partial, reduce
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
_MAX_FACTORIAL = 3_000
_MAX_ARGUMENT = 10**6
_MAX_ERF = 10**3
_MAX_ROOT = 64
_MAX_LOGARITHM = 1_200


def add(*terms: Value) -> Value:
    return reduce(lambda a, b: _mixed(operator.add, a, b), terms, Fraction(0))


def mul(*factors: Value) -> Value:
    return reduce(lambda a, b: bounded(_mixed(operator.mul, a, b)), factors, Fraction(1))


def div(a: Value, b: Value) -> Value:
    if not isinstance(b, Fraction) and same(b, Fraction(0)):
        raise ZeroDivisionError
    return _mixed(operator.truediv, a, b)


def _mixed(operation: Callable[[Any, Any], Value], a: Value, b: Value) -> Value:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return operation(a, b)
    return operation(as_real(a), as_real(b))


def _negative(a: Value) -> Value:
    return mul(Fraction(-1), a)


def _power(base: Value, exponent: Value) -> Value:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction):
        if exponent.denominator == 1:
            return _exact_power(base, exponent.numerator)
        if base >= 0 and (root := _exact_root(base, exponent.denominator)) is not None:
            return _exact_power(root, exponent.numerator)
    x, y = as_real(base), as_real(exponent)
    if x == 0:
        if y.real <= 0:
            raise ZeroDivisionError
        return Fraction(0)
    if abs(y * mp.log(abs(x))) > MAX_BITS:
        raise TooLarge
    return mp.power(x, y)


def _exact_power(base: Fraction, exponent: int) -> Fraction:
    if base == 0 and exponent <= 0:
        raise ZeroDivisionError
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if bits > 1 and abs(exponent) * (bits - 1) > MAX_BITS:
        raise TooLarge
    return base**exponent


def _exact_root(base: Fraction, degree: int) -> Fraction | None:
    if degree > _MAX_ROOT:
        return None
    top, bottom = integer_root(base.numerator, degree), integer_root(base.denominator, degree)
    return Fraction(top, bottom) if top is not None and bottom is not None else None


def integer_root(number: int, degree: int) -> int | None:
    """The exact root of a natural number, None where it is no integer."""
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
        return _negative(_root(_negative(base), degree))
    return _power(base, Fraction(1, n))


def _factorial(number: Value, step: int = 1) -> Value:
    """5! with step 1, 5!! = 5 * 3 * 1 with step 2."""
    n = whole(number)
    if n > _MAX_FACTORIAL:
        raise TooLarge
    if n < 0 and step == 1:
        raise Undefined("a factorial of a negative number")
    return Fraction(math.factorial(n) if step == 1 else math.prod(range(n, 0, -step)))


def _fibonacci(index: Value) -> Value:
    n = whole(index)
    if abs(n) > _MAX_FACTORIAL:
        raise TooLarge("a Fibonacci number")
    a, b = 0, 1
    for _ in range(abs(n)):
        a, b = b, a + b
    return Fraction(a if n >= 0 or n % 2 else -a)


def _binomial(top: Value, bottom: Value) -> Value:
    n, k = whole(top), whole(bottom)
    if max(abs(n), abs(k)) > _MAX_FACTORIAL:
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


def _logarithm(number: Value, base: Value | None = None) -> Value:
    exact = _exact_logarithm(number, base)
    if exact is not None:
        return exact
    x = as_real(number)
    if x == 0:
        raise Undefined("the logarithm of zero")
    return mp.log(x) if base is None else div(mp.log(x), mp.log(as_real(base)))


def _exact_logarithm(number: Value, base: Value | None) -> Fraction | None:
    """The exponent where `number` is a power of an integer."""
    if not isinstance(number, Fraction) or not isinstance(base, Fraction):
        return None
    if base <= 1 or number <= 0 or number.denominator != 1 or base.denominator != 1:
        return None
    exponent = round(math.log(number.numerator, base.numerator))
    return Fraction(exponent) if exponent <= _MAX_LOGARITHM and base**exponent == number else None


def _function(name: str) -> Callable[[Value], Value]:
    function = getattr(mp, name)

    def evaluate(number: Value) -> Value:
        x = as_real(number)
        if abs(x) > (_MAX_ERF if name.startswith("erf") else _MAX_ARGUMENT):
            raise TooLarge
        if name in ("tan", "sec") and same(mp.cos(x), Fraction(0)):
            raise Undefined("a pole")
        return function(x) if name in _VANISHING else _rounded(function(x))

    return evaluate


def _rounded(number: Any) -> Value:
    """cos(pi/2) is 0 and sin(pi/6) is 1/2: so is a value that differs in the last ten digits only."""
    if isinstance(number, mp.mpf) and abs(number) < _MAX_ARGUMENT:
        near = mp.nint(2 * number)
        if abs(2 * number - near) < mp.mpf(10) ** (10 - mp.dps):
            return Fraction(int(near), 2)
    return number


_VANISHING = ("sinh", "cosh", "tanh", "coth", "sech", "csch", "erf", "erfc", "erfi")
"""Functions that come as near to 0 or 1 as one likes without reaching it: sech(500) is not 0."""
_INVERTED = "cot sec csc sinh cosh tanh coth sech csch".split()
_MAX_SPECIAL = 60


def _special(name: str, *arguments: Value) -> Value:
    numbers = [as_real(a) for a in arguments]
    if any(abs(n) > _MAX_SPECIAL for n in numbers):
        raise TooLarge
    return getattr(mp, name)(*numbers)


ROUNDING = {
    **{name: name for name in ("sin", "cos", "tan", "cot", "sec", "csc")},
    **{"arcsin": "asin", "arccos": "acos", "arctan": "atan"},
}
"""Functions, with their names in mpmath, whose values may be rounded: cos(10^-30), to 60 digits, is 1."""
OPERATIONS: dict[str, Callable[..., Value]] = {
    "add": add,
    "mul": mul,
    "div": div,
    "neg": _negative,
    "pow": _power,
    "sqrt": _root,
    "root": _root,
    "log": _logarithm,
    "exp": lambda a: mp.exp(as_real(a)),
    "factorial": _factorial,
    "factorial2": lambda a: _factorial(a, step=2),
    "binom": _binomial,
    "fibonacci": _fibonacci,
    "floor": _floor,
    "ceil": lambda a: -_floor(_negative(a)),
    "abs": lambda a: abs(a) if isinstance(a, Fraction) else abs(as_real(a)),
    "sgn": lambda a: Fraction((a > 0) - (a < 0)),
    "mod": lambda a, b: Fraction(whole(a) % whole(b)),
    "gcd": lambda *values: Fraction(math.gcd(*map(whole, values))),
    "lcm": lambda *values: Fraction(math.lcm(*map(whole, values))),
    "min": lambda *values: reduce(lambda best, other: other if is_less(other, best) else best, values),
    "max": lambda *values: reduce(lambda best, other: other if is_less(best, other) else best, values),
    "pi": lambda: +mp.pi,
    "e": lambda: +mp.e,
    "i": lambda: mp.mpc(0, 1),
    "oo": lambda: mp.inf,
    **{name: _function(mpmath_name) for name, mpmath_name in ROUNDING.items()},
    **{f"arc{name}": _function(f"a{name}") for name in _INVERTED},
    "cis": lambda a: mp.expj(as_real(a)),
    "gamma": lambda a: _special("gamma", a),
    "zeta": lambda a: _special("zeta", a),
    **{name: partial(_special, name) for name in ("besselj", "bessely", "besseli", "besselk")},
    **{name: _function(name) for name in _VANISHING},
}
