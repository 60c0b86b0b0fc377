"""Equations in several unknowns: one solved for an unknown, and families of curves with a constant."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction

from lm_eval_ext.grading.answers.comparison.outcomes import first_failure
from lm_eval_ext.grading.answers.errors import AnswerError
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator, Point
from lm_eval_ext.grading.answers.numeric.numbers import Value, as_real, is_real, mp
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Group,
    Node,
    Relation,
    Symbol,
    number,
    substitute,
    symbols,
)
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

_CONSTANTS = frozenset("C c K k A B D a b".split()) | {f"{c}_{i}" for c in "cCkK" for i in range(4)}
_UNKNOWNS = frozenset("x y z t u v w s r theta".split())
_NEEDED, _CANDIDATES = 4, 30
_DIGITS = 20


@rule("relations.solved")
def same_solved(left: Relation, right: Relation, evaluator: Evaluator) -> Outcome | None:
    """ "y = f(x)" and an equation that is linear in y and has f(x) as its solution; None for others."""
    for one, other in ((left, right), (right, left)):
        solved = _explicit(one)
        if solved is None or solved[0].name not in symbols(gap(other)) or _explicit(other) is not None:
            continue
        name, value = solved
        letters = sorted((symbols(gap(other)) | symbols(value)) - {name.name})
        if not _is_affine(gap(other), name.name, letters, evaluator):
            return None
        residual = list(_values_on(gap(other), name.name, value, letters, evaluator))
        if len(residual) < _NEEDED:
            return None
        if all(map(_is_zero, residual)):
            return Outcome(True, "relations.solved", f"one is solved for {name.name}")
    return None


def gap(relation: Relation) -> Node:
    left, right = relation.terms
    return Call("add", (left, Call("neg", (right,))))


def _explicit(relation: Relation) -> tuple[Symbol, Node] | None:
    """(y, f(x)) of y = f(x)."""
    left, right = relation.terms
    plain = isinstance(left, Symbol) and left.name not in symbols(right)
    return (left, right) if isinstance(left, Symbol) and plain else None


def same_curves(left: Relation, right: Relation, evaluator: Evaluator) -> Outcome | None:
    """Families of curves with one arbitrary constant each; None for anything else.

    On a curve y = f(x, C) of one, the constant that the other has there must not change. Two equations that
    both are linear in their constants have the same curves if these depend on each other.
    """
    unknowns = (symbols(gap(left)) | symbols(gap(right))) & _UNKNOWNS
    constants = [sorted(symbols(gap(side)) - unknowns) for side in (left, right)]
    if len(unknowns) != 2 or any(len(c) != 1 or c[0] not in _CONSTANTS for c in constants):
        return None
    levels = [_level(side, c[0], evaluator) for side, c in zip((left, right), constants, strict=True)]
    for one, (constant,), level in ((left, constants[0], levels[1]), (right, constants[1], levels[0])):
        if level is not None and (curve := _explicit(one)) is not None:
            return _level_on_curve(level, curve, constant, evaluator)
    if levels[0] is None or levels[1] is None:
        return None
    return _dependent(levels[0], levels[1], sorted(unknowns), evaluator)


def _level(relation: Relation, constant: str, evaluator: Evaluator) -> Node | None:
    """The constant as an expression in the unknowns, where the equation is linear in it."""
    node = gap(relation)
    if not _is_affine(node, constant, sorted(symbols(node) - {constant}), evaluator):
        return None
    zero, one = (_with(node, constant, n) for n in (0, 1))
    return Call("div", (zero, Call("add", (one, Call("neg", (zero,))))))


def _with(node: Node, name: str, value: int) -> Node:
    return substitute(node, {name: number(value)})


def _points(letters: list[str]) -> Iterator[dict[str, Value]]:
    chance = random.Random(11)
    for i in range(_CANDIDATES):
        yield {v: Fraction(chance.randint(10, 90 if i % 2 else 300), 67) for v in letters}


def _is_affine(node: Node, name: str, letters: list[str], evaluator: Evaluator) -> bool:
    checked = 0
    for point in _points(letters):
        values = [evaluator.value_or_none(node, {**point, name: Fraction(n)}) for n in (2, 3, 5)]
        if any(v is None for v in values):
            continue
        a, b, c = map(as_real, values)
        if not _is_zero((c - a) - 3 * (b - a), abs(a) + abs(c)) or _is_zero(b - a, abs(a)):
            return False
        checked += 1
        if checked == _NEEDED:
            return True
    return False


def _is_zero(number: Value, size: Value = 0) -> bool:
    return bool(abs(as_real(number)) <= mp.mpf(10) ** -_DIGITS * (1 + abs(as_real(size))))


def _values_on(
    node: Node, name: str, value: Node, letters: list[str], evaluator: Evaluator
) -> Iterator[Value]:
    """The values of `node` where `name` is `value`, at points where all are real."""
    found = 0
    for point in _points(letters):
        with suppress(AnswerError):
            there = evaluator.value(value, point)
            number = evaluator.value(node, {**point, name: there})
            if is_real(there) and is_real(number) and found < 2 * _NEEDED:
                found += 1
                yield number


def _level_on_curve(
    level: Node, curve: tuple[Symbol, Node], constant: str, evaluator: Evaluator
) -> Outcome | None:
    name, value = curve
    others = sorted(symbols(value) - {constant})
    spread = 0
    for c in (Fraction(31, 13), Fraction(17, 5), Fraction(-9, 7)):
        at: Point = {constant: c}
        found: list[Value] = []
        for point in _points(others):
            with suppress(AnswerError):
                there = evaluator.value(value, {**point, **at})
                number = evaluator.value(level, {**point, name.name: there})
                if is_real(there) and is_real(number):
                    found.append(as_real(number))
            if len(found) == _NEEDED:
                break
        if len(found) == _NEEDED:
            if not all(_is_zero(f - found[0], found[0]) for f in found):
                return _verdict(False)
            spread += 1
    return _verdict(True) if spread > 1 else None


@rule("curves.same-family", "undecided.curves")
def _verdict(same: bool) -> Outcome:
    if same:
        return Outcome(True, "curves.same-family", "the same curves")
    return Outcome(None, "undecided.curves", "curves of one family cross those of the other")


def _dependent(left: Node, right: Node, unknowns: list[str], evaluator: Evaluator) -> Outcome | None:
    """Whether the gradients of two functions of two unknowns are parallel everywhere."""
    step, checked = Fraction(1, 10**15), 0
    for point in _points(unknowns):
        with suppress(AnswerError):
            slopes = [
                as_real(evaluator.value(side, {**point, v: point[v] + step}))
                - as_real(evaluator.value(side, {**point, v: point[v] - step}))
                for side in (left, right)
                for v in unknowns
            ]
            slopes = [s / (2 * as_real(step)) for s in slopes]
            minor = slopes[0] * slopes[3] - slopes[1] * slopes[2]
            if not _is_zero(minor, max(map(abs, slopes)) ** 2):
                return _verdict(False)
            checked += 1
        if checked == _NEEDED:
            return _verdict(True)
    return None


def same_branches(branches: list[Relation], equation: Relation, evaluator: Evaluator) -> Outcome | None:
    """y = f(x, C) and y = -f(x, C) beside the equation for y^2."""
    nested = any(isinstance(t, (Group, Relation)) for t in equation.terms)
    if equation.signs != ("=",) or nested or _explicit(equation) is not None:
        return None
    outcomes = [same_curves(branch, equation, evaluator) for branch in branches]
    found = [o for o in outcomes if o is not None]
    if len(found) == len(branches):
        return first_failure(found) or found[0]
    return _solve(branches, equation, evaluator)


@rule("relations.both-solutions")
def _solve(branches: list[Relation], equation: Relation, evaluator: Evaluator) -> Outcome | None:
    """Whether two functions solve an equation that is quadratic in their name; None where it is no such."""
    solutions = [pair for branch in branches if (pair := _explicit(branch)) is not None]
    node, name = gap(equation), solutions[0][0].name if solutions else ""
    letters = sorted(symbols(node) - {name})
    if len(solutions) != 2 or name not in symbols(node) or not _is_quadratic(node, name, letters, evaluator):
        return None
    residuals = [list(_values_on(node, name, value, letters, evaluator)) for _, value in solutions]
    if min(map(len, residuals)) < _NEEDED or not all(_is_zero(r) for each in residuals for r in each):
        return None
    return Outcome(True, "relations.both-solutions", f"its two solutions for {name}")


def _is_quadratic(node: Node, name: str, letters: list[str], evaluator: Evaluator) -> bool:
    """Whether the third differences vanish, at a point, and the second do not."""
    point = next(_points(letters))
    found = [evaluator.value_or_none(node, {**point, name: Fraction(n)}) for n in range(5)]
    if any(v is None for v in found):
        return False
    a, b, c, d, e = map(as_real, found)
    third = (d - 3 * c + 3 * b - a, e - 3 * d + 3 * c - b)
    return all(_is_zero(t, e) for t in third) and not _is_zero(a - 2 * b + c, e)
