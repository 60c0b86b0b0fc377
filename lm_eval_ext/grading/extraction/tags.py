"""`<answer>x</answer>` and similar tags; the text inside may itself state an answer."""

from __future__ import annotations

import re
from collections.abc import Callable

from lm_eval_ext.grading.extraction.values import (
    MAX_ANSWER_CHARS,
    Span,
    is_nothing,
    is_value,
    last_matches,
    lowered,
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
    """The last tag that holds an answer; an unclosed one, as where `</answer>` is a stop, must hold a value.

    `state` finds the statement in the text inside a tag.
    """
    lower = lowered(text)
    if not any(word in lower for word in ("answer", "solution", "_of_box")):
        return None
    end: re.Match[str] | None = None
    for mark in last_matches(_TAG, text, _LAST):
        if mark["close"] or mark["end"]:
            end = mark
        elif not _EXAMPLE.search(text[max(0, mark.start() - 40) : mark.start()]):
            if span := _held(text, mark, end, state):
                return span
            end = None
    return None


def _held(
    text: str, begin: re.Match[str], end: re.Match[str] | None, state: Callable[[str], Span | None]
) -> Span | None:
    """The answer inside a tag: a statement, all of a closed answer tag, or a value."""
    stop = end.start() if end else len(text)
    content = text[begin.end() : min(stop, begin.end() + MAX_ANSWER_CHARS)]
    stated = state(content)
    value = stated.text.strip() if stated else tidy(content)
    whole = end is not None and (begin["open"] or "").lower() != "solution"
    if is_nothing(value) or not (stated or whole or is_value(value)):
        return None
    return Span(value, begin.start(), end.end() if end else len(text), "tag", True)
