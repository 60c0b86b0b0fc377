"""A response of one or two short sentences, which says its answer without announcing it."""

from __future__ import annotations

import re
from itertools import pairwise

from lm_eval_ext.grading import languages
from lm_eval_ext.grading.extraction.conclusions import BREAK, CUE, FINISHED, HEDGED
from lm_eval_ext.grading.extraction.values import (
    SIGN_OF_MATHEMATICS,
    Span,
    is_doubted,
    is_nothing,
    tidy,
    without_courtesy,
)

_MAX_CHARS = 300
_DECIDES = re.compile(
    r"\b(?:no|none|not|yes|never|always|all|every|any|only|exists?|infinit\w+|impossible|possible|true|false|empty|"
    r"even|odd|wins?|winning|primes?|squares?|cubes?|composite|multiples?|powers?|divisors?|permutations?|identity|linear|zero|diverges?|converges?|undefined|DNE)\b|n['’]t\b|[√π∞∅≤≥≠ℝℕℤℚ]",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"\b(?:(?:if\s+and\s+only\s+if|iff|(?:exactly|precisely)\s+(?:if|when|for))\b.*|(?:is\s+)?not\s+possible|impossible|do(?:es)?\s+not\s+exist|doesn['’]t\s+exist|no\s+such)\b",
    re.IGNORECASE | re.DOTALL,
)
_REASON = re.compile(r"\W*(?:since|because|as)\s[^.;]{1,120},\s+", re.IGNORECASE)
"""Before what it explains: "Since 25 is odd, it is impossible"."""
_BY_CASES = re.compile(r"\W*(?:if|when)\b.*\b(?:if|when|otherwise|else)\b", re.IGNORECASE | re.DOTALL)
_PARTS = re.compile(r"\(?(?:a|i|1)\)")
_WORKS = re.compile(
    r"^(?:[\s*_>]*#|\W*(?:let\b|suppose|assum\w+|consider|try|check|note|recall|remember|first(?!\s+player)|step|next|now|to\s+\w+|we\s+(?:need|want|can|must|"
    r"should|will|know|start|are)|I\s+(?:need|want|can|must|should|will|think|guess|am)|you|please|find|solve|compute|"
    r"calculate|determine|evaluate|simplify|show|prove|given|if|since|because|when|how|what|why|who|where|which|is|"
    r"are|does|do|can|sure|okay|ok|hello|hi|thanks?|sorry)\b)",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"\b(?:answers?|results?|options?|choices?|(?<!only\s)(?<!unique\s)solution\s+is|conclusion|perhaps|maybe|probably|possibly|might|could|would|"
    r"doubt\w*|guess\w*|think|believe|no\s+(?:idea|clue)|lie|wrong|incorrect|disprov\w+|tags?|not\s+the\s+case|bounded|hedged)\b|box|</?\w+>",
    re.IGNORECASE,
)
"""What announces or concludes was read before, and refused; what is not certain commits to nothing."""
_UNFINISHED = re.compile(
    r"[?:=,;+/(\[-][\s*_$]*$|\.{3}\W*$|…\W*$|\b(?:so|we|and|or|the|of|that|which|is|are|to|in|by|with|for|then)\W*$",
    re.IGNORECASE,
)


def short_response(text: str) -> Span | None:
    """What a short response says: "There is no such n.", "The eigenvalues are 1 and 3."

    Of two sentences it is the last one that states something; parts, "a) ... b) ...", belong together.
    """
    said = without_courtesy(text[: 2 * _MAX_CHARS])
    shown = said.strip()
    if not 0 < len(shown) <= _MAX_CHARS or len(text) > 2 * _MAX_CHARS or is_nothing(tidy(shown)):
        return None
    start = len(said) - len(said.lstrip())
    for first, last in reversed(_sentences(shown)):
        reason = _REASON.match(shown, first, last)
        first = reason.end() if reason else first
        cue = CUE.match(shown, first, last)
        if cue and (HEDGED.search(_DENIES.sub("", shown[cue.end() : last])) or not FINISHED.search(shown)):
            return None
        first = cue.end() if cue else first
        states = SIGN_OF_MATHEMATICS.search(shown, first, last) or _DECIDES.search(shown, first, last)
        if states and not is_doubted(shown, first):
            return Span(tidy(shown[first:last]), start + first, start + last, "short response")
    return None


def _sentences(shown: str) -> list[tuple[int, int]]:
    """The places of one or two sentences, parts as one; none of a text that is longer or does not commit."""
    ends = [0, *(found.end() for found in BREAK.finditer(shown)), len(shown)]
    found = [(a, b) for a, b in pairwise(ends) if shown[a:b].strip()]
    if len(found) > 2 or _UNFINISHED.search(shown):
        return []
    if _PARTS.match(shown):
        found = [(0, len(shown))]
    return [] if any(_is_uncommitted(shown[a:b]) for a, b in found) else found


def _is_uncommitted(sentence: str) -> bool:
    """Whether it supposes, asks or doubts: no "If n is odd, 0; if n is even, 2", no "Since 25 is odd, no"."""
    said = _REASON.sub("", sentence, count=1)
    cue = CUE.match(said)
    works = _WORKS.search(said) and not _BY_CASES.match(said)
    return bool(works or _REFUSED.search(said, cue.end() if cue else 0))


_SHORT = 8
"""Length of a first sentence that decides: "Yes. An example is ..."."""
_SEARCHED = 1_000
_CONCLUDES = re.compile(
    r"^\W*(?:therefore|thus|hence|conclusion|(?:final )?answer|result)\b|\b(?:is|are) (?:thus|therefore)\b"
    r"|\btherefore,",
    re.IGNORECASE,
)
"""A last sentence that concludes, in English."""
_FOREIGN_BREAK = re.compile(
    r"(?<=[.!])(?<!\b[A-Za-z0-9]\.)\s+(?=\S)(?![a-zà-öø-ÿа-яё])|(?<=[。！])\s*(?=\S)|\n+"
)


def foreign_statement(text: str, language: str) -> Span | None:
    """The last of two sentences in another language, if it states something; of more, if it concludes."""
    shown = text.rstrip()
    starts = [0, *(found.end() for found in _FOREIGN_BREAK.finditer(shown, max(0, len(shown) - _SEARCHED)))]
    if not shown.strip():
        return None
    if len(shown) > _MAX_CHARS or len(starts) > 2:
        said = shown[starts[-1] :]
        concludes = len(said) <= _MAX_CHARS and _CONCLUDES.search(languages.translate(said, language).text)
        return _foreign(shown, starts[-1], language) if concludes else None
    start = 0 if _PARTS.match(shown) or len(shown[: starts[-1]]) < _SHORT else starts[-1]
    shown = shown if start or _PARTS.match(shown) else shown[: starts[-1] or None].rstrip()
    return _foreign(shown, start, language)


def _foreign(shown: str, start: int, language: str) -> Span | None:
    said = tidy(shown[start:])
    return Span(said, start, len(shown), "short response") if languages.states(said, language) else None
