"""Where two formulas or two sets of numbers are compared: at points that show steps, waves and borders."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from lm_eval_ext.grading.answers.comparison.conditions import is_integral, is_loose, is_natural
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator, Point
from lm_eval_ext.grading.answers.numeric.numbers import Value, as_real, mp, nearest
from lm_eval_ext.grading.answers.syntax.nodes import Call, Condition, Property, children, symbols

PRIMES = (2**61 - 1, 2**89 - 1, 2**107 - 1)
_POINTS = 8
_INTEGER_STARTS = (6, 7, 8, 9, 10, 11, 12, 13, 17, 24, 1, 2, 3, 4, 5, 1009, 10_007, 123_457)


def integer_points(letters: list[str], near: list[int]) -> Iterator[Point]:
    """Consecutive ones for parities and residues, small and large ones, and those near the constants."""
    chance = random.Random(1)
    for start in (*_INTEGER_STARTS, *near):
        if len(letters) == 1:
            yield {letters[0]: Fraction(start)}
        else:
            yield {letter: Fraction(chance.randint(1, start + 8)) for letter in letters}
            if start in near:
                yield {letter: Fraction(start * chance.randint(1, 3)) for letter in letters}


def real_points(letters: list[str], near: list[int]) -> Iterator[Point]:
    """Fractions, of both signs in every other point, small and large, and some near the constants."""
    chance = random.Random(3)
    for turn in range(_POINTS):
        most = 89 if turn % 4 < 3 else 9_001
        signs = (-1, 1) if turn % 2 else (1,)
        yield {
            letter: Fraction(chance.randint(2, most) * chance.choice(signs), chance.randint(2, 19))
            for letter in letters
        }
    for constant in near:
        for sign in (1, -1):
            yield {letter: sign * (constant + Fraction(chance.randint(1, 9), 7)) for letter in letters}


def in_plane(point: Point) -> Point:
    """With z and w off the real line, where |z - 2i| and |z + 2i| differ."""
    return {k: mp.mpc(as_real(v), as_real(v) / 7 + 2) if k in ("z", "w") else v for k, v in point.items()}


def small_points(letters: list[str]) -> Iterator[Point]:
    """Fractions below one half, where power series converge soon."""
    chance = random.Random(5)
    for turn in range(_POINTS):
        signs = (-1, 1) if turn % 2 else (1,)
        yield {
            letter: Fraction(chance.randint(10, 40) * chance.choice(signs), chance.randint(83, 97))
            for letter in letters
        }


def special_points(letters: list[str]) -> Iterator[Point]:
    """Where steps and waves show: 0, 1, -1, next to nothing, huge, and where no small period ends."""
    tiny = Fraction(1, 10**20)
    for point in (Fraction(0), Fraction(1), Fraction(-1), tiny, -tiny, 1 / tiny, -1 / tiny):
        yield dict.fromkeys(letters, point)
    for i in range(3):
        yield {k: Fraction(PRIMES[1] + 10**26 * j, PRIMES[0] << 28) for j, k in enumerate(letters, i)}
    if len(letters) > 1:
        for letter in letters:
            yield {other: Fraction(int(other != letter)) for other in letters}


def sample_points(mine: list[Condition], theirs: list[Condition], evaluator: Evaluator) -> list[Value]:
    """Where two ranges are compared: all numbers named in them, what lies between and around these.

    Conditions on integers are compared on a stretch of integers as well, longer than their moduli; fractions
    and irrational numbers are among the points unless both sides speak of integers.
    """
    conditions = [*mine, *theirs]
    exact, irrational = _named_numbers(conditions, evaluator)
    points = {Fraction(n) for n in (-1, 0, 1)} | {v + d for v in exact for d in (-1, 0, 1)}
    points |= {nearest(v) + d for v in irrational for d in range(-2, 3)}
    if is_integral(conditions):
        points |= _integers_around(sorted(exact))
    if any(map(is_natural, conditions)):
        points.discard(Fraction(0))  # some count zero among the natural numbers, some do not
    if is_integral(mine) and is_integral(theirs):
        return sorted(p for p in points if p.denominator == 1 or p in exact)
    return [*sorted(points | _fractions_between(sorted(exact))), *_reals_around(irrational)]


def _named_numbers(conditions: list[Condition], evaluator: Evaluator) -> tuple[set[Fraction], list[Value]]:
    """The fractions and the irrational numbers that the conditions name."""
    values = [v for condition in conditions for v in _closed_values(condition, evaluator)]
    exact = {v for v in values if isinstance(v, Fraction)}
    if any(map(is_loose, conditions)):  # x^2 > 9 changes at -3 as well
        exact |= {-v for v in exact}
    return exact, [v for v in values if _is_irrational(v)]


def _is_irrational(number: Value) -> bool:
    return not isinstance(number, Fraction) and not mp.isinf(number) and number == number.real


def _integers_around(named: list[Fraction]) -> set[Fraction]:
    """A stretch of integers, those near the numbers named, and sums of multiples of two of these."""
    reach = 130 + 4 * int(max((abs(v) for v in named if abs(v) < 200), default=0))
    whole = list(map(int, named))
    found = {*range(-20, reach), *(v + d for v in whole for d in range(-3, 14))}
    found |= {a + b * k for a in whole[:12] for b in whole[:12] for k in range(-2, 4)}
    return set(map(Fraction, found))


def _fractions_between(named: list[Fraction]) -> set[Fraction]:
    found = {(low + high) / 2 for low, high in pairwise(named)} | {v + Fraction(1, 7) for v in named}
    return found | {Fraction(n, 2) for n in (-1, 1, 13, -15, 2001, -2001)}


def _reals_around(irrational: list[Value]) -> list[Value]:
    beside = [v + mp.mpf(d) / 1000 for v in irrational for d in (-1, 1)]
    return [*irrational, *beside, mp.sqrt(2), -mp.sqrt(3)]


_NO_NUMBERS = ("oo", "union", "minus", "intersection", "residues")


def _closed_values(condition: Condition, evaluator: Evaluator) -> Iterator[Value]:
    """The numbers that a condition names, as large expressions as have a value."""
    nodes = list(condition.args) if isinstance(condition, Property) else list(condition.terms)
    while nodes:
        node = nodes.pop()
        closed = not symbols(node) and not (isinstance(node, Call) and node.name in _NO_NUMBERS)
        if closed and (number := evaluator.value_or_none(node)) is not None:
            yield number
        else:
            nodes.extend(children(node))


def shown(point: Value) -> str:
    return str(point) if isinstance(point, Fraction) else str(mp.nstr(point, 8))
