"""The tables of the languages, and the words of a text that are in them as the English of the lexicon."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml

from lm_eval_ext.grading.answers.lexicon.units import UNITS
from lm_eval_ext.grading.languages import numerals
from lm_eval_ext.grading.languages.words import FORMULA

WITHOUT_SPACES = ("zh", "ja")
_TRANSLATED_CHARS = 4_000
_TEXT = re.compile(r"\\(?:text\w*|mathrm|mbox|operatorname)\s*\{([^{}]*)\}")
_TEXT_OPEN = re.compile(r"\\(?:text\w*|mathrm|mbox|operatorname|boxed)\s*\{")
_TEXT_OPENS = re.compile(r"\\(?:text\w*|mathrm|mbox|operatorname)\s*\{$")
DELIMITED = re.compile(FORMULA, re.DOTALL)
_SLOT = (
    r"(\$[^$\n]{1,80}\$|\d{1,3}(?:[ \u202f\xa0]\d{3})+|\\\([^\n]{1,80}?\\\)"
    r"|(?<![A-Za-z0-9])[A-Za-z0-9][A-Za-z0-9_=<>≤≥+*/^-]{0,30})"
)
_END = r"(?=\s*(?:[.,;:!*)}\]。，；！\n]|\\\)|\$|\Z))"


class Replacement(NamedTuple):
    """Words of a source in English: where they stand in the English text, and where in the source."""

    start: int
    end: int
    source_start: int
    source_end: int


@dataclass(frozen=True)
class Translation:
    """The end of a text in English; what stands before it is left out."""

    text: str
    source: str
    begin: int
    replacements: tuple[Replacement, ...]

    def place(self, place: int, *, is_end: bool = False) -> int:
        """The place in the source of one in the English; inside a replacement, of its start or its end."""
        before = [r for r in self.replacements if (r.start < place if is_end else r.start <= place)]
        if not before:
            return self.begin + place
        last = before[-1]
        if place <= last.end if is_end else place < last.end:
            return last.source_end if is_end else last.source_start
        return last.source_end + place - last.end

    def original(self, said: str, start: int, end: int) -> str:
        """What the source has for `said`, which stands between these places of the English."""
        at = self.text.find(said, start, end)
        if at < 0 or not said:
            return said
        return self.source[self.place(at) : self.place(at + len(said), is_end=True)]


def translate(source: str, language: str, most: int = _TRANSLATED_CHARS) -> Translation:
    """The words of the last `most` characters that are in the language's table in English; formulas stay."""
    begin = max(0, len(source) - most)
    found, replacements = list[str](), list[Replacement]()
    position, length = begin, 0
    for start, stop, words in _phrases(source, begin, language):
        length += start - position
        found += [source[position:start], words]
        replacements.append(Replacement(length, length + len(words), start, stop))
        length += len(words)
        position = stop
    return Translation("".join([*found, source[position:]]), source, begin, tuple(replacements))


def _phrases(text: str, begin: int, language: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, English) of every phrase outside formulas, and of those in the words inside them.

    In a formula without delimiters, letters are words where several stand together.
    """
    phrases = list(_from_table(text, begin, language))
    owner = {place: i for i, phrase in enumerate(phrases) for place in range(*phrase[:2])}
    numbers = _numerals(text, begin, language)
    counts = [n for n in numbers if owner.get(n[0], -1) != owner.get(n[1] - 1, -2)]  # in no phrase
    counted = {place for number in counts for place in range(*number[:2])}
    kept = [p for p in phrases if counted.isdisjoint(range(*p[:2]))]
    yield from sorted(kept + counts)


def _from_table(text: str, begin: int, language: str) -> Iterator[tuple[int, int, str]]:
    table = _table(language)
    delimited = bool(DELIMITED.search(text, begin))
    bare = not delimited and "\\" in _TEXT_OPEN.sub("", text)
    for match in table.everywhere.finditer(text, begin):
        if not match.lastgroup:
            for held in _TEXT.finditer(text, match.start(), match.end()):
                inner = table.everywhere.finditer(text, held.start(1), held.end(1))
                yield from ((m.start(), m.end(), table.english(m)) for m in inner if m.lastgroup)
        elif not bare or len(match[0]) > 2 or _is_in_text(text, match.start()):
            yield match.start(), match.end(), table.english(match)


def _numerals(text: str, begin: int, language: str) -> Iterator[tuple[int, int, str]]:
    for match in _numeral(language).finditer(text, begin):
        number = numerals.in_english(match[0], language) if match.lastgroup else None
        if number is not None:
            is_said = language == "tr" and _COPULA.search(match[0])
            yield match.start(), match.end(), f"{number} is" if is_said else number


_COPULA = re.compile(r"[dt][ıiuü]r\Z")
"""The verb that Turkish joins to the last word: "altıdır"."""


@lru_cache(maxsize=16)
def _numeral(language: str) -> re.Pattern[str]:
    bound = "" if language in WITHOUT_SPACES else r"(?<![^\W\d_])"
    return re.compile(rf"{bound}(?P<words>{numerals.pattern(language)})|{FORMULA}", re.IGNORECASE | re.DOTALL)


def _is_in_text(text: str, place: int) -> bool:
    opened = text.rfind("{", max(0, place - 200), place)
    return opened > text.rfind("}", opened, place) and bool(
        _TEXT_OPENS.search(text, max(0, opened - 12), opened + 1)
    )


@dataclass(frozen=True)
class _Table:
    """The phrases of one language: a pattern whose groups are numbered as the English of each phrase."""

    everywhere: re.Pattern[str]
    meanings: tuple[str, ...]
    is_spaced: bool

    def english(self, match: re.Match[str]) -> str:
        english = self.meanings[int((match.lastgroup or "_0")[1:])]
        slots = [slot for slot in match.groups()[match.lastindex or 0 :] if slot is not None]
        if slots:
            english = english.replace("{}", slots[0])
            english = _NUMBERED.sub(lambda m: slots[int(m[1]) - 1], english)
        if english in _PRONOUN and _SENTENCE_START.search(match.string, 0, match.start()):
            english = f"{_PRONOUN[english]} {english}"  # "Son 45" asks nothing
        if match[0][:1].isupper() and english not in UNITS:
            english = english[:1].upper() + english[1:]
        return english if self.is_spaced else f" {english} "


@lru_cache(maxsize=16)
def _table(language: str) -> _Table:
    """The table of a language; longer phrases are tried first, those with other first letters not at all."""
    spaced = language not in WITHOUT_SPACES
    table = yaml.safe_load((Path(__file__).parent / f"{language}.yaml").read_text("utf-8"))
    phrases = [(english, phrase) for english, several in table.items() for phrase in several]
    phrases.sort(key=lambda entry: -len(_AROUND.sub("", entry[1])))
    by_letter: dict[str, list[str]] = {}
    for number, (_, phrase) in enumerate(phrases):
        letter = phrase[0] if phrase[0].isalpha() and phrase[1:2] not in ("?", "|") else ""
        if not letter and len(_AROUND.sub("", phrase)) < _SHORT:
            letter = "."
        by_letter.setdefault(letter, []).append(f"(?P<_{number}>{_expression(phrase, spaced)})")
    first, last = by_letter.pop("", []), by_letter.pop(".", [])
    choices = [f"(?={letter})(?:{'|'.join(each)})" for letter, each in by_letter.items()]
    choices = ["|".join(first), *choices, "|".join(last)]
    words = "|".join(choice for choice in choices if choice)
    bound = r"(?<![^\W\d_])" if spaced else ""
    pattern = re.compile(f"{bound}(?:{words})|{FORMULA}", re.IGNORECASE | re.DOTALL)
    return _Table(pattern, tuple(english for english, _ in phrases), spaced)


_NUMBERED = re.compile(r"\{(\d)\}")
_PRONOUN = {"is": "it", "are": "they"}
_SHORT = 12
"""Length of a phrase that begins with no letter, and is tried after those that do."""
_SENTENCE_START = re.compile(r"(?:^|[.!?:\n])\s*\Z")
_AROUND = re.compile(r"\(\?<?[=!].*?\)|\(\?:|[()?]")


def _expression(phrase: str, spaced: bool) -> str:
    """The regular expression of a phrase: of whole words, where the language sets spaces between them."""
    end = phrase.endswith(" .")
    phrase = phrase.removesuffix(" .")
    after = r"(?![^\W\d_])" if spaced and phrase[-1] not in "'}" else ""
    return re.sub(r" (?!\?)", r"\\s+", phrase).replace("{}", _SLOT) + (_END if end else after)
