"""`<answer>x</answer>` and its like; what stands between may itself state an answer."""

from __future__ import annotations

import re
from collections.abc import Callable

from lm_eval_ext.grading.extraction.values import (
    MAX_ANSWER_CHARS,
    Span,
    is_nothing,
    is_value,
    last_matches,
    tidy,
)

_NAME = r"(?:final[_ ]?)?answer|solution"
_TAG = re.compile(
    rf"<(?:(?P<open>(?i:{_NAME}))>|/(?P<close>(?i:{_NAME}))>"
    r"|(?P<begin>\|begin_of_(?:box|answer)\|>)|(?P<end>\|end_of_(?:box|answer)\|>))"
)
_EXAMPLE = re.compile(
    r"\b(?:for\s+example|e\.g\.|for\s+instance|such\s+as|in\s+the\s+form(?:at)?(?:\s+of)?|the\s+format|within|inside|enclosed\s+in|in)"
    r"[\s,:\"'“`(]*$",
    re.IGNORECASE,
)
_LAST = 50


def last_tagged(text: str, state: Callable[[str], Span | None]) -> Span | None:
    """The last tag that holds an answer; an unclosed one, as where `</answer>` is a stop, holds a value.

    Args:
        text: what the response shows.
        state: finds the statement in what a tag holds.
    """
    lower = text.lower()
    if not any(word in lower for word in ("answer", "solution", "_of_box")):
        return None
    end: re.Match[str] | None = None
    for mark in last_matches(_TAG, text, _LAST):
        if mark["close"] or mark["end"]:
            end = mark
        elif not _EXAMPLE.search(text[max(0, mark.start() - 40) : mark.start()]):
            span = _held(text, mark, end, state)
            if span is not None:
                return span
            end = None
    return None


def _held(
    text: str, begin: re.Match[str], end: re.Match[str] | None, state: Callable[[str], Span | None]
) -> Span | None:
    stop = end.start() if end else len(text)
    content = text[begin.end() : min(stop, begin.end() + MAX_ANSWER_CHARS)]
    stated = state(content)
    value = stated.text.strip() if stated else tidy(content)
    if is_nothing(value) or not (
        stated or (end and begin["open"] is None) or _may_hold(value, end is not None, begin)
    ):
        return None
    return Span(value, begin.start(), end.end() if end else len(text), "tag", True)


def _may_hold(value: str, closed: bool, begin: re.Match[str]) -> bool:
    """Whether a text is the answer itself: all that an answer tag closes upon, else a value."""
    is_answer = begin["open"] is None or begin["open"].lower() != "solution"
    return (closed and is_answer) or is_value(value)
