"""Answers made by chance: what they denote is known, so that a change of it is known to be one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

settings.register_profile("bounded", derandomize=True, deadline=None, max_examples=120, database=None)
settings.load_profile("bounded")
BOUNDED = settings.get_profile("bounded")


@dataclass(frozen=True)
class Made:
    """An answer: `meaning` is equal for equal ones, `ways` are spellings of it."""

    kind: str
    data: Any
    meaning: Any
    ways: tuple[str, ...]

    @property
    def text(self) -> str:
        return self.ways[0]


def _fraction(value: Fraction) -> str:
    sign = "-" if value < 0 else ""
    if value.denominator == 1:
        return str(value)
    return rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def number(data: Fraction) -> Made:
    return Made("number", data, data, (_fraction(data), f"${data}$", f"x = {data}"))


def surd(data: tuple[int, int, int]) -> Made:
    """a + b sqrt(c), c square-free."""
    a, b, c = data
    sign = "+" if b > 0 else "-"
    texts = (rf"{a} {sign} {abs(b)}\sqrt{{{c}}}", f"{a} {sign} {abs(b)}*sqrt({c})", f"{b}√{c} {a:+d}")
    return Made("surd", data, data, texts)


def row(data: tuple[int, ...]) -> Made:
    inner = ", ".join(map(str, data))
    return Made("tuple", data, data, (f"({inner})", rf"\left({inner}\right)", rf"$\langle {inner} \rangle$"))


def collection(data: tuple[int, ...]) -> Made:
    texts = (rf"\{{{', '.join(map(str, data))}\}}", ", ".join(map(str, reversed(data))))
    return Made("set", data, frozenset(data), texts)


def interval(data: tuple[str, int, int, str]) -> Made:
    left, low, high, right = data
    signs = {"(": "<", "[": r"\le", ")": "<", "]": r"\le"}
    texts = (f"{left}{low}, {high}{right}", f"{low} {signs[left]} x {signs[right]} {high}")
    return Made("interval", data, data, texts)


def polynomial(data: tuple[int, ...]) -> Made:
    """Coefficients from the constant on, in n."""
    terms = [f"{c:+d} n^{{{k}}}" if k else f"{c:+d}" for k, c in enumerate(data) if c]
    texts = (" ".join(reversed(terms)).lstrip("+"), "f(n) = " + " ".join(terms).lstrip("+"))
    return Made("polynomial", data, data, texts)


def named(data: tuple[int, int]) -> Made:
    x, y = data
    return Made("named", data, data, (f"x = {x}, y = {y}", f"y = {y}, x = {x}", f"(x, y) = ({x}, {y})"))


def congruence(data: tuple[int, int]) -> Made:
    residue, modulus = data
    texts = (rf"n \equiv {residue} \pmod{{{modulus}}}", f"n = {modulus}k + {residue}, k integer")
    return Made("congruence", data, (residue % modulus, modulus), texts)


_SMALL = st.integers(-99, 99)
_FEW = st.lists(_SMALL, min_size=2, max_size=4, unique=True).map(tuple)
_DATA: dict[Callable[[Any], Made], st.SearchStrategy[Any]] = {
    number: st.fractions(min_value=-999, max_value=999, max_denominator=60),
    surd: st.tuples(_SMALL.filter(bool), _SMALL.filter(bool), st.sampled_from([2, 3, 5, 6, 7, 10, 11])),
    row: st.lists(_SMALL, min_size=2, max_size=4).map(tuple),
    collection: _FEW,
    interval: st.tuples(
        st.sampled_from("(["), st.integers(-50, 0), st.integers(1, 50), st.sampled_from(")]")
    ),
    polynomial: st.lists(_SMALL, min_size=2, max_size=4)
    .map(tuple)
    .filter(lambda c: c[-1] and sum(map(bool, c)) > 1),
    named: st.tuples(_SMALL, _SMALL),
    congruence: st.integers(2, 6).flatmap(lambda m: st.tuples(st.integers(0, m - 1), st.just(m))),
}


def answers() -> st.SearchStrategy[Made]:
    return st.one_of([data.map(make) for make, data in _DATA.items()])


def pairs() -> st.SearchStrategy[tuple[Made, Made]]:
    """Two of one kind."""
    return st.one_of([st.tuples(data.map(make), data.map(make)) for make, data in _DATA.items()])


_MAKE = {"number": number, "surd": surd, "tuple": row, "set": collection, "interval": interval}
_MAKE |= {"polynomial": polynomial, "named": named, "congruence": congruence}
_BRACKETS = {"(": "[", "[": "(", ")": "]", "]": ")"}


def _is_one(data: list[Any]) -> bool:
    return True


_IS_ONE: dict[str, Callable[[list[Any]], bool]] = {
    "surd": lambda data: data[2] in (2, 3, 5, 6, 7, 10, 11),
    "interval": lambda data: data[1] < data[2],
    "congruence": lambda data: data[1] > 1,
    "polynomial": lambda data: bool(data[-1]) and sum(map(bool, data)) > 1,
}
"""Whether changed data still make an answer of the kind."""


def _changed(part: Any, by: int) -> Any:
    return _BRACKETS[part] if isinstance(part, str) else part + by


def neighbours(made: Made) -> list[Made]:
    """The answer with one part of it changed: a number, a sign, a bracket; an element more or less."""
    if isinstance(made.data, Fraction):
        found = [-made.data, made.data + 1, made.data * 10, 1 / made.data if made.data else Fraction(1)]
        return [number(f) for f in found if f != made.data]
    data = list(made.data)
    found = [[*data[:i], _changed(part, 1), *data[i + 1 :]] for i, part in enumerate(data)]
    found += [[*data[:i], -part, *data[i + 1 :]] for i, part in enumerate(data) if isinstance(part, int)]
    if made.kind in ("tuple", "set"):
        found += [[*data, 777], data[1:], data[::-1]]
    others = [_MAKE[made.kind](tuple(f)) for f in found if _IS_ONE.get(made.kind, _is_one)(f)]
    return [o for o in others if o.meaning != made.meaning]
