"""A response of one or two short sentences, which says its answer without announcing it."""

from __future__ import annotations

import re
from itertools import pairwise

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
    r"even|odd|prime|diverges?|converges?|undefined|DNE)\b|n['’]t\b|[√π∞∅≤≥≠ℝℕℤℚ]",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"\b(?:(?:is\s+)?not\s+possible|impossible|do(?:es)?\s+not\s+exist|doesn['’]t\s+exist|no\s+such)\b",
    re.IGNORECASE,
)
_PARTS = re.compile(r"\(?(?:a|i|1)\)")
_WORKS = re.compile(
    r"^(?:[\s*_>]*#|\W*(?:let\b|suppose|assum\w+|consider|try|check|note|recall|remember|first|step|next|now|to\s+\w+|we\s+(?:need|want|can|must|"
    r"should|will|know|start|are)|I\s+(?:need|want|can|must|should|will|think|guess|am)|you|please|find|solve|compute|"
    r"calculate|determine|evaluate|simplify|show|prove|given|if|since|because|when|how|what|why|who|where|which|is|"
    r"are|does|do|can|sure|okay|ok|hello|hi|thanks?|sorry)\b)",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"\b(?:answers?|results?|options?|choices?|solution\s+is|conclusion|perhaps|maybe|probably|possibly|might|could|would|"
    r"doubt\w*|guess\w*|think|believe|no\s+(?:idea|clue)|lie|wrong|incorrect|disprov\w+|tags?|not\s+the\s+case|bounded)\b|box|</?\w+>",
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
    uncommitted = any(kind.search(shown[a:b]) for kind in (_WORKS, _REFUSED) for a, b in found)
    return [] if uncommitted else found
