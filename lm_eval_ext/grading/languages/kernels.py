"""The value in a sentence: the words with a meaning, without the unknown ones that limit nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lm_eval_ext.grading.languages.words import FORMULA, SATISFIES, VERBS, Token, words_of

_MAX_TRAILING = 12
"""Number of words behind a value that may be left out."""
_EVERYWHERE = re.compile(r"^for (?=\$[^$]*[<>=≤≥])|^for all \$\w\$ in (?=\$?[\[(\]])")
_CASES = re.compile(r"\b(?:if|for|when)\s+", re.IGNORECASE)
_CONDITION = rf"(?:(?:if|for|when)\s+)?(?:{FORMULA})"
_CONDITIONS = re.compile(rf"{_CONDITION}(?:,?\s+(?:or|and)\s+{_CONDITION})*", re.IGNORECASE | re.DOTALL)
"""Nothing but conditions: "if $x < 1$ or if $x > 3$"."""
_LISTED = re.compile(
    rf"^(?>(?:(?:only|just|exactly|the|prime|integer|natural|positive|numbers?|pairs?|triples?|values?|solutions?)\s+)+)"
    rf"(?=(?>(?:{FORMULA}|[-\d.]++|\s|,|and\b|or\b)+)$)",
    re.IGNORECASE | re.DOTALL,
)
"""What is counted before a list of values: "the prime numbers 2 and 3"."""
DENIES = re.compile(
    r"\b(?:not|no|none|never)\b(?! (?:divisible|a multiple|multiples?|prime|of the form|equal to))", re.I
)


def kernel(text: str, tokens: Sequence[Token], *, after_verb: bool = True) -> str | None:
    """The words with a meaning, without unknown ones before and behind them; None with one between them."""
    cores = [i for i, t in enumerate(tokens) if t.is_core]
    while cores and tokens[cores[-1]].word in ("and", "or"):
        cores.pop()
    if not cores:
        return None
    start, end = cores[0], cores[-1] + 1
    lead, trail = tokens[:start], tokens[end:]
    if not trails(trail) or _is_doubtful(text, tokens[start:end]):
        return None
    in_ways = words_of(tokens[start + 1 : start + 2]) == ["ways"]  # "the Kommission in 35 ways"
    if not in_ways and (_is_part(lead, tokens[start]) or not _leads(lead, after_verb)):
        return None
    known = next((i for i, t in enumerate(trail) if t.is_unknown or t.word in VERBS), len(trail))
    first = start if in_ways else _begin(lead)
    said = text[tokens[first].start : tokens[end - 1 + known].end].strip(" ,;:.")
    return _plain(said)


def _plain(said: str) -> str:
    """Without words that say only how the value is meant; a congruence alone is one of n."""
    said = _CASES.sub("", said) if _CONDITIONS.fullmatch(said) else said
    return f"$n$ {said}" if said.startswith("≡") else _LISTED.sub("", _EVERYWHERE.sub("", said))


def _is_doubtful(text: str, value: Sequence[Token]) -> bool:
    """Whether there is a denial or an unknown word in the value."""
    denied = DENIES.search(text, value[0].start, value[-1].end)
    return bool(denied) or any(t.is_unknown for t in value)


def _begin(lead: Sequence[Token]) -> int:
    """The place of the first of the known words before a value, behind "of" that of the value."""
    stops = [i + 1 for i, t in enumerate(lead) if t.is_unknown or t.kind == "sign"]
    return len(lead) if lead and lead[-1].word == "of" else max(stops, default=0)


def _is_part(lead: Sequence[Token], value: Token) -> bool:
    """Whether the value is what another thing is made of: "a Teiler of 5", but no "length of 5"."""
    if value.kind == "word" or len(lead) < 2 or lead[-1].word not in _PREPOSITIONS:
        return False
    return lead[-2].word not in _MEASURES


_NAMED = frozenset("value values number numbers answer solution solutions".split())


def _leads(lead: Sequence[Token], after_verb: bool) -> bool:
    """Whether what stands between the verb and the value is no more than "the gesuchte value"."""
    return not after_verb or not any(t.is_unknown for t in lead) or lead[-1].word in _NAMED


_SPACED = re.compile(r"[^\u3041-\u9fff]+\Z")
_MEASURES = frozenset("length area volume probability value measure sum".split())
_PREPOSITIONS = frozenset("of from to by on over than per".split())


def trails(trail: Sequence[Token]) -> bool:
    """Whether what stands behind the value is what is counted, or says that it works."""
    words = words_of(trail)
    told = set(words)
    says_more = told & (VERBS | {"that", "which", "but"}) and not told & SATISFIES
    written_on = any(t.is_unknown and not _SPACED.match(t.word) for t in trail)
    return len(words) <= _MAX_TRAILING and not says_more and not written_on
