"""Computations that confirm the answers of the MathNet-style sample problems.

Each function in CHECKS finds the answer of one problem from the problem's own data (exhaustive
search, exact fractions or computer algebra) and returns it as a string that is mathematically
equal to the stored final answer. Where a problem speaks of all positive integers n, the pattern
is found and confirmed on a range of n. UNCHECKED names the remaining problems.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import cache
from itertools import (
    combinations,
    combinations_with_replacement,
    count,
    pairwise,
    permutations,
    product,
)

import sympy as sp

N, X, Y = sp.symbols("n x y")


def tex(value: object) -> str:
    """LaTeX form of a number or expression."""
    return sp.latex(sp.sympify(value))


def listed(values: Iterable[object]) -> str:
    """Set notation with the members in increasing order."""
    return "{" + ", ".join(tex(v) for v in sorted(values, key=float)) + "}"


def tuples(values: Iterable[Sequence[object]]) -> str:
    """Tuples in round brackets, separated by commas."""
    return ", ".join("(" + ", ".join(tex(v) for v in t) + ")" for t in values)


def only(values: Iterable[object]) -> object:
    """The single member of a collection; anything else is an error."""
    (value,) = values
    return value


def fit(values: Sequence[int], basis: Sequence[sp.Expr]) -> sp.Expr:
    """Combination of basis functions of n through values[0] at n = 1, values[1] at n = 2, ..."""
    size = len(basis)
    if len(values) < size + 3:
        raise ValueError("too few values to confirm a formula")
    matrix = sp.Matrix(size, size, lambda i, j: basis[j].subs(N, i + 1))
    weights = matrix.solve(sp.Matrix(values[:size]))
    formula = sum(w * b for w, b in zip(weights, basis, strict=True))
    for n, value in enumerate(values, start=1):
        if sp.simplify(formula.subs(N, n) - value) != 0:
            raise ValueError(f"the formula fails at n = {n}")
    return formula


def powers_of_n(degree: int) -> list[sp.Expr]:
    """The basis 1, n, n^2, ... up to the given degree."""
    return [N**k for k in range(degree + 1)]


def condition(holds: Callable[[int], bool], first: int, last: int) -> tuple[int, list[int]]:
    """Smallest modulus m, and residues, that describe where holds(n) is true for n in a range."""
    truth = {n: holds(n) for n in range(first, last + 1)}
    for m in range(1, (last - first) // 2):
        residues = sorted({n % m for n in truth if truth[n]})
        if all(truth[n] == (n % m in residues) for n in truth):
            return m, residues
    raise ValueError("no periodic pattern found")


def worded(modulus: int, residues: list[int]) -> str:
    """A condition on n in words."""
    if modulus == 2 and len(residues) == 1:
        return "all odd n" if residues == [1] else "all even n"
    if residues == [0]:
        return f"n is divisible by {modulus}"
    return rf"n \equiv {', '.join(map(str, residues))} \pmod{{{modulus}}}"


def solution_set(holds: Callable[[sp.Expr], bool], critical: Iterable[sp.Expr]) -> str:
    """Union of intervals on which holds is true, given the points where it can change."""
    points = sorted(set(critical), key=float)
    samples = [points[0] - 1]
    for left, right in pairwise(points):
        samples.append((left + right) / 2)
    samples.append(points[-1] + 1)
    pieces: list[str] = []
    start: str | None = r"(-\infty" if holds(samples[0]) else None
    for k, point in enumerate(points):
        at, after = holds(point), holds(samples[k + 1])
        if start is not None and not (at and after):
            pieces.append(f"{start}, {tex(point)}" + ("]" if at else ")"))
            start = None
        elif start is None and at and not after:
            pieces.append(rf"\{{{tex(point)}\}}")
        if start is None and after:
            start = ("[" if at else "(") + tex(point)
    if start is not None:
        pieces.append(rf"{start}, \infty)")
    return r" \cup ".join(pieces)


def real_roots_between(poly: sp.Expr, low: object, high: object) -> int:
    """Number of distinct real roots of a polynomial in x from low to high, ends included."""
    return sp.Poly(poly, X).count_roots(low, high)


def is_square(value: int) -> bool:
    """Whether an integer is a perfect square."""
    return value >= 0 and math.isqrt(value) ** 2 == value


def digit_sum(value: int) -> int:
    """Sum of the decimal digits."""
    return sum(map(int, str(value)))


def s001() -> str:
    """Euclid's algorithm on the two numbers."""
    return str(math.gcd(2**12 - 1, 2**18 - 1))


def s002() -> str:
    """Run through all three-digit numbers."""
    digits = (str(k) for k in range(100, 1000))
    return str(sum(d[0] > d[1] > d[2] and digit_sum(int(d)) == 9 for d in digits))


def s003() -> str:
    """Add the ten fractions."""
    return str(sum(Fraction(1, k * (k + 2)) for k in range(1, 11)))


def s004() -> str:
    """Distance from the right angle to the line through the other two vertices."""
    right_angle = sp.Point(0, 0)
    return str(sp.Line(sp.Point(20, 0), sp.Point(0, 21)).distance(right_angle))


def s005() -> str:
    """Solve on every combination of signs and keep what satisfies the equation."""
    found = set()
    for s, t in product((1, -1), repeat=2):
        found.update(sp.solve(s * (X - 1) + t * (X - 4) - 7, X))
    return listed(v for v in found if abs(v - 1) + abs(v - 4) == 7)


def s006() -> str:
    """The smaller number is below 12, which bounds the search."""
    pairs = []
    for x in range(7, 12):
        y = 1 / (Fraction(1, 6) - Fraction(1, x))
        if y.denominator == 1 and y > x:
            pairs.append((x, int(y)))
    return tuples(pairs)


def s007() -> str:
    """Modular powers."""
    return str((pow(7, 2023, 100) + pow(3, 2023, 100)) % 100)


def s008() -> str:
    """Test the inequality at, and between, the points where its two sides can cross."""
    critical = [*sp.solve(2 * X + 1 - (X + 2), X), sp.Integer(-2)]
    return solution_set(lambda v: v != -2 and bool((2 * v + 1) / (v + 2) <= 1), critical)


def s009() -> str:
    """Area from the coordinates of the three vertices."""
    vertices = [sp.Point(4 * sp.cos(2 * sp.pi * k / 3), 4 * sp.sin(2 * sp.pi * k / 3)) for k in range(3)]
    return tex(abs(sp.Triangle(*vertices).area))


def s010() -> str:
    """Parity pattern of the first terms of the sequence."""
    terms = {1: 1, 2: 3}
    for k in range(3, 121):
        terms[k] = terms[k - 1] + terms[k - 2]
    return worded(*condition(lambda n: terms[n] % 2 == 0, 1, 120))


def s011() -> str:
    """Fit a polynomial to the first sums and confirm it on further ones."""
    sums = [sum((2 * k - 1) ** 2 for k in range(1, n + 1)) for n in range(1, 13)]
    return tex(sp.factor(fit(sums, powers_of_n(4))))


def s012() -> str:
    """All sums that the signs can produce."""
    reachable = {0}
    for k in range(1, 15):
        reachable = {s + t for s in reachable for t in (k, -k)}
    return "Yes" if 20 in reachable else "No"


def s013() -> str:
    """List the divisors."""
    divisors = [d for d in range(1, 7201) if 7200 % d == 0]
    return f"(a) {len(divisors)}; (b) {sum(map(is_square, divisors))}"


def s014() -> str:
    """Both numbers divide 360, so try all pairs of divisors."""
    divisors = [d for d in range(1, 361) if 360 % d == 0]
    return str(sum(math.lcm(a, b) == 360 for a, b in product(divisors, repeat=2)))


def s015() -> str:
    """First factorial that is divisible by the power of two."""
    return str(next(n for n in count(1) if math.factorial(n) % 2**40 == 0))


def s016() -> str:
    """Run through all three-digit numbers."""
    return listed(k for k in range(100, 1000) if k == 13 * digit_sum(k))


def s017() -> str:
    """The equation at x and at 1 - x is a linear system for f(x) and f(1 - x)."""
    here, there = sp.symbols("here there")
    solution = sp.solve([2 * here + there - 3 * X**2, 2 * there + here - 3 * (1 - X) ** 2], [here, there])
    return f"f(x) = {tex(sp.expand(solution[here]))}"


def s018() -> str:
    """The remainder is constant, which bounds n."""
    remainder = int(sp.rem(N**2 + 27, N + 3, N))
    return str(sum(n for n in range(1, remainder + 1) if (n * n + 27) % (n + 3) == 0))


def s019() -> str:
    """Count pairs of bit masks and fit powers of 1, 2 and 3."""
    counts = [sum(a & b == a and a != b for a, b in product(range(2**n), repeat=2)) for n in range(1, 8)]
    return tex(fit(counts, [sp.Integer(1), 2**N, 3**N]))


def s020() -> str:
    """Distance of the two lines from coordinates of a regular tetrahedron in a cube."""
    a, b, c, d = (sp.Matrix(v) for v in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)))
    edges = {(p - q).norm() for p, q in combinations((a, b, c, d), 2)}
    normal = (b - a).cross(d - c)
    distance = abs((c - a).dot(normal)) / normal.norm()
    return tex(sp.simplify(6 * distance / only(edges)))


def s021() -> str:
    """Fit the first terms for part (a); iterate the recurrence modulo 10 for part (b)."""
    terms = [1]
    for _ in range(10):
        terms.append(3 * terms[-1] + 2)
    formula = fit(terms[1:], [sp.Integer(1), 3**N])
    if formula.subs(N, 0) != terms[0]:
        raise ValueError("the formula fails at n = 0")
    last = 1
    for _ in range(2024):
        last = (3 * last + 2) % 10
    return f"(a) ${tex(formula)}$; (b) {last}"


def s022() -> str:
    """Run through all draws."""
    draws = list(combinations(range(1, 13), 3))
    return str(Fraction(sum(sum(d) % 4 == 0 for d in draws), len(draws)))


def s023() -> str:
    """Power sums are the traces of powers of the companion matrix."""
    companion = sp.Matrix([[0, 0, 3], [1, 0, -2], [0, 1, 1]])
    if companion.charpoly(X).as_expr() != X**3 - X**2 + 2 * X - 3:
        raise ValueError("wrong companion matrix")
    return str((companion**5).trace())


def s024() -> str:
    """Exhaustive covering of the first free cell."""

    @cache
    def ways(top: int, bottom: int) -> int:
        """Coverings when the two rows are filled up to the given columns."""
        if top == bottom == 10:
            return 1
        total = 0
        if top <= bottom:
            total += ways(top + 2, bottom) if top + 2 <= 10 else 0
            if top == bottom:
                total += ways(top + 1, bottom + 1)
                total += ways(top + 2, bottom + 2) if top + 2 <= 10 else 0
        elif bottom + 2 <= 10:
            total += ways(top, bottom + 2)
        return total

    return str(ways(0, 0))


def s025() -> str:
    """From n = 21 on the value lies strictly between (n + 1)^2 and (n + 2)^2."""
    return listed(n for n in range(1, 200) if is_square(n * n + 3 * n + 24))


def s026() -> str:
    """Count positive roots at, and between, the zeros of discriminant, sum and product."""
    a = sp.Symbol("a")
    quadratic = X**2 + 2 * (a - 1) * X + a + 5
    critical = sp.solve(sp.discriminant(quadratic, X), a)
    critical += sp.solve(a - 1, a) + sp.solve(a + 5, a)

    def holds(value: sp.Expr) -> bool:
        """Whether two distinct roots are positive."""
        poly = quadratic.subs(a, value)
        at_zero = int(poly.subs(X, 0) == 0)
        return real_roots_between(poly, 0, None) - at_zero == 2

    return solution_set(holds, critical)


def s027() -> str:
    """Place the circle between the lines y = 0 and y = 2r and make it touch a slanted side."""
    r = sp.Symbol("r", positive=True)
    foot, top, centre = sp.Point(9, 0), sp.Point(4, 2 * r), sp.Point(0, r)
    touching = sp.Line(foot, top).distance(centre) ** 2 - r**2
    radius = only(sp.solve(touching, r))
    return tex((8 + 18) * radius)


def s028() -> str:
    """Circumradius from coordinates."""
    third = sp.Point(7 * sp.cos(sp.pi / 3), 7 * sp.sin(sp.pi / 3))
    return tex(sp.simplify(sp.Triangle(sp.Point(0, 0), sp.Point(5, 0), third).circumradius))


def s029() -> str:
    """From abc <= 6c we get ab <= 6, and then c is determined."""
    found = []
    for a, b in combinations_with_replacement(range(1, 7), 2):
        if a * b > 2:
            c = Fraction(2 * (a + b), a * b - 2)
            if c.denominator == 1 and c >= b:
                found.append((a, b, int(c)))
    return tuples(found)


def s030() -> str:
    """Won and lost positions from the end of the game."""
    wins = [False]
    for k in range(1, 101):
        wins.append(any(not wins[k - t] for t in (1, 3, 4) if t <= k))
    return "the first player" if wins[100] else "the second player"


def s031() -> str:
    """Reachable subset sums for each n."""

    def holds(n: int) -> bool:
        """Whether half of the total is a subset sum."""
        sums = 1
        for k in range(1, n + 1):
            sums |= sums << k
        total = n * (n + 1) // 2
        return total % 2 == 0 and bool(sums >> (total // 2) & 1)

    return worded(*condition(holds, 1, 60))


def s032() -> str:
    """Run through all subsets as bit masks."""
    return str(sum(mask & (mask >> 3) == 0 for mask in range(2**12)))


def s033() -> str:
    """The equation at x and at 1/x is a linear system for f(x) and f(1/x)."""
    here, there = sp.symbols("here there")
    solution = sp.solve([3 * here - there - 8 * X, 3 * there - here - 8 / X], [here, there])
    return f"f(x) = {tex(sp.expand(solution[here]))}"


def s034() -> str:
    """Count subsets and fit powers of 1 and 2."""
    counts = []
    for n in range(1, 11):
        subsets = (s for k in range(1, n + 1) for s in combinations(range(1, n + 1), k))
        counts.append(sum(sum(s) % 2 == 0 for s in subsets))
    return tex(sp.powsimp(fit(counts, [sp.Integer(1), 2**N])))


def s035() -> str:
    """Sum of the series, confirmed by a long partial sum."""
    value = sp.summation(N**2 / sp.Integer(4) ** N, (N, 1, sp.oo))
    partial = sum(Fraction(n * n, 4**n) for n in range(1, 60))
    if abs(float(value) - float(partial)) > 1e-12:
        raise ValueError("the partial sum disagrees")
    return str(value)


def s036() -> str:
    """Run through all colourings."""
    edges = [(k, (k + 1) % 6) for k in range(6)] + [(k, k + 3) for k in range(3)]
    colourings = product(range(4), repeat=6)
    return str(sum(all(c[i] != c[j] for i, j in edges) for c in colourings))


def s037() -> str:
    """Build every square from a corner and a side vector."""
    grid = set(product(range(5), repeat=2))
    squares = set()
    for (x, y), (u, v) in product(grid, product(range(-4, 5), repeat=2)):
        corners = frozenset({(x, y), (x + u, y + v), (x + u - v, y + v + u), (x - v, y + u)})
        if len(corners) == 4 and corners <= grid:
            squares.add(corners)
    straight = sum(len({x for x, _ in s}) == 2 for s in squares)
    return f"(a) {straight}; (b) {len(squares)}"


def s038() -> str:
    """Integrate the height of the right half between the lower circle and the upper circle."""
    lower = sp.sqrt(4 - (X - 2) ** 2)
    upper = 2 * sp.sqrt(3) - sp.sqrt(4 - X**2)
    below = sp.integrate(sp.sqrt(4 - X**2), (X, -2, -1))
    above = sp.integrate(upper, (X, 0, 1))
    if sp.simplify(lower.subs(X, X + 2) - sp.sqrt(4 - X**2)) != 0:
        raise ValueError("the shifted lower circle is wrong")
    return tex(sp.expand(2 * (above - below)))


def s039() -> str:
    """Minimum of x + 108/x^2 from its only positive stationary point."""
    t = sp.Symbol("t", positive=True)
    total = t + 108 / t**2
    at = only(sp.solve(sp.diff(total, t), t))
    if sp.diff(total, t, 2).subs(t, at) <= 0:
        raise ValueError("not a minimum")
    return tex(total.subs(t, at))


def s040() -> str:
    """Integer roots need a square discriminant; (k - 2)^2 - 44 is none for |k - 2| > 22."""
    found = []
    for k in range(-60, 61):
        roots = sp.roots(X**2 + k * X + k + 10, X)
        if all(r.is_integer for r in roots):
            found.append(k)
    return " or ".join(f"k = {k}" for k in found)


def s041() -> str:
    """Search over exponents up to 300; an even exponent bounds n, an odd one fails modulo 3."""
    if any(pow(n, 2, 3) == (pow(2, m, 3) + 33) % 3 for n in range(3) for m in (1, 3)):
        raise ValueError("odd exponents are not excluded modulo 3")
    found = [(m, math.isqrt(2**m + 33)) for m in range(1, 301) if is_square(2**m + 33)]
    return "(m, n) = " + " and ".join(str(pair) for pair in found)


def s042() -> str:
    """A value is taken when a quadratic has a real root other than 1."""
    quadratic = X**2 + 3 - Y * (X - 1)
    critical = sp.solve(sp.discriminant(quadratic, X), Y)

    def holds(value: sp.Expr) -> bool:
        """Whether the value is taken."""
        poly = quadratic.subs(Y, value)
        return real_roots_between(poly, None, None) > int(poly.subs(X, 1) == 0)

    return solution_set(holds, critical)


def s043() -> str:
    """Fill the board column by column for every length up to 16."""
    shapes = [{(0, 0), (0, 1), (1, 0), (1, 1)} - {gone} for gone in product(range(2), repeat=2)]
    placed = [{(r + shift, c) for r, c in s} for s in shapes for shift in (0, 1)]
    masks = [(sum(1 << r for r, c in s if c == 0), sum(1 << r for r, c in s if c == 1)) for s in placed]

    @cache
    def tileable(columns: int, filled: int) -> bool:
        """Whether the rest can be covered when some cells of its first column are taken."""
        if columns == 0:
            return filled == 0
        if filled == 7:
            return tileable(columns - 1, 0)
        return columns > 1 and any(tileable(columns - 1, after) for after in fillings(filled, 0))

    @cache
    def fillings(here: int, after: int) -> frozenset[int]:
        """Cells taken in the next column for every way to complete this one."""
        if here == 7:
            return frozenset({after})
        free = next(r for r in range(3) if not here >> r & 1)
        result: set[int] = set()
        for left, right in masks:
            if left >> free & 1 and not left & here and not right & after:
                result |= fillings(here | left, after | right)
        return frozenset(result)

    return worded(*condition(lambda n: tileable(n, 0), 1, 16))


def s044() -> str:
    """First exponent that gives the remainder 1."""
    return str(next(n for n in count(1) if pow(2, n, 2025) == 1))


def s045() -> str:
    """The values follow from m = 1; fit them and confirm the equation for the formula."""
    values = [2]
    for m in range(1, 12):
        values.append(values[-1] + values[0] + m)
    formula = sp.factor(fit(values, powers_of_n(3)))
    at = [formula.subs(N, v) for v in (X + Y, X, Y)]
    if sp.expand(at[0] - at[1] - at[2] - X * Y) != 0:
        raise ValueError("the formula does not satisfy the equation")
    return f"f(n) = {tex(formula)}"


def s046() -> str:
    """The sum divided by (n + 1)! is fitted by a polynomial."""
    quotients = []
    for n in range(1, 12):
        total = sum((k * k + 1) * math.factorial(k) for k in range(1, n + 1))
        quotients.append(sp.Rational(total, math.factorial(n + 1)))
    return tex(fit(quotients, powers_of_n(3)) * sp.factorial(N + 1))


def s047() -> str:
    """One prime is 11 and the others satisfy (u - 1)(v - 1) = 12."""
    primes = list(sp.primerange(2, 60))
    triples = combinations_with_replacement(primes, 3)
    return tuples(t for t in triples if math.prod(t) == 11 * sum(t))


def s048() -> str:
    """Largest independent set in the graph of forbidden pairs, by exhaustive branching."""
    clash = {a: sum(1 << b for b in range(1, 31) if b != a and (a + b) % 7 == 0) for a in range(1, 31)}

    @cache
    def largest(allowed: int) -> int:
        """Size of a largest permitted set inside a bit mask."""
        if not allowed:
            return 0
        a = allowed.bit_length() - 1
        rest = allowed & ~(1 << a)
        return max(1 + largest(rest & ~clash[a]), largest(rest) if rest & clash[a] else 0)

    return str(largest(sum(1 << a for a in range(1, 31))))


def s049() -> str:
    """Integrate the length of the vertical cross-sections over the right half."""
    arc = sp.integrate(sp.sqrt(1 - X**2), (X, 0, 1))
    beyond = 4 * 1 + 2 * arc  # 2 < x < 3: the length 4 of the side and a round corner at each end
    strip = 6 * 1  # 1 < x < 2: the whole height
    middle = (6 - 2) * 1  # 0 < x < 1: the height without the hole of length 2
    return tex(sp.expand(2 * (beyond + strip + middle)))


def s050() -> str:
    """Eliminate y and solve the resulting quartic exactly."""
    roots = sp.real_roots(sp.Poly(sp.expand((12 - X**2) ** 2 + X - 12), X))
    pairs = [(sp.radsimp(r), sp.radsimp(sp.expand(12 - r**2))) for r in roots]
    if any(sp.simplify(x**2 + y - 12) or sp.simplify(y**2 + x - 12) for x, y in pairs):
        raise ValueError("a pair does not satisfy the system")
    return tuples(pairs)


def s051() -> str:
    """Run through all permutations."""
    found = permutations(range(7))
    return str(sum(all(abs(a - i) <= 2 for i, a in enumerate(p)) for p in found))


def s052() -> str:
    """Pattern of the numbers up to 240."""
    return worded(*condition(lambda n: sum(k * k for k in range(n + 1)) % n == 0, 1, 240))


def s053() -> str:
    """For given z the numbers x and y are the roots of a quadratic, which must be real."""
    z = sp.Symbol("z")
    total, squares = 4 - z, 6 - z**2
    quadratic = X**2 - total * X + (total**2 - squares) / 2
    critical = sp.solve(sp.discriminant(quadratic, X), z)
    return solution_set(lambda v: real_roots_between(quadratic.subs(z, v), None, None) > 0, critical)


def s054() -> str:
    """Sums of three cubes modulo 9; without a match modulo 9 there is no triple."""
    residues = {(x**3 + y**3 + z**3) % 9 for x, y, z in product(range(9), repeat=3)}
    if 2020 % 9 in residues:
        raise ValueError("the residues do not decide")
    return "none"


def s055() -> str:
    """Count factors 2 of the number itself."""
    value = 5**1024 - 3**1024
    return str((value & -value).bit_length() - 1)


def s056() -> str:
    """Incircle and circumcircle from coordinates."""
    triangle = sp.Triangle(sp.Point(0, 0), sp.Point(8, 0), sp.Point(0, 15))
    distance = triangle.incenter.distance(triangle.circumcenter)
    return f"(a) {tex(triangle.inradius)}; (b) ${tex(sp.simplify(distance))}$"


def s057() -> str:
    """Solve for each integer part; x^2 + 4 <= 5x shows that x lies between 1 and 4."""
    found = set()
    for part in range(-10, 11):
        roots = sp.solve(X**2 - 5 * part + 4, X)
        found.update(r for r in roots if r.is_real and sp.floor(r) == part)
    return listed(found)


def s058() -> str:
    """Coordinates of the circle and of its second intersections with the sides."""
    b, c, m = sp.Point(-4, 0), sp.Point(4, 0), sp.Point(0, 0)
    x_a = sp.Rational(49 - 81, 16)
    a = sp.Point(x_a, sp.sqrt(49 - (x_a + 4) ** 2))
    radius = (a.x**2 + a.y**2) / (2 * a.y)

    def second(end: sp.Point) -> sp.Rational:
        """Fraction of the way from A to the end at which the circle is met again."""
        t = sp.Symbol("t")
        x, y = a.x + t * (end.x - a.x), a.y + t * (end.y - a.y)
        roots = sp.solve(sp.expand(x**2 + (y - radius) ** 2 - radius**2), t)
        return only(r for r in roots if r != 0)

    if (a.distance(b), b.distance(c), c.distance(a), m.distance(b)) != (7, 8, 9, 4):
        raise ValueError("wrong triangle")
    ratios = [second(b), second(c)]
    if not all(0 < r < 1 for r in ratios):
        raise ValueError("a point lies outside its side")
    return str(ratios[0] * ratios[1])


def s059() -> str:
    """Each t/2 - k sqrt(t - k^2) has one minimum; the three minima add up to zero."""
    t = sp.Symbol("t", positive=True)
    points, total = [], sp.Integer(0)
    for k in (1, 2, 3):
        term = t / 2 - k * sp.sqrt(t - k**2)
        at = only(sp.solve(sp.diff(term, t), t))
        if sp.diff(term, t, 2).subs(t, at) <= 0 or term.subs(t, at) >= term.subs(t, k**2):
            raise ValueError("not a minimum")
        points.append(at)
        total += term.subs(t, at)
    if total != 0:
        raise ValueError("the minima do not add up to zero")
    return tuples([points])


def s060() -> str:
    """The side BC is seen from P under the angle 120 degrees."""
    angle = sp.pi - sp.pi / 3
    b, c = sp.Point(5, 0), sp.Point(16 * sp.cos(angle), 16 * sp.sin(angle))
    return tex(b.distance(c))


def s061() -> str:
    """Values at multiples of 1/2 are forced by u = f(1/2); the equation leaves two u."""
    u = sp.Symbol("u")
    half = sp.Rational(1, 2)
    at_zero = only(v for v in sp.solve(X * X - X, X) if v != 0)
    values = {sp.Integer(0): at_zero}
    for k in range(1, 9):
        before = (k - 1) * half
        values[k * half] = sp.expand(values[before] * u - 4 * before * half)
    equations = [
        sp.expand(values[p] * values[q] - values[p + q] - 4 * p * q)
        for p, q in combinations_with_replacement(values, 2)
        if p + q in values
    ]
    roots = sp.solve(sp.gcd_list([e for e in equations if e != 0]), u)
    found = []
    for root in roots:
        points = [(p, v.subs(u, root)) for p, v in values.items()]
        rule = sp.expand(sp.interpolate(points, X))
        check = rule * rule.subs(X, Y) - rule.subs(X, X + Y) - 4 * X * Y
        if sp.expand(check) != 0:
            raise ValueError("a candidate does not satisfy the equation")
        found.append(f"f(x) = {str(rule).replace('*', '')}")
    return " and ".join(reversed(found))


def s063() -> str:
    """Best value over all boards, row by row."""
    rows = range(2**7)
    black = [[(r >> k & 3).bit_count() for k in range(6)] for r in rows]
    fits = [
        [s for s in rows if all(p + q <= 2 for p, q in zip(black[r], black[s], strict=True))] for r in rows
    ]
    best = [r.bit_count() for r in rows]
    for _ in range(6):
        best = [r.bit_count() + max(best[s] for s in fits[r]) for r in rows]
    return str(max(best))


def s064() -> str:
    """The inequality holds as long as the smallest eigenvalue of the form is not negative."""
    path = sp.Matrix(4, 4, lambda i, j: int(abs(i - j) == 1))
    largest = max(path.eigenvals(), key=float)
    return tex(sp.radsimp(sp.sqrtdenest(sp.simplify(2 / largest))))


def s065() -> str:
    """Pattern of the numbers from 2 to 150."""

    def holds(n: int) -> bool:
        """Whether n divides the sum."""
        return sum(pow(k, n, n) for k in range(1, n)) % n == 0

    modulus, residues = condition(holds, 2, 150)
    kind = worded(modulus, residues).removesuffix(" n")
    smallest = next(n for n in count(2) if holds(n))
    return f"{kind} integers greater than {smallest - modulus}"


def s066() -> str:
    """On the integers from -6 to 6 the equation is a linear system with one free constant."""
    size = 6
    equations = set()
    for x, y in product(range(-size, size + 1), repeat=2):
        if abs(x * x + y) <= size:
            row = [0] * (2 * size + 1)
            row[x * x + y + size] += 1
            row[x + size] -= x
            row[y + size] -= 1
            equations.add(tuple(row))
    vector = only(sp.Matrix(sorted(equations)).nullspace())
    points = [(k, vector[k + size] / vector[1 + size]) for k in range(-size, size + 1)]
    rule = sp.expand(sp.interpolate(points, X))
    if sp.expand(rule.subs(X, X**2 + Y) - X * rule - rule.subs(X, Y)) != 0:
        raise ValueError("the rule does not satisfy the equation")
    return f"f(x) = {str(sp.Symbol('c') * rule).replace('*', '')} for any real constant $c$"


CHECKS: dict[str, Callable[[], str]] = {
    name: function
    for name, function in sorted(globals().items())
    if len(name) == 4 and name[0] == "s" and name[1:].isdigit()
}

UNCHECKED: dict[str, str] = {
    "s062": "a drawing can show that the number of regions is reached, but no finite search over "
    "positions of triangles shows that it is never exceeded",
}
