r"""What a problem asks for, where an answer repeats it: \sin 2x before its value, "at most" for a maximum.

>>> value(r"$\sin 2x = \frac{1}{2}$", r"Find $\sin 2x$."), value("at most 2n - 2", "Find the maximum number.")
('\\frac{1}{2}$', '2n - 2')
"""

from __future__ import annotations

import re

from lm_eval_ext.grading.normalization import normalize

_MAX_CHARS = 300
_ASKS = re.compile(
    r"\b(?:find|determine|compute|evaluate|calculate|express|simplify|what is|values? of)\b"
    r"(?:(?!\bsuch that\b|\bif\b|\bwhere\b|\bwhen\b)[^.?!;=]){0,60}$",
    re.IGNORECASE,
)
_BOUND = re.compile(r"\s*(?:at (?P<most>most)|at least)\s+(?=[$\\\d(A-Za-z])", re.IGNORECASE)
_MOST = re.compile(r"\b(?:maxim\w+|largest|greatest|highest|(?:at )?most)\b", re.IGNORECASE)
_LEAST = re.compile(r"\b(?:minim\w+|smallest|least|lowest|fewest)\b", re.IGNORECASE)


def value(answer: str, problem: str | None) -> str:
    """The answer without the quantity that the problem asks for, or "at most" where it asks for a maximum."""
    if not problem or len(answer) > _MAX_CHARS:
        return answer
    if bound := _BOUND.match(answer):
        wanted, other = (_MOST, _LEAST) if bound["most"] else (_LEAST, _MOST)
        return answer[bound.end() :] if wanted.search(problem) and not other.search(problem) else answer
    left, _, right = answer.partition("=")
    return right.strip() if right.strip() and "=" not in right and _is_asked_for(left, problem) else answer


def _is_asked_for(quantity: str, problem: str) -> bool:
    """Whether a quantity that is more than a name follows "find" or the like in the problem."""
    quantity, text = normalize(quantity), normalize(problem)
    if len(quantity) < 3 or not re.search(r"[\\^+*/-]", quantity):
        return False
    start = text.find(quantity)
    while start >= 0:
        after = text[start + len(quantity) : start + len(quantity) + 1]
        if (
            not after.isalnum()
            and after not in ("^", "_", "(")
            and _ASKS.search(text[max(0, start - 120) : start])
        ):
            return True
        start = text.find(quantity, start + 1)
    return False
