"""Small changes that make an answer another one, and the rules for where they do not."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

from lm_eval_ext.grading.answers import compare

_DECISIONS = re.compile(
    r"\s*(?:a[.)]\s*)?"
    r"(?:there (?:is|are|does not)\b.*|yes\b.*|no\b.*|none\b.*|true|false|\(?[A-H]\)?\.?)\s*$",
    re.IGNORECASE | re.DOTALL,
)
_RESTATED = re.compile(r"\bi\.e\.|\bequivalently\b|\bthat is\b|\bnamely\b", re.IGNORECASE)
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{4,}")
_OTHER_BRACKET = {"[": "(", "(": "[", "]": ")", ")": "]"}


def is_decision(gold: str) -> bool:
    """Yes, no, no solution, a letter of choice: what explains it is not compared."""
    return _DECISIONS.match(gold) is not None


def is_restated(answer: str) -> bool:
    """ "..., i.e. ...": of a description and a list the list counts."""
    return _RESTATED.search(answer) is not None


def in_remark(answer: str, position: int) -> bool:
    """Whether it stands in brackets with a word: "a = b = 1 (with p = 3)", "(including (0, 0, 0))"."""
    opened: list[int] = []
    for i, sign in enumerate(answer):
        if sign == "(":
            opened.append(i)
        elif sign == ")" and opened:
            start = opened.pop()
            if start < position < i and _WORD.search(answer[start:i]):
                return True
    return False


def before_equality(answer: str, position: int) -> bool:
    """In the inequality whose case of equality is the answer."""
    return "equality" in answer[position:].lower()


def in_subscript(answer: str, position: int) -> bool:
    """Part of a name: F_1."""
    return re.search(r"_\{?\w*$", answer[:position]) is not None


def exponent_of_one(answer: str, position: int) -> bool:
    """1^2 is 1^7."""
    return re.search(r"(?<![\d.])1\^\{?$", answer[:position]) is not None


def before_is(answer: str, position: int) -> bool:
    """In what the value is said of: "The sum of all 25 numbers is 7776"."""
    clause = re.split(r"[.:;=\n]", answer[:position])[-1]
    return (
        clause.lstrip("ab) ").startswith("The ") and re.match(r"[\w ]* is\b", answer[position:]) is not None
    )


def does_not_count(answer: str, gold: str, position: int) -> bool:
    """Where a change must not matter."""
    return (
        is_decision(gold)
        or is_restated(answer)
        or in_remark(answer, position)
        or before_equality(answer, position)
        or in_subscript(answer, position)
        or exponent_of_one(answer, position)
        or before_is(answer, position)
    )


def _other_digit(sign: str, chance: random.Random) -> str:
    return chance.choice([d for d in "0123456789" if d != sign])


def _other_sign(sign: str, chance: random.Random) -> str:
    return "-" if sign == "+" else "+"


def _other_bracket(sign: str, chance: random.Random) -> str:
    return _OTHER_BRACKET[sign]


SIGNS: dict[str, tuple[re.Pattern[str], Callable[[str, random.Random], str]]] = {
    "digit": (re.compile(r"\d"), _other_digit),
    "sign": (re.compile(r"(?<!\\)[-+]"), _other_sign),
    "bracket": (re.compile(r"(?<!\\)[\[\]()]"), _other_bracket),
}


def mutants(kind: str, answer: str, chance: random.Random, most: int) -> Iterator[tuple[int, str]]:
    """(position, changed answer) for up to `most` positions of one kind, drawn by chance."""
    pattern, change = SIGNS[kind]
    found = [m.start() for m in pattern.finditer(answer)]
    for i in chance.sample(found, min(most, len(found))):
        yield i, answer[:i] + change(answer[i], chance) + answer[i + 1 :]


def pieces(answer: str) -> list[str]:
    """Parts between commas outside of brackets, dollars taken off."""
    found, depth = [""], 0
    for sign in answer.replace("$", "").replace("\\,", " "):
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0:
            found.append("")
        else:
            found[-1] += sign
    return found


def without_one(answer: str) -> Iterator[str]:
    """The answer less one of the values it lists."""
    parts = pieces(answer)
    if len(parts) > 1:
        for i in range(len(parts)):
            yield ",".join(parts[:i] + parts[i + 1 :])


def moves_bound_of_odd(answer: str, gold: str) -> bool:
    """An odd n >= 2 is an odd n >= 3: a bound moved over numbers that do not count."""
    return "odd" in answer and "odd" in gold and bool(re.search(r"\\ge|>|≥", answer))


def still_names_all_pairs(answer: str, gold: str) -> bool:
    """Of the unordered pairs {1, 2} that are listed as (1, 2) and (2, 1), one may be left out."""
    pairs = re.findall(r"\{(\d+),\s*(\d+)\}", gold)
    listed = {frozenset(p) for p in re.findall(r"\((\d+),\s*(\d+)\)", answer)}
    return bool(pairs) and listed == {frozenset(p) for p in pairs}


def still_names_the_range(answer: str) -> bool:
    """One number before the dots says as much as two: "for k = 2, ..., n"."""
    return re.search(r"\w = \d+, (?:\\ldots|\.\.\.), \w", answer) is not None


def has_direction(answer, gold):
    """The rules that look at the gold alone, by what the reading says.

    A decimal gold with two or more places takes the exact value that rounds to it; a gold by cases is
    compared where one of its cases holds; a gold "at least 7" means 7.
    """
    if re.match(r"at (?:least|most)\b", answer) or re.match(r"at (?:least|most)\b", gold):
        return True
    reasons = compare(answer, gold).detail + compare(gold, answer).detail
    return "rounded" in reasons or "equal in each case" in reasons
