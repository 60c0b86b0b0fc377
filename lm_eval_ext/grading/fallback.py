"""Computer algebra: math-verify and sympy, in killable workers only.

Importing this module loads sympy, latex2sympy2_extended and math_verify; only `worker` imports it. Strings
come in and strings go out, so that no expression reaches the caller. The pool bounds time and memory:
`math_verify`'s own timeouts need the main thread's SIGALRM and are off.

math-verify decides only what it has read whole: `countertest` says what it may read, and makes the changes
that it must find different.
"""

from __future__ import annotations

import logging
import time
from functools import lru_cache
from itertools import chain
from typing import Any

from math_verify import LatexExtractionConfig, parse, verify
from sympy import Basic, Expr, Mod, N, Rational, nan, zoo

from lm_eval_ext.grading.comparison import bare, unread
from lm_eval_ext.grading.countertest import changes
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

logging.getLogger("math_verify").setLevel(logging.ERROR)

_CONFIGS = [LatexExtractionConfig()]
_MAX_TEST_S = 3.0
_APART = 1e-6
"""Formulas whose values at a point differ by more than this share are plainly different."""


@lru_cache(maxsize=4096)
def read(source: str) -> Any:
    """The sympy expression that math_verify makes of a formula, None where it reads none or several."""
    found = parse(
        f"${source}$", _CONFIGS, fallback_mode="no_fallback", parsing_timeout=None, raise_on_error=True
    )
    return found[0] if len(found) == 1 else None


@rule("undecided.no-value", "math-verify.different")
def compare(answer: str, gold: str) -> Outcome:
    """Whether two answers that the first stage left to computer algebra denote the same mathematical object.

    Raises whatever sympy raises, memory errors too: the worker reports these as undecided.
    """
    given, wanted = bare(answer), bare(gold)
    if (outcome := unread(given, wanted)) is not None:
        return outcome
    for side, source in (("gold", wanted), ("answer", given)):
        value = read(source)
        if value is None or _is_undefined(value):
            what = "cannot be read" if value is None else "has no value"
            return Outcome(None, "undecided.no-value", f"the {side} {what}: {source[:80]}")
    if not _equal(wanted, given):
        return Outcome(False, "math-verify.different", "math-verify finds them different")
    return _tested(wanted, given)


@rule("undecided.no-time-to-test", "undecided.change-is-equal", "math-verify.equal")
def _tested(wanted: str, given: str) -> Outcome:
    """The verdict "equal", once each change of either side was found different."""
    until = time.process_time() + _MAX_TEST_S
    others = chain(((c, given) for c in changes(wanted)), ((wanted, c) for c in changes(given)))
    for left, right in others:
        if time.process_time() > until:
            detail = "math-verify finds them equal, but there was no time to test that"
            return Outcome(None, "undecided.no-time-to-test", detail)
        if _passes(left, right):
            changed = f"gold {left}" if right == given else f"answer {right}"
            detail = f"math-verify has not read all: it takes the {changed[:100]} for equal, too"
            return Outcome(None, "undecided.change-is-equal", detail)
    return Outcome(True, "math-verify.equal", "math-verify finds them equal, and no change of either")


def _equal(wanted: str, given: str, strict: bool = True) -> bool:
    return bool(verify(read(wanted), read(given), timeout_seconds=None, raise_on_error=strict))


def _passes(wanted: str, given: str) -> bool:
    """Whether a changed pair is found equal: no reading and no value is a difference."""
    left, right = read(wanted), read(given)
    if left is None or right is None or _letters_differ(left, right) or _plainly_differ(left, right):
        return False
    return _equal(wanted, given, strict=False)


def _letters_differ(left: Any, right: Any) -> bool:
    """Whether one has a letter that the other has not: a changed letter was read."""
    return isinstance(left, Expr) and isinstance(right, Expr) and left.free_symbols != right.free_symbols


def _plainly_differ(left: Any, right: Any) -> bool:
    """Whether their values at a point are far apart, which spares the simplification of their difference."""
    if not (isinstance(left, Expr) and isinstance(right, Expr)):
        return False
    letters = sorted(left.free_symbols | right.free_symbols, key=str)
    point = {letter: Rational(7 + 3 * i, 5 + i) for i, letter in enumerate(letters)}
    try:
        mine, theirs = complex(N(left.subs(point))), complex(N(right.subs(point)))
    except (ArithmeticError, AttributeError, TypeError, ValueError):  # no number at this point
        return False
    return abs(mine - theirs) > _APART * max(abs(mine), abs(theirs))


def _is_undefined(value: Any) -> bool:
    """nan, zoo, oo - oo, and a residue of letters: such an expression is equal to nothing."""
    if not isinstance(value, Basic):  # a matrix
        return any(_is_undefined(entry) for entry in value)
    if any(residue.free_symbols for residue in value.atoms(Mod)):
        return True
    return value.has(nan, zoo) or (not value.free_symbols and value.doit().has(nan, zoo))


compare(r"\frac{1}{2}", "0.5")  # lazy imports, parser tables: 70 ms in the fork server, not in every worker
