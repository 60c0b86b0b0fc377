"""Recompute the gold answers of the sample problems in the style of AIME, BeyondAIME and AMC.

Every function in ``CHECKS`` derives the answer of one problem from its statement, mostly by brute
force. A key names the data set, the split and the index of the row.
"""

from fractions import Fraction
from itertools import combinations, count, permutations, product
from math import isqrt

import sympy as sp

from tests.sample_checks import Check, registrar

CHECKS: dict[str, Check] = {}
check = registrar(CHECKS)


def sum_of(share: Fraction) -> str:
    """Numerator plus denominator."""
    return str(share.numerator + share.denominator)


@check("aime24/test/0")
def products_divisible_by_36() -> str:
    """Go through the triples."""
    return str(sum(a * b * c % 36 == 0 for a, b, c in product(range(1, 13), repeat=3)) % 1000)


@check("aime24/test/1")
def tangent_circle() -> str:
    """Intersect the circle with the line through B = (0, 0) and A = (5, 12); it touches BC at (7, 0)."""
    radius = Fraction((5 - 7) ** 2 + 12**2, 2 * 12)  # its center is (7, radius)
    sum_of_roots = (2 * 5 * 7 + 2 * 12 * radius) / (
        5**2 + 12**2
    )  # of the equation for t, with t (5, 12) on it
    return sum_of(13 * (sum_of_roots - 1))  # t = 1 is A


@check("aime24/test/2")
def fourth_powers_of_roots() -> str:
    """Take the trace of a power of the companion matrix."""
    return str((sp.Matrix([[0, 0, 3], [1, 0, -11], [0, 1, 7]]) ** 4).trace())


@check("aime24/test/3")
def no_three_equal_flips() -> str:
    """Go through the sequences."""
    flips = ["".join(f) for f in product("HT", repeat=10)]
    return sum_of(Fraction(sum("HHH" not in f and "TTT" not in f for f in flips), len(flips)))


@check("aime24/test/4")
def last_digits_of_cubes() -> str:
    """Go through the integers."""
    return f"{sum(n**3 % 100 == n % 100 for n in range(1, 1000)):03}"


@check("aime24/test/5")
def product_from_logarithms() -> str:
    """Solve the linear system for the logarithms to base 2."""
    half = sp.Rational(1, 2)
    logs = sp.Matrix([[1, half], [half, 1]]).solve(sp.Matrix([6, 15 * half]))
    return str(2 ** sum(logs))


@check("aime25/test/0")
def divisor_of_a_cubic() -> str:
    """Go through n; beyond 42 the remainder is 42."""
    return str(sum(n for n in range(1, 100) if (n**3 + 50) % (n + 2) == 0))


@check("aime25/test/1")
def hats_apart() -> str:
    """Go through the choices of three seats."""
    seats = list(combinations(range(9), 3))
    apart = sum(all((a - b) % 9 not in (1, 8) for a, b in combinations(s, 2)) for s in seats)
    return sum_of(Fraction(apart, len(seats)))


@check("aime25/test/2")
def least_sum_of_distances() -> str:
    """Reflect one point: the sum of the distances to (0, 5) and (24, -2)."""
    x = sp.Symbol("x", real=True)
    total = sp.sqrt(x**2 + 25) + sp.sqrt((x - 24) ** 2 + 4)
    return str(min(total.subs(x, root) for root in sp.solve(sp.diff(total, x), x)))


@check("aime25/test/3")
def no_difference_of_three() -> str:
    """Go through the subsets as bit masks."""
    return str(sum(not mask & mask >> 3 for mask in range(2**12)))


@check("aime25/test/4")
def term_of_a_sequence() -> str:
    """Iterate modulo 1000."""
    term = 2
    for _ in range(2024):
        term = (term * term - term + 1) % 1000
    return str(term)


@check("aime25/test/5")
def skipped_numbers_of_zeros() -> str:
    """Count the factors 5 of n! as n grows."""
    zeros, seen = 0, set()
    for n in range(1, 1500):
        zeros += next(k for k in count() if n % 5 ** (k + 1))
        seen.add(zeros)
    return str(len(set(range(1, 301)) - seen))


@check("aime26/test/0")
def four_ones() -> str:
    """Go through the integers."""
    return str(sum(bin(n).count("1") == 4 for n in range(1, 2027)))


@check("aime26/test/1")
def draws_until_all_red() -> str:
    """Average the place of the last red marble."""
    places = list(combinations(range(1, 11), 4))
    return sum_of(Fraction(sum(max(p) for p in places), len(places)))


@check("aime26/test/2")
def tangential_trapezoid() -> str:
    """Find the height from the legs, whose sum is that of the bases."""
    leg, overhang = (18 + 32) // 2, (32 - 18) // 2
    return str((18 + 32) * isqrt(leg**2 - overhang**2) // 2)


@check("aime26/test/3")
def unit_fractions() -> str:
    """Go through x; y is determined."""
    return str(sum(60 * x % (x - 60) == 0 for x in range(61, 3661)))


@check("aime26/test/4")
def product_over_roots_of_unity() -> str:
    """Take the resultant with x^7 - 1."""
    x = sp.Symbol("x")
    return str(sp.resultant(x**7 - 1, x**2 + x + 3, x) % 1000)


@check("aime26/test/5")
def products_of_digits() -> str:
    """Multiply the digits of each integer."""
    return str(sum(sp.prod(int(d) for d in str(n) if d != "0") for n in range(1, 1000)) % 1000)


@check("beyondaime/test/0")
def near_permutations() -> str:
    """Go through the permutations."""
    return str(sum(all(abs(p - i) <= 2 for i, p in enumerate(q)) for q in permutations(range(8))))


@check("beyondaime/test/1")
def cubics_without_root() -> str:
    """Go through the coefficients."""
    cubics = product(range(7), repeat=3)
    return str(sum(all((x**3 + a * x * x + b * x + c) % 7 for x in range(7)) for a, b, c in cubics))


@check("beyondaime/test/2")
def power_equals_exponent() -> str:
    """Try each exponent."""
    return str(next(n for n in count(2) if (pow(2, n, 97) - n) % 97 == 0))


@check("beyondaime/test/3")
def colorings_of_a_cube() -> str:
    """Go through the colorings of the eight vertices."""
    edges = [(v, v ^ bit) for v in range(8) for bit in (1, 2, 4) if v < v ^ bit]
    return str(sum(all(c[a] != c[b] for a, b in edges) for c in product(range(3), repeat=8)))


@check("beyondaime/test/4")
def triangular_palindromes() -> str:
    """Go through the triangular numbers."""
    numbers = [n * (n + 1) // 2 for n in range(1, 141)]
    return str(sum(t for t in numbers if t < 10000 and str(t) == str(t)[::-1]))


@check("beyondaime/test/5")
def lattice_points_in_a_ball() -> str:
    """Go through the points of the cube around it."""
    return str(sum(x * x + y * y + z * z <= 100 for x, y, z in product(range(-10, 11), repeat=3)))


@check("amc23/test/0")
def average_lap() -> str:
    """Average the five laps."""
    return str(float((3 * 6 + 2 * Fraction(15, 2)) / 5))


@check("amc23/test/1")
def multiples_with_even_digit_sum() -> str:
    """Go through the multiples."""
    return str(sum(sum(map(int, str(n))) % 2 == 0 for n in range(105, 1000, 7)))


@check("amc23/test/2")
def nine_sided_polygon() -> str:
    """Share out the sum of the angles."""
    return str(Fraction((9 - 2) * 180, 9))


@check("amc23/test/3")
def integers_near_two_points() -> str:
    """Go through the integers."""
    return str(sum(abs(x - 3) + abs(x + 5) <= 12 for x in range(-50, 50)))


@check("amc23/test/4")
def remainder_of_a_power() -> str:
    """Compute the power."""
    return str(7**77 % 13)


@check("amc23/test/5")
def area_of_a_quadrilateral() -> str:
    """Measure it in coordinates."""
    return str(float(sp.Polygon((0, 0), (6, 1), (5, 7), (-1, 4)).area))
