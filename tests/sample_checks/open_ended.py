"""Recompute the gold answers of the sample problems in the style of OlympiadBench, OCW courses and
Omni-MATH.

Every function in ``CHECKS`` derives the answer of one problem from its statement. A key names the
data set, the split and the index of the row.
"""

from itertools import combinations, product
from math import pi, sqrt

import sympy as sp

from tests.sample_checks import Check, registrar
from tests.sample_checks.hendrycks_math import tex

CHECKS: dict[str, Check] = {}
check = registrar(CHECKS)
n, t, x = sp.symbols("n t x")


@check("olympiadbench/test/0")
def values_that_are_squares() -> str:
    """Go through n; beyond 105 the value is between two squares."""
    return ", ".join(str(k) for k in range(1, 1000) if sp.sqrt(k * k + 22 * k + 16).is_Integer)


@check("olympiadbench/test/1")
def pairs_of_positive_integers() -> str:
    """Go through the pairs."""
    grid = product(range(1, 100), repeat=2)
    return ", ".join(str((a, b)) for a, b in grid if a * b == 3 * a + 5 * b + 7)


@check("olympiadbench/test/2")
def lower_bounds() -> str:
    """Find the least value: where a slope changes."""
    least = min(abs(point - 1) + abs(point - 4) for point in (1, 4))
    return tex(sp.Interval(-sp.oo, least))


@check("olympiadbench/test/3")
def sum_of_products() -> str:
    """Sum symbolically."""
    k = sp.Symbol("k")
    return tex(sp.factor(sp.summation(k * (k + 1), (k, 1, n))))


@check("olympiadbench/test/4")
def average_speed() -> str:
    """Divide the way by the time."""
    return tex(sp.Integer(24) / (sp.Rational(12, 9) + sp.Rational(12, 18)))


@check("olympiadbench/test/5")
def volume_of_a_ball() -> str:
    """Compute it."""
    return f"{4 / 3 * pi * 1.7**3:.1f}"


@check("olympiadbench/test/6")
def sum_and_sum_of_squares() -> str:
    """Solve for one of the numbers."""
    return ", ".join(map(str, sp.solve(x**2 + (6 - x) ** 2 - 50, x)))


@check("minerva_math/test/0")
def parallax() -> str:
    """Take the inverse."""
    return tex(1 / sp.Rational(5, 100))


@check("minerva_math/test/1")
def decay() -> str:
    """Solve the differential equation."""
    y = sp.Function("y")
    return tex(sp.dsolve(y(t).diff(t) + 3 * y(t), ics={y(0): 2}).rhs)


@check("minerva_math/test/2")
def energy_of_a_photon() -> str:
    """Compute it with the constants of the SI."""
    return f"{6.62607015e-34 * 299792458 / 500e-9:.1e}"


@check("minerva_math/test/3")
def equilibrium() -> str:
    """Solve for the price."""
    (price,) = sp.solve(120 - 3 * x - (2 * x - 10), x)
    return tex(price)


@check("minerva_math/test/4")
def lorentz_factor() -> str:
    """Compute it exactly."""
    return tex(1 / sp.sqrt(1 - sp.Rational(8, 10) ** 2))


@check("minerva_math/test/5")
def entropy() -> str:
    """Sum over the symbols."""
    shares = [sp.Rational(1, k) for k in (2, 4, 8, 8)]
    return tex(-sum(p * sp.log(p, 2) for p in shares))


@check("minerva_math/test/6")
def natural_frequency() -> str:
    """Compute it."""
    return str(int(sqrt(50 / 2)))


@check("omni_math/test/0")
def odd_integers() -> str:
    """Add them."""
    return str(sum(range(1, 40, 2)))


@check("omni_math/test/1")
def divisible_by_one_of_two() -> str:
    """Go through the integers."""
    return str(sum((k % 4 == 0) != (k % 6 == 0) for k in range(1, 1001)))


@check("omni_math/test/2")
def least_sum() -> str:
    """Express b by a and find where the derivative vanishes."""
    a = sp.Symbol("a", positive=True)
    total = a + 4 / (1 - 1 / a)
    return tex(min(total.subs(a, root) for root in sp.solve(sp.diff(total, a), a) if root > 1))


@check("omni_math/test/3")
def polynomial_by_differences() -> str:
    """Sum the differences."""
    k = sp.Symbol("k")
    return f"P(x) = {tex(sp.expand(3 + sp.summation(2 * k + 1, (k, 0, x - 1))))}"


@check("omni_math/test/4")
def primes() -> str:
    """Go through the primes; beyond 3 the value is divisible by 3."""
    return ", ".join(str(p) for p in sp.primerange(2, 1000) if sp.isprime(p * p + 8))


@check("omni_math/test/5")
def no_sum_divisible_by_seven() -> str:
    """Choose among the residues; two of residue 0 have a divisible sum."""
    sizes = [sum(k % 7 == r for k in range(1, 31)) for r in range(7)]
    fitting = (
        chosen
        for count in range(1, 7)
        for chosen in combinations(range(1, 7), count)
        if all(a + b != 7 for a, b in combinations(chosen, 2))
    )
    return str(1 + max(sum(sizes[r] for r in chosen) for chosen in fitting))
