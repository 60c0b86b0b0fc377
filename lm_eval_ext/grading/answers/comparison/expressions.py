"""Whether two expressions are the same function of their letters.

Closed expressions are compared by value; formulas at several exact random points, integers where the
formula makes sense for integers alone. A formula that agrees at all of them is the same formula, but for
a chance that vanishes with the size of the points (Schwartz, 1980; Zippel, 1979).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain

from lm_eval_ext.grading.answers.comparison.outcome import Comparison
from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.numeric.evaluate import equal_at, value
from lm_eval_ext.grading.answers.numeric.modular import residue
from lm_eval_ext.grading.answers.numeric.numbers import TooLarge, Undefined, Value, is_less, is_real, same
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Group,
    Node,
    Relation,
    Symbol,
    differ,
    show,
    symbols,
    walk,
)

_INTEGERS_ONLY = frozenset("factorial factorial2 binom gcd lcm mod sum prod".split())
_PERIODIC = frozenset("sin cos tan cot sec csc".split())
_INTEGER_SENSITIVE = _PERIODIC | {"floor", "ceil", "apply"}
_STEPS = frozenset("floor ceil min max gcd lcm mod abs sgn binom".split())
_BRANCHED = frozenset("floor ceil min max gcd mod sgn".split())
_INTEGER_LETTERS = frozenset("ijklmnpdNMK")
_ROOTS = frozenset(["sqrt", "root", "log", "pow"])
_PRIMES = (2**61 - 1, 2**89 - 1, 2**107 - 1)
_POINTS = 8
_NEEDED = 3


def identical(left: Node, right: Node) -> Comparison:
    """(equal, reason): None where neither value nor points can tell."""
    if left == right:
        return True, f"both are {show(left)[:80]}"
    if _is_open_ended(left) or _is_open_ended(right):
        return None, "an ellipsis"
    letters = sorted(symbols(left) | symbols(right))
    try:
        return _by_points(left, right, letters) if letters else _by_value(left, right)
    except TooLarge:
        return _by_residue(left, right)
    except Unreadable as error:
        return None, str(error)


def _is_open_ended(node: Node) -> bool:
    return any(isinstance(n, Symbol) and n.name == "..." for n in walk(node))


def _by_value(left: Node, right: Node) -> Comparison:
    try:
        equal = equal_at(left, right, {})
    except Undefined as error:
        return None, str(error)
    said = "the same value" if equal else "different values"
    return equal, f"{show(left)[:60]} and {show(right)[:60]} have {said}"


def _by_residue(left: Node, right: Node) -> Comparison:
    """Numbers too large to be built, modulo three Mersenne primes."""
    try:
        equal = all(residue(left, p) == residue(right, p) for p in _PRIMES)
    except (TooLarge, Undefined, Unreadable):
        return None, "too large to be evaluated"
    said = " modulo large primes"
    return equal, f"equal{said}" if equal else differ(left, right, said)


def _by_points(left: Node, right: Node, letters: list[str]) -> Comparison:
    calls = [n for n in (*walk(left), *walk(right)) if isinstance(n, Call)]
    names = {n.name for n in calls}
    if any(n.name == "pow" and _is_zero(n.args[0]) for n in calls):
        return None, "a power of zero"  # 0^(x^2) is zero everywhere but where it has no value
    steps = names & _STEPS
    near = _turns(left, right) if steps or "sqrt" in names else []
    integer_letters = all(letter[0] in _INTEGER_LETTERS for letter in letters)
    if names & _INTEGERS_ONLY or ({"floor", "ceil"} & names and integer_letters):
        return _agree(left, right, _integer_points(letters, near))
    special = bool(steps or names & (_PERIODIC | {"sqrt"}))
    roots = bool(names & _ROOTS) and "i" not in names
    points = _special_points(letters) if special else []
    outcome = _agree(left, right, chain(_real_points(letters, near), points), real_only=roots)
    if (
        outcome[0] is not True
        and integer_letters
        and (names & _INTEGER_SENSITIVE or _alternates(left, right))
        and not (_varying(left, right, _PERIODIC) and _varying(right, left, _PERIODIC))
    ):
        waves = _PERIODIC | ({"pow"} if "i" in names else set())
        return _agree(left, right, _integer_points(letters, near), _BRANCHED | waves)
    return outcome


def _is_zero(node: Node) -> bool:
    try:
        return not symbols(node) and bool(value(node) == 0)
    except (Undefined, TooLarge, Unreadable):
        return False


def _alternates(left: Node, right: Node) -> bool:
    """Powers with a letter in the exponent, such as (-1)^n."""
    return any(
        isinstance(n, Call) and n.name == "pow" and symbols(n.args[1]) for n in (*walk(left), *walk(right))
    )


def _varying(node: Node, other: Node, names: frozenset[str]) -> list[Call]:
    """The functions of that name, of letters, that `node` has and `other` has not."""
    found = [n for n in walk(node) if isinstance(n, Call) and n.name in names and symbols(n)]
    there = set(walk(other)) if found else set()
    return [n for n in found if n not in there]


Point = dict[str, Value]


_INTEGER_STARTS = (6, 7, 8, 9, 10, 11, 12, 13, 17, 24, 1, 2, 3, 4, 5, 1009, 10_007, 123_457)


def _integer_points(letters: list[str], near: list[int]) -> Iterator[Point]:
    """Consecutive ones for parities and residues, small ones, some that are large, and the constants."""
    chance = random.Random(1)
    for start in (*_INTEGER_STARTS, *near):
        if len(letters) == 1:
            yield {letters[0]: Fraction(start)}
        else:
            yield {letter: Fraction(chance.randint(1, start + 8)) for letter in letters}
            if start in near:
                yield {letter: Fraction(start * chance.randint(1, 3)) for letter in letters}


def _real_points(letters: list[str], near: list[int]) -> Iterator[Point]:
    """Fractions of both signs in every other point, small and large, and some beside the constants."""
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


def _special_points(letters: list[str]) -> Iterator[Point]:
    """Where steps and waves show: 0, 1, -1, next to nothing, huge, and where no small period ends."""
    tiny = Fraction(1, 10**20)
    for point in (Fraction(0), Fraction(1), Fraction(-1), tiny, -tiny, 1 / tiny, -1 / tiny):
        yield dict.fromkeys(letters, point)
    for i in range(3):
        yield {k: Fraction(_PRIMES[1] + 10**26 * j, _PRIMES[0] << 28) for j, k in enumerate(letters, i)}
    if len(letters) > 1:
        for letter in letters:
            yield {other: Fraction(int(other != letter)) for other in letters}


_MOST_TURNS = 24


def _turns(*nodes: Node) -> list[int]:
    """Integers beside and beyond the numbers that occur: min(n, 100) changes its course at one."""
    found = set[int]()
    for node in (n for root in nodes for n in walk(root) if not isinstance(n, (Group, Relation))):
        if symbols(node):
            continue
        with suppress(Undefined, TooLarge, Unreadable):
            number = value(node)
            if isinstance(number, Fraction) and abs(number) > 13:
                found.add(int(abs(number)))
    return sorted({c + d for c in found for d in (-1, 0, 1)} | {2 * c for c in found})[:_MOST_TURNS]


def _agree(
    left: Node,
    right: Node,
    points: Iterable[Point],
    branched: frozenset[str] = _BRANCHED,
    real_only: bool = False,
) -> Comparison:
    """Whether the values agree at all points; `real_only` skips those where they differ but are not real.

    The skipped ones are where sqrt(a) sqrt(b) and sqrt(ab) are different branches. A step that one side
    alone has must have been seen to step: one that no point reaches shows nothing.
    """
    valid: list[Point] = []
    for point in points:
        try:
            if not equal_at(left, right, point):
                if real_only and not (is_real(value(left, point)) and is_real(value(right, point))):
                    continue
                where = ", ".join(f"{k} = {v}" for k, v in point.items())
                return False, differ(left, right, f" at {where}")
        except (Undefined, TooLarge):
            continue
        valid.append(point)
    if len(valid) < _NEEDED:
        return None, "too few points where both have a value"
    for step in _varying(left, right, branched) + _varying(right, left, branched):
        if len({_branch(step, point) for point in valid}) < 2:
            return None, f"{show(step)[:60]} is the same at every point"
    return True, f"equal at {len(valid)} points"


def _branch(step: Call, point: Point) -> object:
    """Which course the step takes there: its value, or the argument it chooses."""
    here = value(step, point)
    if step.name in ("min", "max"):
        return next((i for i, arg in enumerate(step.args) if same(here, value(arg, point))), -1)
    return here


_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}
"""The sign after a swap of sides."""


def same_relation(left: Relation, right: Relation) -> Comparison:
    """Equations up to a factor or a swap of sides; inequalities up to a positive factor or turning round."""
    if len(left.terms) != 2 or len(right.terms) != 2:
        return _same_chain(left, right)
    (a, b), (c, d) = left.terms, right.terms
    sign, other = left.signs[0], right.signs[0]
    if any(isinstance(t, (Group, Relation)) for t in (a, b, c, d)):
        return _same_chain(left, right)
    if sign not in _TURNED or other not in _TURNED:
        return _same_chain(left, right)
    gap, target = Call("add", (a, Call("neg", (b,)))), Call("add", (c, Call("neg", (d,))))
    factor = _constant_ratio(gap, target)
    if factor is None:
        return False, differ(left, right, ": no multiples of each other")
    if sign in ("=", "!="):
        return sign == other, "one is a multiple of the other"
    expected = other if is_less(Fraction(0), factor) else _TURNED[other]
    return sign == expected, "one is a multiple of the other"


def _constant_ratio(left: Node, right: Node) -> Value | None:
    """c with left = c * right and c != 0, or None."""
    letters = sorted(symbols(left) | symbols(right))
    ratio: Value | None = None
    for point in _real_points(letters, []):
        try:
            here, there = value(left, point), value(right, point)
            if same(there, Fraction(0)) or same(here, Fraction(0)):
                return None
            found = here / there if isinstance(here, Fraction) and isinstance(there, Fraction) else None
            if found is None or (ratio is not None and found != ratio):
                return None
            ratio = found
        except (Undefined, TooLarge, Unreadable):
            return None
    return ratio


def _same_chain(left: Relation, right: Relation) -> Comparison:
    for terms, signs in (
        (right.terms, right.signs),
        (right.terms[::-1], tuple(_TURNED.get(s, s) for s in right.signs[::-1])),
    ):
        if signs == left.signs and len(terms) == len(left.terms):
            outcomes = [_same_term(a, b) for a, b in zip(left.terms, terms, strict=True)]
            if all(o[0] is True for o in outcomes):
                return True, "the same relation"
    return False, differ(left, right)


def _same_term(a: Node, b: Node) -> Comparison:
    if a == b:
        return True, "the same"
    if not isinstance(a, (Group, Relation)) and not isinstance(b, (Group, Relation)):
        return identical(a, b)
    return False, "different"
