"""Numbers in words, as `numerals.yaml` lists them for each language: "zweitausendfünfhundert" is 2500."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml

from lm_eval_ext.grading.answers.lexicon.english import NUMERALS

_JOINED = ("de", "it", "zh", "ja")
"""Languages that write a number as one word."""
_CHARACTERS = ("zh", "ja")
_DIGITS = "零一二两三四五六七八九十百千万"
_MULTIPLIERS = {"ten": 10, "hundreds": 100, "thousand": 1_000, "ten-thousand": 10_000}
_ENGLISH = {number: word for word, number in NUMERALS.items()}


class Atom(NamedTuple):
    """A word for a number, or for a power of ten that multiplies what stands before it."""

    pattern: re.Pattern[str]
    number: int
    multiplies: bool = False


@lru_cache(maxsize=16)
def _atoms(language: str) -> tuple[Atom, ...]:
    table = _table()[language]
    found = [(word, i, False) for i, word in enumerate(table["units"].split())]
    found += [(word, 20 + 10 * i, False) for i, word in enumerate(table.get("tens", "").split())]
    hundreds = table["hundreds"].split()
    if len(hundreds) > 1:
        found += [(word, 100 + 100 * i, False) for i, word in enumerate(hundreds)]
    found += [
        (table[name], power, True)
        for name, power in _MULTIPLIERS.items()
        if name in table and (name != "hundreds" or len(hundreds) == 1)
    ]
    return tuple(Atom(re.compile(word, re.IGNORECASE), number, power) for word, number, power in found)


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = yaml.safe_load(
        Path(__file__).with_name("numerals.yaml").read_text("utf-8")
    )
    return table


@lru_cache(maxsize=16)
def pattern(language: str) -> str:
    """The regular expression of a number in words, without groups; a Chinese one below ten has a counter."""
    atoms = _atoms(language)
    anything = f"(?:{_any(atoms)})"
    if language in _CHARACTERS:
        counted = rf"(?<![第{_DIGITS}]){anything}(?={_table()[language]['counters']}|[。.]|である|です|\Z)"
        return f"(?<![{_DIGITS}])(?>{anything}{{2,}})(?![{_DIGITS}])|{counted}"
    joint = _joint(language)
    large = _any([a for a in atoms if a.number >= 20 or a.multiplies])
    if language in _JOINED:
        gap, end = rf"(?:{joint}|[\s-]?)" if language == "de" else r"[\s-]?", ""
    else:
        gap, end = r"(?:[\s-]+|(?<=nti))", r"(?:[dt][ıiuü]r)?(?:(?![^\W\d_])|(?<=nti))"
    step = rf"(?:(?:{large}){end}\s+(?:{joint})\s+|{anything}{end}{gap})(?={anything}{end})"
    return rf"(?>(?:{step})*){anything}{end}(?![^\W\d_])"


def _any(atoms: list[Atom] | tuple[Atom, ...]) -> str:
    return "|".join(sorted((a.pattern.pattern for a in atoms), key=len, reverse=True))


def in_english(words: str, language: str) -> str | None:
    """The number, in a word up to twenty; None for "one", which may be an article, and for no number.

    Several Chinese characters have a power of ten among them: others stand in many words.
    """
    found = _read(words, language)
    number = _value(found) if found else None
    if number is None or number == 1 or (len(found) == 1 and found[0].number >= 1_000):
        return None
    if language in _CHARACTERS and len(found) > 1 and not any(atom.multiplies for atom in found):
        return None
    return _ENGLISH.get(number, str(number))


def _read(words: str, language: str) -> list[Atom]:
    """The parts, the longest word first at each place; none where anything else stands between them."""
    between = re.compile(rf"{_joint(language)}|[\s-]+|[dt][ıiuü]r", re.IGNORECASE)
    found, place = list[Atom](), 0
    while place < len(words):
        matches = [(m.end(), atom) for atom in _atoms(language) if (m := atom.pattern.match(words, place))]
        if matches:
            place, atom = max(matches, key=lambda each: each[0])
            found.append(atom)
        elif skipped := between.match(words, place):
            place = skipped.end()
        else:
            return []
    return found


def _joint(language: str) -> str:
    """What stands after tens and what is larger, "and"; what matches nothing where there is no such word."""
    return _table()[language].get("and", "(?!)")


def _value(atoms: list[Atom]) -> int | None:
    """The number; None where the parts do not form one, as in "two three"."""
    total, current, before = 0, 0, 10**9
    for _, number, multiplies in atoms:
        if multiplies and number >= 1_000:
            if number >= before:
                return None
            total, current, before = total + (current or 1) * number, 0, number
        elif multiplies:
            last = current % 10
            if current % number != last or (current and not last and current % (10 * number)):
                return None
            current += (last or 1) * number - last
        elif _fits(current, number):
            current += number
        else:
            return None
    return total + current


def _fits(current: int, number: int) -> bool:
    """Whether a number can follow: after "sixty" also "seventeen", and "and twenty" after "five".

    A zero holds a place: 一百零二 is 102.
    """
    if number < 10:
        return current % (10 if number else 100) == 0
    if number < 20:
        return current % 100 in (0, 60, 80)
    return current % 100 < 10 if number < 100 else not current
