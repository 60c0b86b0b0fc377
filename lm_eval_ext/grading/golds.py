"""A reference answer as data sets hold it: text, a number, a worked solution, several acceptable answers."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from numbers import Rational, Real
from typing import Any

from lm_eval_ext import errors
from lm_eval_ext.grading.extraction.boxed import last_boxed

KINDS = "text, a number or a list of them"
Gold = str | float | Sequence[str | float]
"""Text (an answer, or a solution that ends in a box or in `#### 7`), a number, or several acceptable ones."""
_HASH = re.compile(r"####[ \t]*([^\n]*\S)\s*\Z")
_EMPTY_BOX = re.compile(r"\\f?boxed\s*\{\s*\}")


class GoldError(ValueError):
    """A gold that states no answer; the message says what was received."""


def acceptable(gold: object) -> tuple[str, ...]:
    """The answers that a gold accepts, as text.

    >>> acceptable(27.0), acceptable("3 + 4 = 7.\\n#### 7"), acceptable([r"\\boxed{B}", 2])
    (('27',), ('7',), ('B', '2'))

    Raises GoldError on anything that states no answer: None, a truth value, NaN, blank text, an empty list.
    """
    if isinstance(gold, str):
        return (_stated(gold),)
    if isinstance(gold, Real) and not isinstance(gold, bool):
        return (_number(gold),)
    if isinstance(gold, Sequence) and not isinstance(gold, bytes) and gold:
        return tuple(dict.fromkeys(text for one in gold for text in acceptable(one)))
    raise GoldError(f"the gold is {'empty' if gold in (None, [], ()) else 'no answer'}: {errors.shown(gold)}")


def is_gold(value: object, blank: bool = True) -> bool:
    """Whether a column's value can be a gold; blank text, which stays undecided, only if `blank`."""
    if isinstance(value, str) and not value.strip():
        return blank
    try:
        return bool(acceptable(value))
    except GoldError:
        return isinstance(value, str) and blank


def plain(gold: object) -> str | list[Any]:
    """A number as text, the same in every file format; texts and lists as they are."""
    return gold if isinstance(gold, str | list) else shown(gold)


def shown(gold: object) -> str:
    """A gold for people and judges: its acceptable answers, joined by "or"."""
    return " or ".join(acceptable(gold))


def _stated(text: str) -> str:
    """The final answer of a solution; an answer as it is."""
    if found := _HASH.search(text):
        return found[1]
    if "boxed" in text or "\\fbox" in text:
        box = last_boxed(text)
        text = box.text if box else text
    if not _EMPTY_BOX.sub("", text).strip():
        raise GoldError(f"the gold is empty: {errors.shown(text)}")
    return text


def _number(value: Real) -> str:
    """Without an exponent, and without the ".0" of a column that holds floats."""
    if isinstance(value, Rational):
        return str(value)
    number = float(value)
    if not math.isfinite(number):
        raise GoldError(f"the gold is no number: {number}")
    return str(int(number)) if number.is_integer() else format(Decimal(repr(number)), "f")
