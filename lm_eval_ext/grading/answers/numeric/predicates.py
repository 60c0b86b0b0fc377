"""Whether a condition holds: relations, properties said in words, membership in a set."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction

from lm_eval_ext.grading.answers.errors import Undefined, Unreadable
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator, Point
from lm_eval_ext.grading.answers.numeric.numbers import Value, is_less, mp, same, whole
from lm_eval_ext.grading.answers.numeric.operations import integer_root
from lm_eval_ext.grading.answers.syntax.nodes import Call, Condition, Group, Node, Number, Relation, Symbol

_MAX_PRIME = 10_000


def holds(condition: Condition, at: Point, evaluator: Evaluator) -> bool:
    """Whether it is true there. Raises AnswerError where that cannot be told."""
    if isinstance(condition, Relation):
        pairs = zip(condition.signs, condition.terms, condition.terms[1:], strict=False)
        return all(_related(sign, a, b, at, evaluator) for sign, a, b in pairs)
    if condition.name == "otherwise":
        raise Unreadable("otherwise than what?")
    subject, *args = (evaluator.value(n, at) for n in (condition.subject, *condition.args))
    return _has_property(condition.name, subject, args) == condition.holds


def _related(sign: str, left: Node, right: Node, at: Point, evaluator: Evaluator) -> bool:
    if sign in ("in", "notin"):
        return inside(evaluator.value(left, at), right, at, evaluator) == (sign == "in")
    if sign in ("≡", "≢"):
        assert isinstance(right, Call)
        *residues, modulus = [whole(evaluator.value(a, at)) for a in right.args]
        n = evaluator.value(left, at)
        if modulus == 0:
            raise Undefined("modulo zero")
        return _is_whole(n) and any((whole(n) - r) % modulus == 0 for r in residues) == (sign == "≡")
    if isinstance(left, (Group, Relation)) or isinstance(right, (Group, Relation)):
        raise Unreadable("a relation between groups")
    a, b = evaluator.value(left, at), evaluator.value(right, at)
    if sign in ("|", "notdivides"):
        return (_is_whole(a) and _is_whole(b) and whole(a) != 0 and whole(b) % whole(a) == 0) == (sign == "|")
    return _ORDERS[sign](a, b)


def inside(point: Value, region: Node, at: Point, evaluator: Evaluator) -> bool:
    """Membership in a domain, an interval, a finite set, or a union, intersection, difference of such."""
    if isinstance(region, Symbol):
        return _in_domain(point, region.name)
    if isinstance(region, Call) and region.name in _SET_OPERATIONS:
        left, right = (inside(point, part, at, evaluator) for part in region.args)
        return _SET_OPERATIONS[region.name](left, right)
    if isinstance(region, Group):
        return _in_group(point, region, (evaluator.value(item, at) for item in region.items))
    if isinstance(region, (Number, Call)):  # {2}, which plain text writes with the braces of a group
        return same(point, evaluator.value(region, at))
    raise Unreadable("not a region")


def _in_group(point: Value, region: Group, items: Iterator[Value]) -> bool:
    if region.open == "{":
        return any(same(point, item) for item in items)
    if len(region.items) != 2:
        raise Unreadable("not a region")
    low, high = items
    if (region.open == "[" and _is_infinite(low)) or (region.close == "]" and _is_infinite(high)):
        raise Unreadable("an interval that holds infinity")
    if not (is_less(low, point) or (region.open == "[" and same(low, point))):
        return False
    return is_less(point, high) or (region.close == "]" and same(point, high))


def _is_infinite(number: Value) -> bool:
    return not isinstance(number, Fraction) and bool(mp.isinf(number))


_SET_OPERATIONS: dict[str, Callable[[bool, bool], bool]] = {
    "union": lambda left, right: left or right,
    "intersection": lambda left, right: left and right,
    "minus": lambda left, right: left and not right,
}


def _in_domain(point: Value, name: str) -> bool:
    """Whether it belongs to R, Z, N, Q, C, or to a part such as "R>0"."""
    if name[0] not in _DOMAINS:
        raise Unreadable(f"{name} is no known set")
    if name[1:] in (">0", ">=0", "!=0", "<0", "<=0") and not _ORDERS[name[1:-1]](point, Fraction(0)):
        return False
    return _has_property(_DOMAINS[name[0]], point, [])


_DOMAINS = {"R": "real", "Z": "integer", "N": "natural", "Q": "rational", "C": "complex"}


def _is_whole(number: Value) -> bool:
    try:
        whole(number)
    except Undefined:
        return False
    return True


def _has_property(name: str, x: Value, args: list[Value]) -> bool:
    if name in _ORDERS:
        return _ORDERS[name](x, args[0])
    if name in _OF_NUMBERS:
        return _OF_NUMBERS[name](x)
    if not _is_whole(x):
        return False
    n = whole(x)
    return _OF_INTEGERS[name](n) if name in _OF_INTEGERS else _RELATIVE[name](n, *map(whole, args))


def factors(n: int) -> dict[int, int]:
    """Prime factors with exponents. Raises Undefined for what is too large to be factored here."""
    found: dict[int, int] = {}
    p = 2
    while p * p <= n:
        if p > _MAX_PRIME:
            raise Undefined("too large to be factored")
        while n % p == 0:
            found[p] = found.get(p, 0) + 1
            n //= p
        p += 1
    if n > 1:
        found[n] = 1
    return found


def _is_power(n: int, base: int) -> bool:
    while base > 1 and n > 1 and n % base == 0:
        n //= base
    return n == 1


_ORDERS: dict[str, Callable[[Value, Value], bool]] = {
    "=": same,
    "!=": lambda a, b: not same(a, b),
    "<": is_less,
    ">=": lambda a, b: not is_less(a, b),
    ">": lambda a, b: is_less(b, a),
    "<=": lambda a, b: not is_less(b, a),
}
_OF_NUMBERS: dict[str, Callable[[Value], bool]] = {
    "complex": lambda x: True,
    "real": lambda x: isinstance(x, Fraction) or bool(x == x.real),
    "rational": lambda x: isinstance(x, Fraction),
    "irrational": lambda x: not isinstance(x, Fraction),
    "positive": lambda x: is_less(Fraction(0), x),
    "negative": lambda x: is_less(x, Fraction(0)),
    "nonnegative": lambda x: not is_less(x, Fraction(0)),
    "nonpositive": lambda x: not is_less(Fraction(0), x),
    "nonzero": lambda x: not same(x, Fraction(0)),
}
_OF_INTEGERS: dict[str, Callable[[int], bool]] = {
    "integer": lambda n: True,
    "natural": lambda n: n > 0,
    "even": lambda n: n % 2 == 0,
    "odd": lambda n: n % 2 == 1,
    "prime": lambda n: n > 1 and factors(n) == {n: 1},
    "composite": lambda n: n > 3 and factors(n) != {n: 1},
    "squarefree": lambda n: n > 0 and set(factors(n).values()) <= {1},
    "primepower": lambda n: n > 1 and len(factors(n)) == 1,
    "square": lambda n: n >= 0 and math.isqrt(n) ** 2 == n,
    "cube": lambda n: integer_root(abs(n), 3) is not None,
    "perfectpower": lambda n: n == 1 or (n > 1 and math.gcd(*factors(n).values()) > 1),
}
_RELATIVE: dict[str, Callable[..., bool]] = {
    "multiple": lambda n, m: m != 0 and n % m == 0,
    "divisor": lambda n, m: n > 0 and m % n == 0,
    "divides": lambda n, m: n != 0 and m % n == 0,
    "power": _is_power,
    "coprime": lambda n, m: math.gcd(n, m) == 1,
    "≡": lambda n, *rest: rest[-1] != 0 and any((n - r) % rest[-1] == 0 for r in rest[:-1]),
}
