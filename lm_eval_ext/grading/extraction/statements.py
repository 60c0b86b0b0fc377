"""Statements that announce an answer: `Final answer: x`, `The answer is x`, `#### x`, `A: x`."""

from __future__ import annotations

import re

from lm_eval_ext.grading.extraction.values import (
    MAX_ANSWER_CHARS,
    MAX_VALUE_CHARS,
    Span,
    affirmed,
    is_bound,
    is_doubted,
    is_nothing,
    is_value,
    last_matches,
    lowered,
    tidy,
    without_courtesy,
)

_LAST = 200
"""Number of announcements from the end that are read, until one states something."""
_WORDS = "ans option choice solution result conclusion #### a: a： a* a_ a`".split()
"""Every announcement has one of these, in lower case."""
_ANNOUNCED = re.compile(
    r"""
    [AaCcORSo\#] (?=[NnPpHhOoEeSs*_`:：\#]) (?:
    (?P<answer> (?<=[Aa])[Nn](?i:swers?)\b[*_`"”]*
        (?:[ ]\([^()\n]{0,40}\))?
        (?:\s+to\s+(?:this|the|that|our|your)\s+(?:\w+\s+)?(?:problem|question|exercise|puzzle|task|riddle)\b)?
        (?:\s+(?:that\s+)?(?:we|you)\s+(?:want|seek|need|get|obtain|(?:are|were)\s+(?:looking|asked)\s+for)\b)?
        (?:,\s+(?:therefore|thus|then|hence|finally|of\s+course),)? (?=VERB|[*_`:]*[ \t]*\n))
  | (?P<option> (?:(?<=[Oo])[Pp](?i:tion)|(?<=[Cc])[Hh](?i:oice))\b[*_`]*(?=VERB))
  | (?P<heading> (?:(?<=S)[Oo](?i:lution)|(?<=R)[Ee](?i:sult)|(?<=C)[Oo](?i:nclusion)|(?<=A)[Nn][Ss]\b[.]?)
      [*_`]*(?=VERB))
  | (?P<letter> (?<=A)[*_`]*(?=[:：]))
  | (?P<hash> (?<=\#)\#\#\#(?!\#)) )
    """.replace("VERB", r"[\s*_`]*(?:[:：=]|(?:is|are|equals|will|would|must|should|has|comes?|turns)\b)"),
    re.VERBOSE,
)
_VERB = re.compile(
    r"""\s*(?: [*_`]*\s*[:：=] | (?P<is> (?:is|are|equals|(?:will|would|must|should|has\s+to)\s+be|
        comes?\s+(?:out\s+)?to(?:\s+be)?|turns\s+out\s+to\s+be)\b) [:]? ) [\s*_`]*
    (?:(?:(?:therefore|thus|then|indeed|hence|clearly|obviously|definitely|certainly|of\s+course|finally)
        |(?(is)(?:as\s+follows|the\s+following|given\s+by|simply|exactly|equal\s+to|precisely
            |(?:is|are)(?=\s*[:$\\\d]))|(?!)))\b[\s,:*_`]*){0,3}""",
    re.VERBOSE | re.IGNORECASE,
)
_LINE_START = re.compile(
    r"(?:^|\n)[ \t>*_`#]*(?:(?:the|my|our)[ \t]+)?(?:(?:final|correct)[ \t]+)?$", re.IGNORECASE
)
_CHOSEN = re.compile(
    r"\b(?:correct|right|best|final|true|my|our|matching|answer)\s+(?:answer\s+)?(?:multiple[- ])?$",
    re.IGNORECASE,
)
_FINAL = re.compile(r"\b(?:final|correct)\s+$", re.IGNORECASE)
_HEADING_END = re.compile(r"[*_`:]*[ \t]*(?=\n)")
_NEXT_OPTION = re.compile(r"[^\n]{0,200}\n\s*B[*_`]*[:：]")
_IS_ANSWER = re.compile(
    r"[Ii]s(?<![A-Za-z].s)\s+(?:(?:the|our|my)\s+(?:(?:final|correct|right)\s+)?(?:answer|option|choice)\b"
    r"|(?P<letter>(?:the\s+)?(?:correct|right)\b))(?!\s*\?)"
)
_LETTER = re.compile(r"(?:^|[\s*(])\(?[A-H][)*.]*\s+$")
_CLAUSE_END = re.compile(
    r"\n|[.,;:](?=\s)|\b(?:so|therefore|thus|hence|that|option|choice|answer)\b", re.IGNORECASE
)
_MAX_REVERSED_CHARS = 80
_POINTS = re.compile(
    r"\W*(?:that|this|it|which|what|here|there|he|she|they|one|by|and|but|who|where|how|not|below|above|neither)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.?](?=\s|$)")
_REASON = re.compile(
    r",?\s+(?:because|since|as\s+(?:the|it|we|all|this|that|both|each|they))\b", re.IGNORECASE
)
_REMARK = re.compile(
    r"(?:(?:also|indeed|in\s+fact|really|clearly|definitely)\s+)?(?:correct|right|wrong|verified|valid|reasonable|confirmed|"
    r"consistent|obvious|clear|unique|ready|below|above|found|obtained|shown|stated|written|therefore|boxed)\b",
    re.IGNORECASE,
)
_NEXT_PART = re.compile(r"\(?(?:b|B|2|ii)[:.)]")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_VISIBLE = re.compile(r"\S")
_PROSE = re.compile(
    r"(?:[A-Za-z,'’-]+[ :]+){3}|(?:Explanation|Note|Reason|Check|Verification|Proof|Confidence)\b"
)


def last_announced(text: str) -> Span | None:
    """The last "Final answer: x", "The answer is x", "x is the answer", "#### x" or "A: x" with an x."""
    return _last_forward(text) or _last_reversed(text)


def _last_forward(text: str) -> Span | None:
    """The last announcement that states something and does not run into one that is denied."""
    lower = lowered(text)
    if not any(word in lower for word in _WORDS):
        return None
    denied = len(text)
    for match in last_matches(_ANNOUNCED, text, _LAST):
        before = text[max(0, match.start() - 60) : match.start()]
        span = _READERS[str(match.lastgroup)](text, match, before)
        if span and not span.text:
            denied = match.start()
        elif span and span.end <= denied:
            return span
    return None


def _answer(text: str, match: re.Match[str], before: str) -> Span | None:
    """ "The answer is x", "Answer: x", or a heading with x below it."""
    emphatic = bool(_FINAL.search(before))
    if verb := _VERB.match(text, match.end()):
        if is_doubted(text, match.start()):
            return Span("", match.start(), match.end())
        return _statement(text, verb.end(), predicate=bool(verb["is"]), emphatic=emphatic)
    heading = _HEADING_END.match(text, match.end())
    if heading is None or not (emphatic or _LINE_START.search(before)):
        return None
    return _statement(text, heading.end(), emphatic=emphatic)


def _option(text: str, match: re.Match[str], before: str) -> Span | None:
    """ "The correct option is x"."""
    verb = _VERB.match(text, match.end())
    if verb is None or not _CHOSEN.search(before) or is_doubted(text, match.start()):
        return None
    return _statement(text, verb.end(), predicate=True)


def _heading(text: str, match: re.Match[str], before: str) -> Span | None:
    """ "Solution: x" at the start of a line, if x is a value and no worked solution."""
    verb = _VERB.match(text, match.end()) if _LINE_START.search(before) else None
    span = _statement(text, verb.end()) if verb else None
    return span if span and is_value(span.text) else None


def _letter(text: str, match: re.Match[str], before: str) -> Span | None:
    """ "A: x" at the start of a line, if it does not begin a list of options."""
    colon = match.end() + 1
    states = _LINE_START.search(before) and not _NEXT_OPTION.match(text, colon)
    return _statement(text, colon) if states else None


def _hash(text: str, match: re.Match[str], before: str) -> Span | None:
    """GSM8K's mark; with words after it, it is a heading of Markdown."""
    line = text[match.end() : match.end() + MAX_VALUE_CHARS].partition("\n")[0]
    value = tidy(line)
    return Span(value, match.end(), match.end() + len(line), "hash", True) if is_value(value) else None


_READERS = {"answer": _answer, "option": _option, "heading": _heading, "letter": _letter, "hash": _hash}
"""By the group of `_ANNOUNCED` that matched; a span without text is a denial."""


def _last_reversed(text: str) -> Span | None:
    """The clause before the last "is the answer"."""
    for match in last_matches(_IS_ANSWER, text, _LAST):
        end = match.start()
        start = max(0, end - _MAX_REVERSED_CHARS)
        if match["letter"] and not _LETTER.search(text[start:end]):
            continue
        marks = [m.end() for m in _CLAUSE_END.finditer(text, start, end)]
        start = marks[-1] if marks else start
        value = tidy(text[start:end])
        if value and not _POINTS.match(value) and not is_doubted(text, start):
            return Span(value, start, end, "announcement")
    return None


def _statement(text: str, start: int, *, predicate: bool = False, emphatic: bool = False) -> Span | None:
    """The paragraph from `start`, after blank lines; of a predicate its first sentence.

    None where it says nothing, without text where it denies a value or bounds it.
    """
    visible = _VISIBLE.search(text, start, start + MAX_VALUE_CHARS)
    if visible is None:
        return None
    start = visible.start()
    until = min(len(text), start + MAX_ANSWER_CHARS)
    blank = _BLANK_LINE.search(text, start, until)
    end = blank.start() if blank else until
    if predicate and (stop := _SENTENCE_END.search(text, start, end)):
        if stop.group() == "?":
            return None
        end = stop.start()
    said = without_courtesy(_first_lines(text[start:end]))
    if is_nothing(tidy(said)) or (predicate and _REMARK.match(said)):
        return None
    if predicate:
        said = "" if is_bound(said) else _REASON.split(said, maxsplit=1)[0]
    value = tidy(affirmed(tidy(said)))
    return Span(value, start, start + len(said), "announcement", emphatic)


def _first_lines(said: str) -> str:
    """Without the lines that explain the value of the first one."""
    first, newline, rest = said.partition("\n")
    rest = rest.lstrip(" \t*_#>-")
    explains = newline and is_value(first) and _PROSE.match(rest) and not _NEXT_PART.match(rest)
    return first if explains else said
