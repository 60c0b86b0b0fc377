"""From all that a model wrote to the answer it commits to. Linear time, no evaluation.

The last statement wins. A statement is a `\\boxed{}` (several in one breath form one answer), or a line
that announces the answer: `Final answer: x`, `The answer is x`, `#### x`, `A: x`. What stands inside
thinking is not an answer, and a response cut off before it answers has none.

    >>> extract("So x = 2. Final answer: $\\\\boxed{2}$")
    '2'
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_THINK_OPEN, _THINK_CLOSE = "<think>", "</think>"
_BRACES = re.compile(r"\\(?:boxed|fbox)\s*\{|\\.|[{}]", re.DOTALL)
_BARE_BOX = re.compile(r"\\boxed\s+(\w+|\\\w+)")
_BETWEEN_BOXES = re.compile(
    r"[\s$,;&]*(?:\\\)|\\\]|\\\(|\\\[|\\quad|\\text\{[^{}]{0,12}\}|and|or|[A-Za-z]\w{0,2}(?:\([a-z]\))?\s*=|[\s$,;&]){0,12}"
)
_NAME_BEFORE = re.compile(r"(?<![A-Za-z0-9\\])([A-Za-z](?:_\w|\([a-z]\))?)\s*=\s*$")
_ANNOUNCED = re.compile(
    r"""
    (?P<final> \b(?:final|correct)\s+answer\b [\s*_`]* (?: (?:is|are|:|：|=) [\s*_`]* | (?=\n) ){1,3} )
  | (?P<answer> \banswer\s+(?:is|are)\b [:\s*_`]* )
  | (?P<line> ^ [ \t>*_`#]{0,20} (?:the[ \t]+)? (?:answer|A) [*_`]* : [\s*_`]* )
  | (?P<hash> ^ \#\#\#\# [ \t]+ )
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_IS_ANSWER = re.compile(r"\bis\s+(?:the|our|my)\s+(?:final\s+)?answer\b", re.IGNORECASE)
_CLAUSE_END = re.compile(r"\n|[.,;:](?=\s)|\b(?:so|therefore|thus|hence)\b", re.IGNORECASE)
_MAX_REVERSED_CHARS = 80
_SIGN_OF_MATHEMATICS = re.compile(r"[\d\\$=]")
_SENTENCE_END = re.compile(r"\.(?=\s|$)")
_HOPE = re.compile(r"\bI hope (?:it|this) is correct\b", re.IGNORECASE)
"""What follows the answer in the prompts of Lewkowycz et al. 2022, arXiv 2206.14858, appendix D."""
_VISIBLE = re.compile(r"\S")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_WRAPPING = " \t\r\n\f\v*_`"
_NUMBER = re.compile(r"-?\$?\d[\d,]*(?:\.\d+)?")
MAX_BARE_CHARS = 200
"""A line longer than this is no bare answer."""
MAX_ANSWER_CHARS = 20_000
"""A statement longer than this is cut: nothing so long is an answer to a problem."""


@dataclass(frozen=True)
class Span:
    """A statement of an answer, and where it stands.

    Attributes:
        text: the answer.
        start: index of the statement in the text without thinking; `end` is the index after it.
        emphatic: announced as final, so that it counts whatever it says.
    """

    text: str
    start: int
    end: int
    emphatic: bool = False


def strip_thinking(response: str) -> str:
    """What follows the thinking; an unclosed `<think>` leaves only what stood before it."""
    visible = response.rpartition(_THINK_CLOSE)[2]
    return visible.partition(_THINK_OPEN)[0]


def boxes(text: str) -> list[Span]:
    """Every balanced, outermost `\\boxed{...}` in order, in one pass over the text.

    An unclosed box is none: a response cut inside it has not answered.
    """
    found: list[Span] = []
    open_braces: list[tuple[int, int] | None] = []
    for match in _BRACES.finditer(text):
        token = match.group()
        if token == "}":
            start = open_braces.pop() if open_braces else None
            if start is not None:
                _add_outermost(found, Span(text[start[1] : match.start()], start[0], match.end()))
        elif token == "{":
            open_braces.append(None)
        elif token.endswith("{") and len(token) > 2:
            open_braces.append((match.start(), match.end()))
    found += [Span(m.group(1), m.start(), m.end()) for m in _BARE_BOX.finditer(text)]
    return sorted(found, key=lambda span: span.start)


def _add_outermost(found: list[Span], box: Span) -> None:
    while found and found[-1].start > box.start:
        found.pop()
    found.append(box)


def last_boxed(text: str) -> Span | None:
    """The last box; boxes joined by nothing but commas, "and", "or" form one answer: "2, 3"."""
    all_boxes = boxes(text)
    if not all_boxes:
        return None
    group = [all_boxes[-1]]
    for box in reversed(all_boxes[:-1]):
        between = text[box.end : group[0].start]
        if len(between) > 60 or not _BETWEEN_BOXES.fullmatch(between) or "\n\n" in between:
            break
        group.insert(0, box)
    parts = [_named(box, text) for box in group] if len(group) > 1 else [group[0].text.strip()]
    return Span(", ".join(parts), group[0].start, group[-1].end)


def _named(box: Span, text: str) -> str:
    """The box with the name in front of it: "x = 2" of $x = \\boxed{2}$."""
    name = _NAME_BEFORE.search(text[max(0, box.start - 12) : box.start])
    return f"{name[1]} = {box.text.strip()}" if name else box.text.strip()


def last_announced(text: str) -> Span | None:
    """The last "Final answer: x", "The answer is x", "x is the answer", "#### x" or "A: x" with an x."""
    return _last_forward(text) or _last_reversed(text)


def _last_forward(text: str) -> Span | None:
    for match in reversed(list(_ANNOUNCED.finditer(text))):
        span = _statement(text, match.end(), first_sentence=match.lastgroup == "answer")
        if span.text:
            return Span(span.text, span.start, span.end, emphatic=match.lastgroup in ("final", "hash"))
    return None


def _last_reversed(text: str) -> Span | None:
    """What stands before the last "is the answer", back to where its clause begins."""
    for match in reversed(list(_IS_ANSWER.finditer(text))):
        end = match.start()
        start = max(0, end - _MAX_REVERSED_CHARS)
        marks = [m.end() for m in _CLAUSE_END.finditer(text, start, end)]
        start = marks[-1] if marks else start
        if value := _tidy(text[start:end]):
            return Span(value, start, end)
    return None


def _statement(text: str, start: int, first_sentence: bool) -> Span:
    """The paragraph from `start` (first blank lines skipped), or only its first sentence."""
    visible = _VISIBLE.search(text, start)
    start = visible.start() if visible else len(text)
    blank = _BLANK_LINE.search(text, start)
    end = min(blank.start() if blank else len(text), start + MAX_ANSWER_CHARS)
    if first_sentence and (stop := _SENTENCE_END.search(text, start, end)):
        end = stop.start()
    if hope := _HOPE.search(text, start, end):
        end = start + len(text[start : hope.start()].rstrip(" \t\r\n."))
    return Span(_tidy(text[start:end]), start, end)


def _tidy(statement: str) -> str:
    """Without Markdown emphasis around it and without the closing full stop."""
    bare = statement.strip(_WRAPPING).lstrip(_WRAPPING + ">")
    return bare if bare.endswith("..") else bare.removesuffix(".").rstrip(_WRAPPING)


def find(response: str) -> Span | None:
    """The statement that commits to an answer, in `strip_thinking(response)`."""
    text = strip_thinking(response)
    boxed, announced = last_boxed(text), last_announced(text)
    if announced is None or boxed is None:
        return boxed or announced
    if boxed.start >= announced.start:  # inside the announced statement, or after it
        return boxed
    says_something = announced.emphatic or _SIGN_OF_MATHEMATICS.search(announced.text)
    return announced if says_something else boxed  # "so the answer is correct" takes nothing back


def _text(span: Span | None) -> str | None:
    answer = span.text.strip() if span else ""
    return answer or None


def extract(response: str) -> str | None:
    """The answer that the response commits to, or None."""
    return _text(find(response))


def extract_boxed(response: str) -> str | None:
    """The last `\\boxed{}`, else "The answer is x": the order of Qwen's MATH evaluation."""
    text = strip_thinking(response)
    return _text(last_boxed(text) or last_announced(text))


def extract_strict(response: str) -> str | None:
    """GSM8K's strict form: the number in the first `The answer is N`."""
    found = re.search(r"[Tt]he answer is \$?(-?[\d,]*\.?\d+)", strip_thinking(response))
    return found.group(1) if found else None


def extract_flexible(response: str) -> str | None:
    """GSM8K's flexible form: the last number anywhere."""
    numbers = _NUMBER.findall(strip_thinking(response))
    return numbers[-1].replace("$", "").rstrip(",") if numbers else None


def extract_bare(response: str) -> str | None:
    """The statement; without one the whole response, if it is one line: prompts that show bare answers."""
    return extract(response) or _one_line(strip_thinking(response))


def _one_line(text: str) -> str | None:
    line = text.strip()
    if not 0 < len(line) <= MAX_BARE_CHARS or "\n" in line:
        return None
    return line if " " not in line or _SIGN_OF_MATHEMATICS.search(line) else None  # "Show your work."


EXTRACTORS: dict[str, Callable[[str], str | None]] = {
    "statement": extract,
    "boxed": extract_boxed,
    "strict": extract_strict,
    "flexible": extract_flexible,
    "bare": extract_bare,
}
