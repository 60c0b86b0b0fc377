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
_ROUNDED_GOLD = re.compile(r"\$?\s?-?\d*+\.\d{2,}+[^A-Za-z=]*")
_ABOUT = re.compile(
    r"^\s*(?:approximately|about|around|roughly|(\$?)\s*(?:\\approx(?![a-z])|≈))\s*", re.IGNORECASE
)
_NAME = re.compile(r"(?:the\s+)?[A-Z][a-z]{2,20}")
_SENTENCE = re.compile(r"([A-Z][a-z]{2,20})((?:\s+[a-z]+,?)+)\.?")
_TELLING = english.NEGATIONS | english.HEDGES | english.LIMITS | {"lose", "loses", "both", "neither"}


def concluded(answer: str) -> str:
    """What follows "so" in a sentence; empty where its reasons are suppositions, or limit what follows."""
    parts = _SO.split(answer) if len(answer) <= _MAX_CHARS else []
    return "" if len(parts) < 2 or any(map(_SUPPOSED.search, parts[:-1])) else parts[-1]


_SO = re.compile(r"[,;.]\s+(?:and\s+)?(?:so|hence|thus|therefore|thereby)\b,?\s+(?:that\s+)?", re.IGNORECASE)
_SUPPOSED = re.compile(
    r"\b(?:if|when|for|unless|suppos\w+|assum\w+|or|not|only|cannot|otherwise|wrong|false|guess\w*)\b|n't",
    re.IGNORECASE,
)


def without_about(answer: str, gold: str) -> str:
    """The answer without "approximately", where the gold is rounded, too."""
    is_rounded = _ROUNDED_GOLD.fullmatch(gold.strip()) or "\\approx" in gold or "≈" in gold
    return _ABOUT.sub(r"\1", answer) if is_rounded else answer


_RESIDUE = re.compile(r"\$?\s*-?\d{1,9}(?:\s|\\[,; ])*\(?\s*(?:\\[pb]?mod|mod)\b[^A-Za-z=]*")
_CONGRUENCE = re.compile(r"([A-Za-z])\s*(?:\\equiv|≡)")


def as_congruence(answer: str, gold: str) -> str:
    """ "23 mod 105" beside x ≡ 23 (mod 105) is the class of that number."""
    found = _CONGRUENCE.search(gold) if _RESIDUE.fullmatch(answer.strip()) else None
    return f"{found[1]} \\equiv {answer.replace('$', '')}" if found else answer


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


_CYCLES = re.compile(r"(?:\(\s*\d{1,3}(?:\s+\d{1,3})*\s*\)\s*)+")


@rule("permutations.same", "permutations.differ")
def same_cycles(answer: str, gold: str) -> Outcome | None:
    """Two permutations as products of disjoint cycles, (1 3 5)(2 4); None where one is none."""
    given, wanted = _cycles(answer), _cycles(gold)
    if not given or not wanted:
        return None
    rule_id = "permutations.same" if given == wanted else "permutations.differ"
    return Outcome(given == wanted, rule_id, f"{answer[:40]} and {gold[:40]}")


def _cycles(text: str) -> frozenset[tuple[int, ...]]:
    """Its cycles, the least number of each first, without fixed points; empty for anything else."""
    plain = _WRAPPING.sub(" ", text).strip(" .") if len(text) < _MAX_CHARS else ""
    if not _CYCLES.fullmatch(plain):
        return frozenset()
    cycles = [tuple(map(int, cycle.split())) for cycle in re.findall(r"[\d\s]+", plain) if cycle.strip()]
    moved = [n for cycle in cycles for n in cycle]
    if len(set(moved)) < len(moved):
        return frozenset()  # a product whose order counts
    turns = ((cycle, cycle.index(min(cycle))) for cycle in cycles if len(cycle) > 1)
    return frozenset(cycle[at:] + cycle[:at] for cycle, at in turns)


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


_PREDICATE = re.compile(
    r"(?:(?P<subject>[^.;:]{1,60}?)\s+(?:is|are)\s+)?(?:an?\s+)?(?P<said>[a-z][a-z -]{3,60})\.?",
    re.IGNORECASE,
)


@rule("words.same-predicate")
def same_predicate(answer: str, gold: str) -> Outcome | None:
    """ "The vectors are linearly independent." and "linearly independent": of what, one may leave out."""
    sides = [
        _PREDICATE.fullmatch(_WRAPPING.sub(" ", t).strip()) for t in (answer, gold) if len(t) < _MAX_CHARS
    ]
    if len(sides) < 2 or not sides[0] or not sides[1]:
        return None
    (subject, said), (other, wanted) = (
        (m["subject"] or "", " ".join(m["said"].lower().split())) for m in sides if m
    )
    if said != wanted or (subject and other and subject.lower() != other.lower()):
        return None
    doubtful = _TELLING | {"some", "one", "first", "second"}
    if doubtful & set(f"{subject} {other}".lower().split()):
        return None
    return Outcome(True, "words.same-predicate", said)
