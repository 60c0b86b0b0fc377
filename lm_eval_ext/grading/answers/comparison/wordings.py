"""Pairs that are decided as texts, before or after they are read: times of day, a name and its sentence."""

from __future__ import annotations

import re

from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

_MAX_CHARS = 200
_TIME = re.compile(
    r"(?:at\s+)?(\d{1,2}):(\d\d)(?::(\d\d))?\s*(?:(a|p)\.?\s*m\.?)?(?:\s*o'clock)?", re.IGNORECASE
)
_WRAPPING = re.compile(r"\\(?:text\w*|mathrm|quad|[,; ])|[${}~]|\\[()]")
_ROUNDED_GOLD = re.compile(r"\s*\$?\s*-?\d*\.\d{2,}[^A-Za-z=]*")
_ABOUT = re.compile(
    r"^\s*(?:approximately|about|around|roughly|(\$?)\s*(?:\\approx(?![a-z])|≈))\s*", re.IGNORECASE
)
_NAME = re.compile(r"(?:the\s+)?[A-Z][a-z]{2,20}")
_SENTENCE = re.compile(r"([A-Z][a-z]{2,20})((?:\s+[a-z]+,?)+)\.?")
_TELLING = english.NEGATIONS | english.HEDGES | english.LIMITS | {"lose", "loses", "both", "neither"}


def without_about(answer: str, gold: str) -> str:
    """The answer without "approximately", where the gold is rounded, too."""
    return _ABOUT.sub(r"\1", answer) if _ROUNDED_GOLD.fullmatch(gold) else answer


@rule("times.same", "times.differ")
def same_time(answer: str, gold: str) -> Outcome | None:
    """Two times of day; None where they are none, or only their digits differ as those of ratios may."""
    given, wanted = _time(answer), _time(gold)
    if given is None or wanted is None:
        return None
    (mine, half), (theirs, other) = given, wanted
    said = f"{answer.strip()[:20]} and {gold.strip()[:20]}"
    if half and other:
        same = mine == theirs and half == other
    elif half or other:
        same = _as_24_hours(*given) == _as_24_hours(*wanted) or mine == theirs
    else:
        same = mine == theirs
    if same:
        return Outcome(True, "times.same", said)
    return Outcome(False, "times.differ", said) if half or other else None


Time = tuple[tuple[int, int, int], str]


def _time(text: str) -> Time | None:
    found = _TIME.fullmatch(_WRAPPING.sub(" ", text).strip(" .")) if len(text) < _MAX_CHARS else None
    if found is None or int(found[1]) > 24 or int(found[2]) > 59:
        return None
    return (int(found[1]), int(found[2]), int(found[3] or 0)), (found[4] or "").lower()


def _as_24_hours(time: tuple[int, int, int], half: str) -> tuple[int, ...]:
    hour = time[0] % 12 + 12 * (half == "p") if half else time[0]
    return (hour, *time[1:])


@rule("names.same")
def same_name(answer: str, gold: str) -> Outcome | None:
    """ "Petya" and "Petya will receive the last token.": a name, and what is said of it and nobody else."""
    for name, sentence in ((answer.strip(" ."), gold.strip()), (gold.strip(" ."), answer.strip())):
        said = _SENTENCE.fullmatch(sentence) if len(sentence) < _MAX_CHARS and _NAME.fullmatch(name) else None
        if said is None or said[1] != name or name.lower() in english.KNOWN:
            continue
        if not _TELLING & set(said[2].replace(",", " ").split()):
            return Outcome(True, "names.same", f"both name {name}")
    return None
