"""Answers that are decisions: yes, no, no solution, a letter of choice, who wins."""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval_ext.grading.reading import words
from lm_eval_ext.grading.reading.conditions import starts_with
from lm_eval_ext.grading.reading.lexer import Token
from lm_eval_ext.grading.reading.signs import OPEN
from lm_eval_ext.grading.reading.tree import Answer
from lm_eval_ext.grading.reading.trimming import closing

_BOUNDARY = frozenset([",", ";", ".", ":", "newline", "-", "("])


def as_word(part: Sequence[Token]) -> Answer | None:
    """Yes and no with whatever explains them; that there is no solution.

    A decision with a condition ("yes if n is even", "none except 3") is none of these.
    """
    texts = [t.text for t in part]
    sentence = _first_sentence(part)
    if texts[0] in ("yes", "no", "true", "false"):
        after = [t for t in texts[1:4] if t not in _BOUNDARY]
        limited = bool(after) and (after[0] in LIMITS or (after[0] == "for" and after[1:2] not in _TOTAL))
        if limited or {"yes", "no"} <= {texts[0], *after[:2]}:
            return None
        if texts[0] != "no" or not after or texts[1] in _BOUNDARY:
            return Answer(word="yes" if texts[0] in ("yes", "true") else "no")
        aside = part[len(sentence) + 1].text if len(sentence) + 1 < len(part) else ""
        limited = _is_limited(sentence) or aside in LIMITS
        return Answer(word="none") if _denies(part[1:]) and not limited else None
    if texts[0] == "such" and sentence[-1].text in ("exist", "exists") and not _is_limited(sentence):
        return Answer(word="yes")  # "such a function exists"
    if _is_limited(sentence) or (len(sentence) + 1 < len(part) and part[len(sentence) + 1].text in LIMITS):
        return None
    start = next((i for i, t in enumerate(sentence) if t.text not in words.NOISE), len(sentence))
    if start < len(sentence) and sentence[start].text == "no" and _denies(sentence[start + 1 :]):
        return Answer(word="none")
    first = [t for t in sentence if t.text not in words.NOISE]
    if not first or first[0].kind != "word":
        return None
    for phrases, word in ((words.NO, "no"), (words.YES, "yes"), (words.NONE, "none")):
        if any(starts_with(first, p) for p in phrases if len(p) > 1 or sentence[-1] is first[0]):
            return Answer(word=word)
    said = [t.text for t in sentence]
    denied = any(p == tuple(said[i : i + len(p)]) for p in words.NONE if len(p) > 1 for i in range(len(said)))
    return Answer(word="none") if denied and not any(t.kind == "num" for t in first) else None


LIMITS = frozenset(
    "if when only except unless but iff provided or other greater less more fewer besides larger "
    "smaller and".split()
)
_TOTAL = (["all"], ["any"], ["every"], ["each"], ["which"], ["example"], ["instance"], ["some"])


def _is_limited(sentence: Sequence[Token]) -> bool:
    """Whether it says "if", "except", "other than", "for n = 3": no decision for every case."""
    texts = [t.text for t in sentence if t.kind == "word"]
    if any(t in LIMITS - {"and"} for t in texts):
        return True
    return any(t == "for" and texts[i + 1 : i + 2] not in _TOTAL for i, t in enumerate(texts))


def _first_sentence(part: Sequence[Token]) -> list[Token]:
    end = next((i for i, t in enumerate(part) if t.text in (".", ";", ",", "newline", "(")), len(part))
    return list(part[:end])


def _denies(rest: Sequence[Token]) -> bool:
    """After "no": "... such function exists", "... solutions", "... real x"; not "... more than 5"."""
    following = [t.text for t in rest[:3]]
    return bool(_SOUGHT & set(following[:2])) and following[0] not in ("more", "less", "fewer", "other")


_SOUGHT = words.SOLUTIONS | frozenset(
    "such integer integers real positive natural number numbers other prime primes rational triangle "
    "arrangement set sets way ways".split()
)
"""What a problem asks for, so that "no integers" means that there is no solution."""


def as_choice(part: Sequence[Token]) -> tuple[str, Sequence[Token]] | None:
    """(choice, what follows): a letter, "(C) 1200", "B is larger", "the first player wins"."""
    texts = [t.text for t in part]
    if texts[0] == "(" and len(texts) > 2 and texts[2] == ")" and _is_letter(part[1]):
        return part[1].text, part[3:]
    if _is_letter(part[0]) and (len(texts) == 1 or texts[1] == ")" or (texts[1] == "." and len(texts) > 2)):
        return part[0].text, part[2:]
    content = [t for t in part if t.text not in ("the", "option", "choice", "answer", "is", ".", "a", "an")]
    if len(content) == 1 and _is_letter(content[0]) and len(part) > 1 and part[0].kind == "word":
        return content[0].text, []
    who = winner(part)
    return None if who is None else (who, [])


def _is_letter(token: Token) -> bool:
    return token.kind in ("name", "const") and len(token.text) == 1 and token.text.isupper()


def winner(part: Sequence[Token]) -> str | None:
    """The player named at the start, if nothing follows but that he wins or is larger."""
    part = [t for t in part if t.text != "the"]
    if not part:
        return None
    texts = [t.text for t in part]
    who, rest = None, part
    if texts[0] in words.ORDINALS and texts[1:2] in (["player"], []):
        who, rest = words.ORDINALS[texts[0]], part[2:]
    elif texts[0] == "player" and (order := [t for t in texts if t in words.ORDINALS]):
        who, rest = words.ORDINALS[order[0]], [t for t in part[1:] if t.text != order[0]]
    elif texts[0] == "player" and len(texts) > 1:
        who, rest = texts[1], part[2:]
    elif (part[0].kind == "word" and texts[0] not in words.KNOWN) or (_is_letter(part[0]) and len(part) > 1):
        who, rest = texts[0], part[1:]
    if who is None or not all(t.text in words.PREDICATES or t.text == "." for t in _until_aside(rest)):
        return None
    return who


def _until_aside(rest: Sequence[Token]) -> list[Token]:
    """ "B = log 5 is larger", "the first (and so on) wins": what merely explains who is left out."""
    kept: list[Token] = []
    if rest and rest[0].text == "=" and any(t.kind == "word" for t in rest):
        rest = rest[next(i for i, t in enumerate(rest) if t.kind == "word") :]
    position = 0
    while position < len(rest):
        end = closing(rest, position) if rest[position].text in OPEN else position
        inside = rest[position + 1 : end]
        more = {"or", "and", "also", "plus", "but"}
        if inside and (inside[0].kind != "word" or any(t.text in words.NEGATIONS | more for t in inside)):
            return list(rest)
        if not inside:
            kept.append(rest[position])
        position = end + 1
    return kept
