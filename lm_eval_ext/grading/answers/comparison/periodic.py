r"""Periodic sets of numbers: \pm\pi/2 + 2\pi k and \pi/2 + \pi k, compared modulo a common period."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import lcm

from lm_eval_ext.grading.answers.comparison.canonical import Solutions
from lm_eval_ext.grading.answers.errors import AnswerError, Undefined
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.numeric.numbers import Value, as_real, mp
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Condition,
    Group,
    Property,
    Quantity,
    Relation,
    Symbol,
    symbols,
    walk,
)
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

_INDICES = frozenset("jklmnNK")
_MOST_CLASSES = 60
_MOST_RATIO = 120
_DIGITS = 30


@rule("periodic.same", "periodic.differ")
def same_periodic(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome | None:
    """Angles that repeat with an integer; None for anything else."""
    if not all(map(_is_periodic, (*given, *wanted))) or not any(map(_is_set, (*given, *wanted))):
        return None
    try:
        mine, theirs = ([c for s in side for c in _classes(s, evaluator)] for side in (given, wanted))
        period = _common_period([p for _, p in (*mine, *theirs)])
        here, there = (_residues(side, period) for side in (mine, theirs))
    except AnswerError:
        return None
    for side, one, other in (("answer", here, there), ("gold", there, here)):
        for value in one:
            if not any(_is_multiple(value - v, period) for v in other):
                return Outcome(False, "periodic.differ", f"{mp.nstr(value, 8)} belongs to the {side} only")
    return Outcome(True, "periodic.same", "the same numbers modulo a common period")


def _is_periodic(solution: Solution) -> bool:
    """One value with one integer letter, in which pi or degrees occur."""
    if len(solution.values) != 1 or solution.arguments or not all(map(_is_integral, solution.conditions)):
        return False
    node = solution.values[0][1]
    letters = symbols(node)
    if isinstance(node, (Group, Relation)) or len(letters) != 1 or not letters <= _INDICES:
        return False
    return any(
        (isinstance(n, Call) and n.name == "pi") or (isinstance(n, Quantity) and n.unit == "°")
        for n in walk(node)
    )


def _is_integral(condition: Condition) -> bool:
    if isinstance(condition, Property):
        return condition.name == "integer" and condition.holds
    return condition.signs == ("in",) and condition.terms[1] == Symbol("Z")


def _is_set(solution: Solution) -> bool:
    """x = k pi names an unknown, "k in Z" says that all are meant; (n - 2) pi alone may be one number."""
    name = solution.values[0][0]
    return bool(solution.conditions) or (bool(name) and name not in _INDICES and not name[0].isupper())


def _classes(solution: Solution, evaluator: Evaluator) -> list[tuple[Value, Value]]:
    """(number, period) of each progression: one, or one for even and one for odd integers."""
    node = solution.values[0][1]
    (letter,) = symbols(node)
    values = [as_real(evaluator.value(node, {letter: Fraction(k)})) for k in range(8)]
    for step in (1, 2):
        starts = [(values[i], values[i + step] - values[i]) for i in range(step)]
        if all(_is_zero(values[k] - starts[k % step][0] - k // step * starts[k % step][1]) for k in range(8)):
            if any(_is_zero(p) for _, p in starts):
                raise Undefined("no period")
            return starts
    raise Undefined("no progression")


def _is_zero(number: Value) -> bool:
    return bool(abs(number) < mp.mpf(10) ** -_DIGITS)


def _common_period(periods: Sequence[Value]) -> Value:
    """The least number of which each period is a divisor."""
    ratio = Fraction(1)
    for period in periods:
        share = _fraction(period / periods[0])
        ratio = Fraction(
            lcm(ratio.numerator * share.denominator, share.numerator * ratio.denominator),
            ratio.denominator * share.denominator,
        )
    return periods[0] * ratio.numerator / ratio.denominator


def _fraction(number: Value) -> Fraction:
    real = as_real(number)
    if isinstance(real, mp.mpc):
        raise Undefined("periods in other directions")
    near = Fraction(str(mp.nstr(real, 25))).limit_denominator(_MOST_RATIO)
    if not _is_zero(real - as_real(near)) or near == 0:
        raise Undefined("periods without a common multiple")
    return abs(near)


def _residues(classes: Sequence[tuple[Value, Value]], period: Value) -> list[Value]:
    return [number for pair in classes for number in _members(*pair, period)]


def _members(start: Value, step: Value, period: Value) -> Iterator[Value]:
    count = _fraction(period / step)
    if count.denominator != 1 or count > _MOST_CLASSES:
        raise Undefined("too many members of a period")
    for i in range(count.numerator):
        yield start + i * step


def _is_multiple(number: Value, period: Value) -> bool:
    share = as_real(number / period)
    return not isinstance(share, mp.mpc) and _is_zero(share - mp.nint(share))
