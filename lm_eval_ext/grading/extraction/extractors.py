"""The extractors by name: each reads a response's answer in its own order of preference."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from lm_eval_ext.grading import languages
from lm_eval_ext.grading.extraction.boxed import last_boxed
from lm_eval_ext.grading.extraction.conclusions import conclusion, whole_response
from lm_eval_ext.grading.extraction.sentences import foreign_statement, short_response
from lm_eval_ext.grading.extraction.statements import last_announced
from lm_eval_ext.grading.extraction.tags import last_tagged
from lm_eval_ext.grading.extraction.thinking import Formats, visible
from lm_eval_ext.grading.extraction.values import MAX_ANSWER_CHARS, MAX_VALUE_CHARS, SIGN_OF_MATHEMATICS, Span

_STRICT = re.compile(r"[Tt]he answer is \$?(-?[\d,]*\.?\d+)")
_NUMBER = re.compile(r"-?\$?\d[\d,]*(?:\.\d+)?")
_UNANNOUNCED = ("conclusion", "short response")
_WORDS = re.compile(r"[^\W\d_]{2}")
_HEDGED = re.compile(
    r"\b(?:hedged|suppose|for example|half(?=[^.!?\n]{1,200}\b(?:is|are)\b))\b"
    r"(?:[^.!?\n]|\.(?=\d))*[.!]?\s*\Z",
    re.IGNORECASE,
)
"""A word of doubt in the sentence of an answer."""
_NUMBER_SIGNS = "-$0123456789,."


@dataclass(frozen=True)
class Extractor:
    """A way to find the answer in a response; called, it returns the answer, or None. Picklable."""

    read: Callable[[str], Span | None]  # finds the statement in the visible response
    any_language: bool = True  # the words around an answer may be of another language
    thinking: Formats = ()  # formats besides the known ones

    def __call__(self, response: str) -> str | None:
        span = self.find(response)
        return span.text if span else None

    def find(self, response: str) -> Span | None:
        """The answer and its place in `visible(response, self.thinking)`."""
        shown = visible(response, self.thinking)
        language = languages.detect(shown) if self.any_language else None
        span = self._translated(shown, language) if language else self.read(shown)
        text = span.text.strip() if span else ""
        return replace(span, text=text) if span and text else None

    def _translated(self, shown: str, language: str) -> Span | None:
        """The answer in the words of the response, found in the English of its end, else in all of it."""
        english = languages.translate(shown, language)
        span = self.read(english.text)
        bare = span is None or (span.reading in _UNANNOUNCED and _WORDS.search(span.text))
        if bare and self.read is statement and (stated := foreign_statement(shown, language)) is not None:
            return replace(stated, language=language)
        if span is None:
            found = self.read(shown)  # not a short response, whose English says nothing
            return replace(found, language=language) if found and found.reading != "short response" else None
        only_where = bare and "attained" in english.text  # "the minimum is attained for n = 5"
        if only_where or (span.reading != "box" and _HEDGED.search(english.text, 0, span.end)):
            return None
        said = english.original(span.text, span.start, span.end)
        if span.reading == "announcement" and (number := languages.counted(said, language)) is not None:
            said = number
        start, end = english.place(span.start), english.place(span.end, is_end=True)
        return replace(span, text=said, start=start, end=end, language=language)

    def with_thinking(self, more: Formats) -> Extractor:
        """The same extractor, which also leaves out thinking in these formats."""
        return replace(self, thinking=(*self.thinking, *more)) if more else self


def announced(text: str) -> Span | None:
    """The last statement: a tag, a box, an announcement."""
    tag = last_tagged(text, lambda held: _stated(held) or conclusion(held))
    if tag is None:
        return _stated(text)
    later = _stated(text[tag.end :], tag)
    if later is None:
        return tag
    return replace(later, start=later.start + tag.end, end=later.end + tag.end)


def _stated(text: str, before: Span | None = None) -> Span | None:
    """The last box or announcement; one before it, `before` too, stays where that says nothing."""
    boxed, said = last_boxed(text), last_announced(text)
    if said is None or (boxed and boxed.start >= said.start):  # inside the announced statement, or after it
        return boxed
    says_something = said.emphatic or SIGN_OF_MATHEMATICS.search(said.text)
    if says_something or (boxed or before) is None:
        return said
    return boxed  # "so the answer is correct" changes nothing


def statement(text: str) -> Span | None:
    """What is announced; if nothing is, a last sentence that concludes, or a short response."""
    return announced(text) or whole_response(text) or conclusion(text) or short_response(text)


def _boxed(text: str) -> Span | None:
    """The last box, else "The answer is x": the order of Qwen's MATH evaluation."""
    return last_boxed(text) or last_announced(text)


def _strict(text: str) -> Span | None:
    """GSM8K's strict form: the number in the first `The answer is N`."""
    found = _STRICT.search(text)
    return Span(found[1], found.start(1), found.end(1), "strict number") if found else None


def _flexible(text: str) -> Span | None:
    """GSM8K's flexible form: the last number anywhere."""
    last = max(text.rfind(digit) for digit in "0123456789")
    if last < 0:
        return None
    near = text[max(0, last - MAX_ANSWER_CHARS) : last + 1]
    start = last + 1 - len(near) + len(near.rstrip(_NUMBER_SIGNS))
    *_, number = _NUMBER.finditer(text, start, last + 1)
    return Span(number[0].replace("$", "").rstrip(","), number.start(), number.end(), "last number")


def _bare(text: str) -> Span | None:
    """The statement; without one the whole response, if it is one line: prompts that show bare answers."""
    if found := statement(text):
        return found
    line = text.strip()
    if not 0 < len(line) <= MAX_VALUE_CHARS or "\n" in line:
        return None
    start = text.index(line)
    span = Span(line, start, start + len(line), "whole response")
    return span if " " not in line or SIGN_OF_MATHEMATICS.search(line) else None  # "Show your work."


EXTRACTORS: dict[str, Extractor] = {
    "statement": Extractor(statement),
    "announced": Extractor(announced),
    "boxed": Extractor(_boxed),
    "strict": Extractor(_strict, any_language=False),
    "flexible": Extractor(_flexible, any_language=False),
    "bare": Extractor(_bare),
}
extract = EXTRACTORS["statement"]
"""The default extractor."""
