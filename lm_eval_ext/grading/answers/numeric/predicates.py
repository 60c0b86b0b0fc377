"""Whether a condition holds: relations, properties said in words, membership in a set."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.numeric.evaluate import value
from lm_eval_ext.grading.answers.numeric.numbers import Undefined, Value, is_less, same, whole
from lm_eval_ext.grading.answers.numeric.operations import integer_root
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Condition,
    Group,
    Node,
    Number,
    Property,
    Quantity,
    Relation,
    Symbol,
)

_MAX_PRIME = 10_000


def holds(condition: Condition, at: Mapping[str, Value]) -> bool:
    """Whether it is true there. Raises Undefined or Unreadable where that cannot be told."""
    if isinstance(condition, Property) and condition.name == "otherwise":
        raise Unreadable("otherwise than what?")
    if isinstance(condition, Property):
        number_ = value(condition.subject, at)
        args = [value(a, at) for a in condition.args]
        return _property(condition.name, number_, args) == condition.holds
    return all(
        _related(sign, a, b, at)
        for sign, a, b in zip(condition.signs, condition.terms, condition.terms[1:], strict=False)
    )


def _related(sign: str, left: Node, right: Node, at: Mapping[str, Value]) -> bool:
    if sign in ("in", "notin"):
        return inside(value(left, at), right, at) == (sign == "in")
    if sign in ("≡", "≢"):
        assert isinstance(right, Call)
        *residues, modulus = [whole(value(a, at)) for a in right.args]
        n = value(left, at)
        if modulus == 0:
            raise Undefined("modulo zero")
        return _is_whole(n) and any((whole(n) - r) % modulus == 0 for r in residues) == (sign == "≡")
    if isinstance(left, (Group, Relation)) or isinstance(right, (Group, Relation)):
        raise Unreadable("a relation between groups")
    a, b = value(left, at), value(right, at)
    if sign in ("|", "notdivides"):
        return (_is_whole(a) and _is_whole(b) and whole(a) != 0 and whole(b) % whole(a) == 0) == (sign == "|")
    return compare_values(sign, a, b)


def compare_values(sign: str, a: Value, b: Value) -> bool:
    """a < b, a <= b, a = b, a != b, a > b, a >= b."""
    if sign in ("=", "!="):
        return same(a, b) == (sign == "=")
    if sign in ("<", ">="):
        return is_less(a, b) == (sign == "<")
    return is_less(b, a) == (sign == ">")


def inside(point: Value, region: Node, at: Mapping[str, Value]) -> bool:
    """Membership in a domain, an interval, a finite set, or a union, intersection, difference of such."""
    if isinstance(region, Symbol):
        return _in_domain(region.name, point)
    if isinstance(region, Call) and region.name in ("union", "intersection", "minus"):
        left, right = (inside(point, part, at) for part in region.args)
        return {"union": left or right, "intersection": left and right, "minus": left and not right}[
            region.name
        ]
    if isinstance(region, Group) and region.open == "{":
        return any(same(point, value(item, at)) for item in region.items)
    if isinstance(region, Group) and len(region.items) == 2:
        low, high = (value(item, at) for item in region.items)
        above = is_less(low, point) or (region.open == "[" and same(low, point))
        return above and (is_less(point, high) or (region.close == "]" and same(point, high)))
    if isinstance(region, (Number, Call, Quantity)):  # {2}, written with the braces of a group
        return same(point, value(region, at))
    raise Unreadable("not a region")


def _in_domain(name: str, point: Value) -> bool:
    limit = name[1:]
    if name[0] not in "RZNQC":
        raise Unreadable(f"{name} is no known set")
    ok = {"": True, ">0": None, ">=0": None, "!=0": None, "<0": None, "<=0": None}.get(limit, False)
    if ok is None and not compare_values(limit[:-1], point, Fraction(0)):
        return False
    return _property(
        {"R": "real", "Z": "integer", "N": "natural", "Q": "rational", "C": "complex"}[name[0]], point, []
    )


def _is_whole(number_: Value) -> bool:
    try:
        whole(number_)
    except Undefined:
        return False
    return True


def _property(name: str, x: Value, args: list[Value]) -> bool:
    if name in ("<", ">", "<=", ">=", "=", "!="):
        return compare_values(name, x, args[0])
    if name in ("complex", "real"):
        return name == "complex" or isinstance(x, Fraction) or x == x.real
    if name in ("positive", "negative", "nonnegative", "nonpositive", "nonzero"):
        sign = {"positive": ">", "negative": "<", "nonnegative": ">=", "nonpositive": "<=", "nonzero": "!="}[
            name
        ]
        return compare_values(sign, x, Fraction(0))
    if name in ("rational", "irrational"):
        return isinstance(x, Fraction) == (name == "rational")
    if not _is_whole(x):
        return False
    n = whole(x)
    if name in _OF_INTEGERS:
        return _OF_INTEGERS[name](n)
    others = [whole(a) for a in args]
    return _RELATIVE[name](n, *others)


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
    "divisor": lambda n, m: n != 0 and m % n == 0,
    "divides": lambda n, m: n != 0 and m % n == 0,
    "power": _is_power,
    "coprime": lambda n, m: math.gcd(n, m) == 1,
    "≡": lambda n, *rest: rest[-1] != 0 and any((n - r) % rest[-1] == 0 for r in rest[:-1]),
}
