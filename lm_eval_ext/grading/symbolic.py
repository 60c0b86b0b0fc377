"""The symbolic layer: what runs inside a killable worker, and nowhere else.

Importing this module loads sympy, latex2sympy2_extended and math_verify; only `worker` does. Strings come
in and strings go out, so that no expression ever reaches the caller. Time and memory are bounded from
outside: `math_verify`'s own timeouts need the main thread's SIGALRM and are off.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import Any

from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

from lm_eval_ext.grading.normalize import plain_unicode
from lm_eval_ext.grading.verdict import Outcome

logging.getLogger("math_verify").setLevel(logging.ERROR)

_PROSE = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{4,}")
_FUNCTIONS = frozenset(
    ["sqrt", "cbrt", "sinh", "cosh", "tanh", "asin", "acos", "atan", "floor", "ceil", "sign"]
)
_CONFIGS = [LatexExtractionConfig(), ExprExtractionConfig()]


def _is_prose(text: str) -> bool:
    """A word of four letters or more that no function is called: not a formula as it stands."""
    return any(word.lower() not in _FUNCTIONS for word in _PROSE.findall(text))


@lru_cache(maxsize=4096)
def read(text: str) -> tuple[Any, ...]:
    """What math_verify makes of a formula: sympy expressions, best first; empty if it reads nothing."""
    plain = plain_unicode(text).strip("$ ")
    if _is_prose(plain):
        return ()
    source = f"${plain}$" if "\\" in plain or "$" not in plain else plain
    found = parse(source, _CONFIGS, fallback_mode="no_fallback", parsing_timeout=None, raise_on_error=True)
    return tuple(found)


def compare(answer: str, gold: str) -> Outcome:
    """Whether two answers denote the same mathematical object.

    Raises whatever sympy raises, memory errors too: the caller reports that as undecided.
    """
    golds = read(gold)
    if not golds:
        return None, "the gold cannot be read as mathematics"
    answers = read(answer)
    if not answers and _is_prose(plain_unicode(answer)):
        return None, "the answer is prose, the gold is not"
    if not answers:
        return False, "the answer cannot be read as mathematics, the gold can"
    if verify(list(golds), list(answers), timeout_seconds=None, raise_on_error=True):
        return True, "math-verify finds them equal"
    return False, "math-verify finds them different"


compare(r"\frac{1}{2}", "0.5")  # lazy imports, parser tables: 70 ms in the fork server, not in every worker
