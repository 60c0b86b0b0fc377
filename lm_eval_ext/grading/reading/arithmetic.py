"""The value of an expression: an exact fraction where there is one, else 60 digits, never a huge number.

`value(node, at)` gives a Fraction, an mpmath number, or infinity. Numbers of more than `MAX_BITS` bits are
never built: `TooLarge` is raised before, and `residue` compares such expressions modulo large primes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from lm_eval_ext.grading.reading.numbers import (
    DIGITS,
    MAX_BITS,
    TooLarge,
    Undefined,
    Value,
    as_real,
    bounded,
    compared,
    is_less,
    mp,
    nearest,
    same,
    whole,
)
from lm_eval_ext.grading.reading.tree import Call, Node, Num, Sym, Unreadable

MAX_TERMS = 300
MAX_FACTORIAL = 3_000
_MAX_ARGUMENT = 10**6
mp.dps = DIGITS


def value(node: Node, at: Mapping[str, Value] | None = None) -> Value:
    """The value with the symbols set to `at`. Raises TooLarge, Undefined, Unreadable."""
    if isinstance(node, Num):
        return node.value
    if isinstance(node, Sym):
        if at is None or node.name not in at:
            raise Unreadable(f"{node.name} has no value")
        return at[node.name]
    if not isinstance(node, Call):
        raise Unreadable("brackets or relations have no value")
    if node.name in ("sum", "prod"):
        return _big(node, at or {})
    if node.name == "apply":
        return _unknown(node, at or {})
    if node.name == "unit":
        return _united(node, at)
    try:
        rule = _RULES[node.name]
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


def equal_at(left: Node, right: Node, at: Mapping[str, Value]) -> bool:
    """Whether two expressions have the same value, with as many digits as it takes to tell.

    Raises Undefined where 1,200 digits cannot tell.
    """
    a, b = value(left, at), value(right, at)
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a == b
    try:
        for digits in (DIGITS, 240, 1_200):
            mp.dps = digits
            a, b = as_real(value(left, at)), as_real(value(right, at))
            if (verdict := compared(a, b)) is not None:
                return verdict
        if max(abs(a), abs(b)) < mp.mpf(10) ** -1_000:  # zero, but for the rounding
            return True
    finally:
        mp.dps = DIGITS
    raise Undefined("1,200 digits cannot tell")


def _add(*terms: Value) -> Value:
    total: Value = Fraction(0)
    for term in terms:
        total = _mix(total, term, lambda a, b: a + b)
    return total


def _mul(*factors: Value) -> Value:
    product: Value = Fraction(1)
    for factor in factors:
        product = _mix(product, factor, lambda a, b: a * b)
        bounded(product)
    return product


def _mix(a: Value, b: Value, operation: Callable[[Any, Any], Any]) -> Value:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return operation(a, b)
    return operation(as_real(a), as_real(b))


def _div(a: Value, b: Value) -> Value:
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
    top, bottom = _integer_root(base.numerator, degree), _integer_root(base.denominator, degree)
    return Fraction(top, bottom) if top is not None and bottom is not None else None


def _integer_root(number: int, degree: int) -> int | None:
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
        return _mul(Fraction(-1), _root(_mul(Fraction(-1), base), degree))
    return _pow(base, Fraction(1, n))


def _factorial(number: Value) -> Value:
    n = whole(number)
    if n < 0:
        raise Undefined("a factorial of a negative number")
    if n > MAX_FACTORIAL:
        raise TooLarge
    return Fraction(math.factorial(n))


def _double_factorial(number: Value) -> Value:
    n = whole(number)
    if n > MAX_FACTORIAL:
        raise TooLarge
    return Fraction(math.prod(range(n, 0, -2)))


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
    return -_floor(_mul(Fraction(-1), number))


def _mod(a: Value, b: Value) -> Value:
    return Fraction(whole(a) % whole(b))


def _abs(number: Value) -> Value:
    return abs(number) if isinstance(number, Fraction) else abs(as_real(number))


def _least(*values: Value) -> Value:
    best = values[0]
    for other in values[1:]:
        best = other if is_less(other, best) else best
    return best


def _greatest(*values: Value) -> Value:
    best = values[0]
    for other in values[1:]:
        best = other if is_less(best, other) else best
    return best


def _log(number: Value, base: Value | None = None) -> Value:
    if (
        isinstance(number, Fraction)
        and isinstance(base, Fraction)
        and (exact := _exact_log(number, base)) is not None
    ):
        return exact
    x = as_real(number)
    if x == 0:
        raise Undefined("the logarithm of zero")
    return mp.log(x) if base is None else _div(mp.log(x), mp.log(as_real(base)))


def _exact_log(number: Fraction, base: Fraction) -> Fraction | None:
    if base <= 1 or number <= 0 or base.denominator != 1:
        return None
    power, count = Fraction(1), 0
    while power < number and count < 4 * MAX_TERMS:
        power, count = power * base, count + 1
    return Fraction(count) if power == number else None


def _elementary(name: str) -> Callable[[Value], Value]:
    function = getattr(mp, name)

    def rule(number: Value) -> Value:
        x = as_real(number)
        if abs(x) > _MAX_ARGUMENT:
            raise TooLarge
        if name in ("tan", "sec") and same(mp.cos(x), Fraction(0)):
            raise Undefined("a pole")
        return _snapped(function(x))

    return rule


def _snapped(number: Any) -> Value:
    """cos(pi/2) is 0 and sin(pi/6) is 1/2: a value within 1e-50 of such a number is that number."""
    if isinstance(number, mp.mpf) and abs(number) < _MAX_ARGUMENT:
        near = mp.nint(2 * number)
        if abs(2 * number - near) < mp.mpf(10) ** -50:
            return Fraction(int(near), 2)
    return number


def _united(node: Call, at: Mapping[str, Value] | None) -> Value:
    amount, unit = value(node.args[0], at), node.args[1]
    assert isinstance(unit, Sym)
    if unit.name == "%":
        return _div(amount, Fraction(100))
    if unit.name.startswith("base "):
        return _in_base(str(whole(amount)), unit.name[5:])
    return _mul(amount, mp.pi, Fraction(1, 180)) if unit.name == "°" else amount


def _in_base(digits: str, base: str) -> Fraction:
    if not base.isdigit() or not 2 <= int(base) <= 36 or len(digits) > 200:
        raise Undefined(f"no base: {base}")
    try:
        return Fraction(int(digits, int(base)))
    except ValueError:
        raise Undefined(f"{digits} has digits that base {base} has not") from None


def _big(node: Call, at: Mapping[str, Value]) -> Value:
    index, low, high, body = node.args
    assert isinstance(index, Sym)
    first, last = whole(value(low, at)), whole(value(high, at))
    if last - first > MAX_TERMS:
        raise TooLarge
    terms = [value(body, {**at, index.name: Fraction(i)}) for i in range(first, last + 1)]
    return bounded(_add(*terms) if node.name == "sum" else _mul(*terms))


def _unknown(node: Call, at: Mapping[str, Value]) -> Value:
    """f(2) of an unknown f: some number that depends on nothing but f and 2."""
    assert isinstance(node.args[0], Sym)
    key = [node.args[0].name]
    for arg in node.args[1:]:
        if isinstance(arg, (Sym, Num, Call)):
            number = value(arg, at)
            key.append(str(hash(number)) if isinstance(number, Fraction) else mp.nstr(as_real(number), 30))
        else:
            raise Unreadable("an unknown function of a pair")
    seed = 0
    for letter in "\0".join(key):
        seed = (seed * 1_000_003 + ord(letter)) % (2**61 - 1)
    return Fraction(seed % 10_007, 97)


_RULES: dict[str, Callable[..., Value]] = {
    "add": _add, "mul": _mul, "neg": lambda a: _mul(Fraction(-1), a), "div": _div, "pow": _pow,
    "sqrt": _root, "root": _root, "factorial": _factorial, "factorial2": _double_factorial,
    "binom": _binom, "floor": _floor, "ceil": _ceil, "mod": _mod, "abs": _abs, "min": _least,
    "max": _greatest, "log": _log, "gcd": lambda *a: Fraction(math.gcd(*map(whole, a))),
    "lcm": lambda *a: Fraction(math.lcm(*map(whole, a))), "exp": lambda a: mp.exp(as_real(a)),
    "pi": lambda: +mp.pi, "e": lambda: +mp.e, "i": lambda: mp.mpc(0, 1), "oo": lambda: mp.inf,
    "sgn": lambda a: Fraction((a > 0) - (a < 0)), "sin": _elementary("sin"), "cos": _elementary("cos"),
    "tan": _elementary("tan"), "cot": _elementary("cot"), "sec": _elementary("sec"),
    "csc": _elementary("csc"), "arcsin": _elementary("asin"), "arccos": _elementary("acos"),
    "arctan": _elementary("atan"), "sinh": _elementary("sinh"), "cosh": _elementary("cosh"),
    "tanh": _elementary("tanh"),
}  # fmt: skip
