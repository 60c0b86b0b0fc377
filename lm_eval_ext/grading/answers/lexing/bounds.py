r"""Bounds in words, as signs: "greater than 3 and at most 7" is $3 < x \le 7$."""

from __future__ import annotations

import re

_LOWER = {"greater than or equal to": r"\le", "at least": r"\le", "greater than": "<"}
_UPPER = {"less than or equal to": r"\le", "at most": r"\le", "less than": "<"}
_VALUE = r"(-?\d+(?:\.\d+)?(?![\w.]*\d)|\$[^$]{1,40}\$)"
_NAME = r"(?:(\$[A-Za-z]\$|(?<![\w$])[a-z](?![\w$]))\s+|,\s*)?"
_LOW, _HIGH = (
    rf"(?:\b(?:is|strictly)\s+){{0,2}}({'|'.join(signs)})\s+{_VALUE}" for signs in (_LOWER, _UPPER)
)
_RISING = re.compile(rf"{_NAME}{_LOW},?\s+and\s+{_HIGH}(?:\s+is\b)?", re.IGNORECASE)
_FALLING = re.compile(rf"{_NAME}{_HIGH},?\s+and\s+{_LOW}(?:\s+is\b)?", re.IGNORECASE)


def with_signs(english: str) -> str:
    """A text with a lower and an upper bound joined as one chain of inequalities."""
    if " and " not in english:
        return english
    english = _RISING.sub(lambda m: _chain(m[1], m[2], m[3], m[4], m[5]), english)
    return _FALLING.sub(lambda m: _chain(m[1], m[4], m[5], m[2], m[3]), english)


def _chain(name: str | None, low: str, least: str, high: str, most: str) -> str:
    """The inequalities; without a letter, of the numbers before them: "all integers $x$ with ..."."""
    letter = name.strip("$") if name else "x"
    signs = (_LOWER[low.lower()], letter, _UPPER[high.lower()])
    chain = f"${' '.join([least.strip('$'), *signs, most.strip('$')])}$"
    return chain if name else f" $x$ with {chain}"
