"""Runs of letters: a word, a function, or letters that are multiplied."""

from __future__ import annotations

import re

from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.answers.lexicon.latex import COMMANDS, GREEK, Sign

_INFINITIES = frozenset(["oo", "inf", "infinity"])
_ALSO_WORDS = frozenset(["min", "max", "sum", "sign"])
_SHORT_WORDS_IN_MATH = frozenset(["or", "if", "is", "of", "in", "no"])
_CONNECTIVES = frozenset("and for where with has when that are can".split())
_NEXT_WORD = re.compile(r"\s+([A-Za-z-]{3,})")
_REGION = re.compile(r"\s*(?:[\[({\\]|[RZNQC]\b)")
_SPELT = re.compile(r"[a-z]*[aeiou][a-z]*")
_ENDING = re.compile(r"\s+[a-z]|[\s.,;]*$")
_NEXT_SIGN = re.compile(r"\s*(?:[=<>≤≥^+*/,)-]|$)")


def letters(run: str, math: bool, first: bool, text: str, end: int) -> list[Sign]:
    """What `run`, which ends at `end` of `text`, stands for; `first`: no token is before it."""
    word = run.lower().replace("’", "'")
    if (signs := _constant(run, word, math, first, text, end)) is not None:
        return signs
    function = english.FUNCTION_ALIASES.get(word, word)
    if function in english.FUNCTIONS and (not math or len(word) > 2) and _calls(word, text, end):
        return [("func", function)]
    if (_is_word(run, word, math, text, end) and not (len(run) == 2 and text[end : end + 1] == "^")) or (
        not math and run == "a" and _is_article(text, end)
    ):
        return [("word", word)]
    if not math and len(run) == 1 and text[end : end + 1].isdigit():
        return [("name", run), ("op", "_")]
    return _product(run)


def _product(run: str) -> list[Sign]:
    """Letters that are multiplied; the ending of "n's" is no letter."""
    if "'" in run or "’" in run:
        run = run.rstrip("s'’")
    return [("const" if letter in "ei" else "name", letter) for letter in run]


def _constant(run: str, word: str, math: bool, first: bool, text: str, end: int) -> list[Sign] | None:
    """Membership, the index of "an", infinity and Greek letters; None for any other run."""
    if run == "in" and not math and not first and _REGION.match(text, end):
        return [("op", "in")]
    if run == "DNE":
        return [("word", "dne")]
    if run == "an" and _NEXT_SIGN.match(text, end):  # "a1 = ... = an = 0"
        return [("name", "a"), ("op", "_"), ("name", "n")]
    if word in _INFINITIES:
        return [("const", "oo")]
    if len(run) > 1 and (run in GREEK or word == "pi"):
        return [COMMANDS[run if run in GREEK else word]]
    return None


def _calls(word: str, text: str, end: int) -> bool:
    """ "max" in "max(a, b)" is a function, in "max = 3" a word."""
    return word not in _ALSO_WORDS or text[end : end + 2].lstrip()[:1] in ("(", "{")


def _is_word(run: str, word: str, math: bool, text: str, end: int) -> bool:
    size = len(run)
    is_points = size < 4 and run.isupper() and word not in ("yes", "no", "dne")  # AB, CM, ABC
    if size == 1 or is_points:
        return False
    if not math:
        return word in english.KNOWN or size > 3 or (size == 3 and not (run.islower() or run.isupper()))
    return _is_word_in_math(run, word, text, end)


def _is_word_in_math(run: str, word: str, text: str, end: int) -> bool:
    """Whether it is a known word, or one that stands apart and can be spelt: abcde is a product."""
    before = text[: end - len(run)][-1:]
    if word == "as" and before == text[end : end + 1] == " ":
        return True
    if word in english.KNOWN:
        return len(run) > 2 or word in _SHORT_WORDS_IN_MATH
    apart = len(run) > 4 and before.isspace() and _ENDING.match(text, end)
    return bool(apart and _SPELT.fullmatch(run)) and sorted(run) != [*run]


def _is_article(text: str, end: int) -> bool:
    """Whether the "a" before `end` is the article of the next noun, not a letter."""
    following = _NEXT_WORD.match(text, end)
    return following is not None and following[1].lower() not in _CONNECTIVES
