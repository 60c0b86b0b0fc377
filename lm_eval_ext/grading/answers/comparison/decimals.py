"""Decimals that stand for a value: rounded golds, answers with all the digits of a value; units converted."""

from __future__ import annotations

from fractions import Fraction

from lm_eval_ext.grading.answers.errors import AnswerError, Unreadable
from lm_eval_ext.grading.answers.lexicon.units import scale
from lm_eval_ext.grading.answers.lexing.spelling import marked
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.numeric.numbers import is_real
from lm_eval_ext.grading.answers.semantics import read
from lm_eval_ext.grading.answers.syntax.nodes import Call, Node, Number, number, symbols, without_unit

_LEAST_DIGITS = 6
_FLOAT_DIGITS = 15
"""Digits that a float keeps of any value: two further ones, as in 2.9999999999999996, are not compared."""
_MOST_SPARE_DIGITS = 2


def ratio_of_units(unit: str, other: str) -> Fraction | None:
    """How many of the other unit one unit is, 1000 for "km" and "m"; None where they are no such units."""
    mine, theirs = scale(unit), scale(other)
    return mine[0] / theirs[0] if mine and theirs and mine[1] == theirs[1] else None


Numbers = tuple[tuple[float, str], ...]


def numbers_in(text: str, like: Numbers = ()) -> Numbers:
    """The (number, unit) pairs of an answer, in the unit of `like`; none where it says anything else."""
    try:
        parts = read(marked(text))
    except (Unreadable, RecursionError):
        return ()
    answer = parts[0]
    if len(parts) > 1 or answer.word or answer.choice or answer.again or answer.features:
        return ()
    unit = like[0][1] if like else ""
    found = [_number(value, unit) for item in answer.items for _, value in item.values if not item.conditions]
    numbers = tuple(pair for pair in found if pair is not None)
    return numbers if len(numbers) == sum(len(item.values) for item in answer.items) else ()


def _number(node: Node, unit: str) -> tuple[float, str] | None:
    if isinstance(node, Call) and node.name == "about":
        node = node.args[-1]
    node, own = without_unit(node)
    value = _real(node)
    if value is None:
        return None
    if own == unit or not own or not unit:
        return value, own
    factor = ratio_of_units(own, unit)
    return None if factor is None else (value * float(factor), unit)


def _real(node: Node) -> float | None:
    """The value; None for a complex one, and for what has none."""
    evaluator = Evaluator()
    try:
        return evaluator.approximate(node) if is_real(evaluator.value(node)) else None
    except AnswerError:
        return None


def rounds_to(
    given: Node, wanted: Node, evaluator: Evaluator, least_places: int = 2, ending: bool = False
) -> bool:
    """A gold with so many decimal places, and an answer that rounds to it: pi or 3.142 for 3.14.

    Not the other way round: 0.33 is not 1/3. A fraction that ends, such as 1/8 for 0.13, is another value
    unless `ending`.
    """
    sign, gold = _decimal(wanted)
    if gold is None or (gold.places or 0) < least_places or symbols(given):
        return False
    try:
        exact = evaluator.value(given)
        if isinstance(exact, Fraction) and _terminates(exact) and not (ending or is_decimal(given)):
            return False
        return _rounded(given, sign, gold.places or 0, evaluator) == gold.value
    except AnswerError:
        return False


def has_digits_of(given: Node, wanted: Node, evaluator: Evaluator) -> bool:
    """A decimal of six or more digits, all of them those of an exact gold, rounded or cut off."""
    sign, decimal = _decimal(given)
    if decimal is None or not decimal.places or symbols(wanted) or is_decimal(wanted):
        return False
    digits = len(str(int(decimal.value * 10**decimal.places)))
    spare = digits - _FLOAT_DIGITS
    places = decimal.places - (spare if 0 < spare <= _MOST_SPARE_DIGITS else 0)
    if digits < _LEAST_DIGITS:
        return False
    try:
        kept = _rounded(decimal, 1, places, evaluator)
        return any(_rounded(wanted, sign, places, evaluator, cut) == kept for cut in (False, True))
    except AnswerError:
        return False


def _decimal(node: Node) -> tuple[int, Number | None]:
    """(sign, number) of a number as it is written; (1, None) of anything else."""
    if isinstance(node, Call) and node.name == "neg" and isinstance(node.args[0], Number):
        return -1, node.args[0]
    return 1, node if isinstance(node, Number) else None


def is_decimal(node: Node) -> bool:
    """Whether it is a decimal, or one converted to another unit."""
    if isinstance(node, Call) and node.name == "mul" and isinstance(node.args[0], Number):
        node = node.args[-1]
    _, found = _decimal(node)
    return found is not None and found.places is not None


def _rounded(node: Node, sign: int, places: int, evaluator: Evaluator, cut: bool = False) -> Fraction:
    """The value times the sign with so many places, halves rounded up, or further digits cut off."""
    step = Fraction(10) ** places
    shifted = Call("mul", (number(sign * step), node))
    if not cut:
        shifted = Call("add", (shifted, number(Fraction(1, 2))))
    return Fraction(evaluator.value(Call("floor", (shifted,)))) / step


def _terminates(value: Fraction) -> bool:
    """Whether its decimals end."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1
