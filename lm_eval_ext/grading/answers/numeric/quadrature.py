"""Points and weights of double exponential quadrature (Takahasi and Mori, 1974)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from lm_eval_ext.grading.answers.numeric.numbers import Value, mp

INTEGRAL_DIGITS = 10
"""To how many digits integrals that are equal agree."""
_STEP, _REACH = 0.1, 35
"""35 steps of a tenth to either side leave out less than 10^-15 of a smooth integrand."""


def quadrature(low: Value, high: Value) -> Iterator[tuple[Value, Value]]:
    """(point, weight) over an interval, which may be infinite on either side."""
    ends = bool(mp.isinf(low)), bool(mp.isinf(high))
    half, middle = ((high - low) / 2, (high + low) / 2) if ends == (False, False) else (1, 0)
    for x, weight in _unit(*ends):
        if ends == (False, True):
            yield low + x, weight
        elif ends == (True, False):
            yield high - x, weight
        else:
            yield middle + half * x, half * weight


@lru_cache(maxsize=4)
def _unit(from_infinity: bool, to_infinity: bool) -> tuple[tuple[Value, Value], ...]:
    """On (-1, 1), (0, oo) or (-oo, oo)."""
    found = []
    with mp.workdps(60):
        for k in range(-_REACH, _REACH + 1):
            t = mp.mpf(k) * _STEP
            inner, slope = mp.pi / 2 * mp.sinh(t), mp.pi / 2 * mp.cosh(t) * _STEP
            if from_infinity and to_infinity:
                found.append((mp.sinh(inner), slope * mp.cosh(inner)))
            elif from_infinity or to_infinity:
                found.append((mp.exp(inner), slope * mp.exp(inner)))
            else:
                found.append((mp.tanh(inner), slope * mp.sech(inner) ** 2))
    return tuple(found)
