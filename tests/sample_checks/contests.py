"""Recompute the gold answers of the sample problems in the style of HMMT, BRUMO, SMT and CMIMC.

Every function in ``CHECKS`` derives the answer of one problem from its statement, by brute force,
exact fractions or symbolic algebra. A key names the data set, the split and the index of the row.
"""

from fractions import Fraction
from functools import cache
from itertools import combinations, permutations, product
from math import floor, gcd, sqrt

import sympy as sp

from tests.sample_checks import Check, registrar
from tests.sample_checks.hendrycks_math import tex

CHECKS: dict[str, Check] = {}
check = registrar(CHECKS)
x = sp.Symbol("x", positive=True)


@check("hmmt_feb_2025/test/0")
def sum_of_squares_over_powers() -> str:
    """Sum the series."""
    n = sp.Symbol("n", integer=True, positive=True)
    return tex(sp.summation(n**2 / 4**n, (n, 1, sp.oo)))


@check("hmmt_feb_2025/test/1")
def expected_chord() -> str:
    """Average the chord over the angle."""
    return tex(sp.integrate(2 * sp.sin(x / 2), (x, 0, 2 * sp.pi)) / (2 * sp.pi))


@check("hmmt_feb_2025/test/2")
def rim_of_a_hexagon() -> str:
    """Take off the hexagon whose sides are closer to the center by 1."""
    outer = sp.sqrt(3)  # apothem
    area = 2 * sp.sqrt(3) * outer**2
    return tex(sp.expand(area - area * ((outer - 1) / outer) ** 2))


@check("hmmt_feb_2025/test/3")
def nested_roots() -> str:
    """Solve for the root of x - 4."""
    t = sp.Symbol("t", nonnegative=True)
    (root,) = sp.solve(sp.Abs(t + 2) + sp.Abs(t - 2) - 5, t)
    return tex(root**2 + 4)


@check("hmmt_feb_2025/test/4")
def functions_of_order_three() -> str:
    """Go through the permutations: such a function is one."""
    return str(sum(all(f[f[f[i]]] == i for i in range(6)) for f in permutations(range(6))))


@check("hmmt_feb_2025/test/5")
def largest_combination_of_sines() -> str:
    """Take the norm of the coefficients of sin x and cos x."""
    t = sp.Symbol("t")
    expanded = sp.expand(sp.expand_trig(3 * sp.sin(t) + 4 * sp.sin(sp.pi / 3 - t)))
    return tex(sp.sqrt(expanded.coeff(sp.sin(t)) ** 2 + expanded.coeff(sp.cos(t)) ** 2))


@check("hmmt_nov_2025/test/0")
def tilings() -> str:
    """Cover the leftmost column in every way."""

    @cache
    def ways(columns: int) -> int:
        return 1 if columns < 2 else ways(columns - 1) + 2 * ways(columns - 2)

    return str(ways(8))


@check("hmmt_nov_2025/test/1")
def dice_duel() -> str:
    """Solve the equation of one round."""
    p = sp.Symbol("p")
    (found,) = sp.solve(sp.Eq(p, sp.Rational(1, 3) + sp.Rational(2, 3) * sp.Rational(5, 6) * p), p)
    return tex(found)


@check("hmmt_nov_2025/test/2")
def distance_to_a_line() -> str:
    """Measure it in coordinates."""
    return tex(sp.Line((0, 6), (2, 0)).distance(sp.Point(6, 6)))


@check("hmmt_nov_2025/test/3")
def square_divisors() -> str:
    """Go through the squares."""
    return str(sum(n * n for n in range(1, 46) if 2025 % (n * n) == 0))


@check("hmmt_nov_2025/test/4")
def expected_cycles() -> str:
    """Average over the permutations."""
    every = list(permutations(range(5)))
    return tex(Fraction(sum(sp.combinatorics.Permutation(list(p)).cycles for p in every), len(every)))


@check("hmmt_nov_2025/test/5")
def sum_of_two_squares() -> str:
    """Solve for the numbers."""
    y = sp.Symbol("y")
    roots = sp.solve(y**3 + (5 - y) ** 3 - 50, y)
    return tex(sp.simplify(roots[0] ** 2 + (5 - roots[0]) ** 2))


@check("hmmt_feb_2026/test/0")
def subsets_with_two_in_common() -> str:
    """Go through the pairs of bit masks."""
    return str(sum((a & b).bit_count() == 2 for a, b in product(range(64), repeat=2)))


@check("hmmt_feb_2026/test/1")
def two_squares() -> str:
    """Go through the pairs."""
    (found,) = [(a, b) for a, b in combinations(range(1, 46), 2) if a * a + b * b == 2026]
    return str(found)


@check("hmmt_feb_2026/test/2")
def tetrahedron() -> str:
    """Take the Cayley-Menger determinant."""
    squares = [[0 if i == j else 16 if {i, j} in ({0, 1}, {2, 3}) else 9 for j in range(4)] for i in range(4)]
    bordered = sp.Matrix([[0, 1, 1, 1, 1], *([1, *row] for row in squares)])
    return tex(sp.sqrt(bordered.det() / 288))


@check("hmmt_feb_2026/test/3")
def inverse_squares_of_sines() -> str:
    """Sum to fifty digits."""
    total = sum((1 / sp.sin(k * sp.pi / 9).evalf(50) ** 2 for k in range(1, 9)), sp.Integer(0))
    return tex(sp.nsimplify(total, rational=True, tolerance=1e-30))


@check("hmmt_feb_2026/test/4")
def walk_on_an_octahedron() -> str:
    """Solve for the expected numbers at the start and at its neighbors."""
    start, beside = sp.symbols("s b")
    solved = sp.solve([start - 1 - beside, beside - 1 - start / 4 - beside / 2], [start, beside])
    return tex(solved[start])


@check("hmmt_feb_2026/test/5")
def least_value() -> str:
    """Find where the derivative vanishes."""
    value = 2 * x**2 + 27 / x
    (place,) = sp.solve(sp.diff(value, x), x)
    return tex(sp.nsimplify(sp.simplify(value.subs(x, place))))


@check("brumo_2025/test/0")
def walks_near_the_diagonal() -> str:
    """Add the walks to the left and from below."""

    @cache
    def walks(a: int, b: int) -> int:
        if a < 0 or b < 0 or abs(a - b) > 2:
            return 0
        return 1 if (a, b) == (0, 0) else walks(a - 1, b) + walks(a, b - 1)

    return str(walks(6, 6))


@check("brumo_2025/test/1")
def digits_of_a_difference() -> str:
    """Write the number out."""
    return str(sum(map(int, str(10**25 - 2025))))


@check("brumo_2025/test/2")
def area_of_a_rhombus() -> str:
    """Measure it in coordinates."""
    return tex(sp.Polygon((6, 0), (0, 3), (-6, 0), (0, -3)).area)


@check("brumo_2025/test/3")
def exponential_equation() -> str:
    """Solve for the power of 3."""
    (power,) = sp.solve(x**2 - 4 * x - 45, x)
    return tex(sp.log(power, 3))


@check("brumo_2025/test/4")
def dice_in_progression() -> str:
    """Go through the rolls."""
    rolls = [sorted(r) for r in product(range(1, 7), repeat=3)]
    return tex(Fraction(sum(a < b and b - a == c - b for a, b, c in rolls), len(rolls)))


@check("brumo_2025/test/5")
def circle_between_circles() -> str:
    """Add the distances along the line between the points of contact."""
    (radius,) = sp.solve(2 * sp.sqrt(4 * x) + 2 * sp.sqrt(9 * x) - 2 * sp.sqrt(4 * 9), x)
    return tex(radius)


@check("smt_2025/test/0")
def limit_of_a_sum() -> str:
    """Integrate."""
    return tex(sp.integrate(1 / (1 + 3 * x**2), (x, 0, 1)))


@check("smt_2025/test/1")
def determinant() -> str:
    """Write the matrix out."""
    return tex(sp.Matrix(5, 5, lambda i, j: min(i, j) + 1 + (i == j)).det())


@check("smt_2025/test/2")
def solid_of_revolution() -> str:
    """Integrate the areas of the rings."""
    return tex(sp.integrate(sp.pi * ((2 * x) ** 2 - x**4), (x, 0, 2)))


@check("smt_2025/test/3")
def one_third_coprime() -> str:
    """Go through the integers."""
    return str(sum(3 * sum(gcd(k, n) == 1 for k in range(1, n + 1)) == n for n in range(1, 1001)))


@check("smt_2025/test/4")
def coefficient_of_a_series() -> str:
    """Expand the series."""
    return tex(sp.series(sp.exp(x**2) * sp.cos(x), x, 0, 7).removeO().coeff(x, 6))


@check("smt_2025/test/5")
def small_products() -> str:
    """Integrate the share of second numbers."""
    quarter = sp.Rational(1, 4)
    return tex(quarter + sp.integrate(quarter / x, (x, quarter, 1)))


@check("cmimc_2025/test/0")
def strings_without_101() -> str:
    """Go through the strings."""
    return str(sum("101" not in f"{n:010b}" for n in range(1024)))


@check("cmimc_2025/test/1")
def spanning_trees() -> str:
    """Take a minor of the Laplacian."""
    laplacian = sp.Matrix(7, 7, lambda i, j: -1 if (i < 3) != (j < 3) else (i == j) * (4 if i < 3 else 3))
    return str(laplacian[1:, 1:].det())


@check("cmimc_2025/test/2")
def floor_of_a_power() -> str:
    """Compute it: the distance to the next integer is far above the rounding error."""
    return str(floor((2 + sqrt(3)) ** 6))


@check("cmimc_2025/test/3")
def expected_larger() -> str:
    """Average over the pairs."""
    pairs = list(combinations(range(1, 11), 2))
    return tex(Fraction(sum(b for _, b in pairs), len(pairs)))


@check("cmimc_2025/test/4")
def between_two_centers() -> str:
    """Measure it in coordinates."""
    triangle = sp.Triangle(sss=(5, 7, 8))
    return tex(sp.sqrt(sp.simplify(triangle.incenter.distance(triangle.circumcenter) ** 2)))


@check("cmimc_2025/test/5")
def spread_of_subsets() -> str:
    """Go through the subsets."""
    subsets = (s for size in range(1, 9) for s in combinations(range(1, 9), size))
    return str(sum(max(s) - min(s) for s in subsets))
