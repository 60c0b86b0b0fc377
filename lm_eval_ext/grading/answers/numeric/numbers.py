"""Exact fractions, else mpmath numbers of 60 digits; whether two are equal or in order."""

from __future__ import annotations

import threading
from fractions import Fraction
from typing import Any, TypeAlias

from mpmath import MPContext

from lm_eval_ext.grading.answers.errors import TooLarge, Undefined

MAX_BITS = 40_000
DIGITS = 60
MAX_DIGITS = 1_200
SLACK = 20
"""The last digits of a number, which need not agree: so many digits of constants are covered by them."""


class _ThreadContext(threading.local, MPContext):
    """An mpmath context with a precision for each thread."""

    def __init__(self) -> None:
        super().__init__()
        self.dps = DIGITS


mp = _ThreadContext()
with mp.workdps(2 * MAX_DIGITS):  # mpmath caches constants, and two threads may not extend them at once
    _CONSTANTS = (+mp.pi, +mp.e, +mp.ln2, +mp.ln10)

Value: TypeAlias = Any
"""A Fraction, or an mpf or mpc of `mp`, which has no types."""


def same(left: Value, right: Value) -> bool:
    """Exactly equal fractions, or numbers equal to 40 digits. Undefined where 60 digits cannot tell."""
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return left == right
    verdict = compared(as_real(left), as_real(right))
    if verdict is None:
        raise Undefined("60 digits cannot tell")
    return verdict


def compared(a: Any, b: Any) -> bool | None:
    """Whether two numbers known to `mp.dps` digits are equal; None where these are too few to tell."""
    if mp.isinf(a) or mp.isinf(b) or mp.isnan(a) or mp.isnan(b):
        return bool(a == b)
    gap, size, grain = abs(a - b), max(abs(a), abs(b)), mp.mpf(10) ** (SLACK - mp.dps)
    if gap > grain * max(size, 1):
        return False
    if gap <= grain * size and size * grain < mp.mpf(10) ** -15:
        return True
    return None


def is_less(left: Value, right: Value) -> bool:
    """left < right for real numbers; equal ones are not less. Raises Undefined for complex ones."""
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return left < right
    if same(left, right):
        return False
    a, b = as_real(left), as_real(right)
    if isinstance(a, mp.mpc) or isinstance(b, mp.mpc):
        raise Undefined("complex numbers have no order")
    return bool(a < b)


def is_real(number: Value) -> bool:
    return isinstance(number, Fraction) or not isinstance(as_real(number), mp.mpc)


def as_real(number: Value) -> Any:
    """As an mpmath number; a complex one without imaginary part becomes real."""
    if isinstance(number, Fraction):
        return mp.mpf(number.numerator) / number.denominator
    if isinstance(number, mp.mpc) and abs(number.imag) <= mp.mpf(10) ** -40 * max(1, abs(number.real)):
        return number.real
    return number


def bounded(number: Value) -> Value:
    if isinstance(number, int):
        number = Fraction(number)
    if (
        isinstance(number, Fraction)
        and max(number.numerator.bit_length(), number.denominator.bit_length()) > MAX_BITS
    ):
        raise TooLarge
    if number != number:
        raise Undefined("no number, such as oo - oo")
    return number


def whole(number: Value) -> int:
    """The integer that `number` is. Raises Undefined if it is none."""
    if isinstance(number, Fraction) and number.denominator == 1:
        return number.numerator
    if not isinstance(number, Fraction):
        real = as_real(number)
        if not isinstance(real, mp.mpc) and not mp.isinf(real) and same(real, near := nearest(real)):
            return near.numerator
    raise Undefined("not an integer")


def nearest(real: Any) -> Fraction:
    """The integer nearest to a finite mpf, if it can be built."""
    if mp.mag(real) > MAX_BITS:
        raise TooLarge
    return Fraction(int(mp.nint(real)))
