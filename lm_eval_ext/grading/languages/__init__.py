r"""Answers in other languages: which language a text is in, and its words as the English of the lexicon.

One table for each language, `es.yaml` and so on: English words, each with the regular expressions of what is
said for them. A space stands for any white space, `{}` for a formula, which the English repeats, as `{2}`
does the second one, and " ." at the end for the end of a clause. "hedged" stands for every word that denies,
limits or doubts. Words that are in no table stay, so that nothing is read past them.

    >>> in_english("$n$ es un primo mayor que 3,5", "es")
    '$n$ is a prime greater than 3.5'
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lm_eval_ext.grading.answers.lexicon.english import FUNCTIONS, KNOWN, NEGATIONS
from lm_eval_ext.grading.answers.lexicon.units import UNITS
from lm_eval_ext.grading.answers.lexing.bounds import with_signs
from lm_eval_ext.grading.languages import statements
from lm_eval_ext.grading.languages.detection import WORD, candidates
from lm_eval_ext.grading.languages.detection import detect as detect
from lm_eval_ext.grading.languages.statements import AGAIN, MAX_CHARS, WIDE, stated
from lm_eval_ext.grading.languages.tables import DELIMITED, WITHOUT_SPACES
from lm_eval_ext.grading.languages.tables import translate as translate
from lm_eval_ext.grading.languages.words import FORMULA, HEDGED, MEANINGLESS, UNTOLD

_DECIMAL_COMMA = frozenset("es fr de pt it ro pl tr vi ru".split())
_COMMAND = re.compile(r"\\[A-Za-z]+")


def in_english(text: str, language: str | None, *, own: bool = True) -> str:
    """An answer in English, with decimal points and without separators of thousands.

    Args:
        own: whether the text itself is known to be in that language: a gold may not be.
    """
    if language is None:
        return text
    text = _notated(text, language, own)
    if not _unknown(text):
        return text
    english = translate(text, language).text.strip()
    if english.strip(" .").lower() == "not":
        return "No"
    if (said := _stated(text, language)) is not None:
        return said
    english = with_signs(english.translate(WIDE))
    decision = _DECISION.match(english)
    if HEDGED in english.lower() or (decision and _unknown(decision[1])):
        return f"perhaps {text}"  # which cannot be read
    return _predicate(_FOREIGN.sub(_abstract, english))


def _notated(text: str, language: str, own: bool) -> str:
    """With the numbers and intervals of English."""
    if language in _DECIMAL_COMMA:
        text = _with_points(_SPACED.sub(lambda m: re.sub(r"\D", "", m[0]), text), own)
    text = _PERCENT.sub("%", text)
    if language in WITHOUT_SPACES:
        text = _MYRIADS.sub(lambda m: m[1] if _are_same(m[1], m[2]) else m[0], text)
    return _ANGLED.sub(r"\1[\2]", text) if language == "pl" else text


def states(sentence: str, language: str) -> bool:
    """Whether a sentence is an answer as far as its words are known, in every language that it may be in."""
    for other in candidates(sentence):
        said = AGAIN.split(translate(sentence, other).text.lower())[0]
        if HEDGED in said or (other != language and NEGATIONS & set(WORD.findall(said))):
            return False
    return _stated(_notated(sentence, language, own=True), language) is not None


def counted(said: str, language: str) -> str | None:
    """The number of an announced sentence with a single one: "insgesamt sammelten sie 1.800 Flaschen"."""
    if _stated(_notated(said, language, own=True), language, statements.counted) is None:
        return None
    found = _NUMBER.search(said)
    return found[0] if found else None


def _stated(sentence: str, language: str, read: Callable[[str], str | None] = stated) -> str | None:
    """What it states, where no word that was not translated counts as English: Polish "ten" is not 10."""
    if len(sentence) > 2 * MAX_CHARS:
        return None
    english = translate(sentence, language)
    parts, place = list[str](), 0
    for each in (*english.replacements, None):
        stop = each.start if each else len(english.text)
        parts.append(_FOREIGN.sub(_disguised, english.text[place:stop]))
        if each:
            parts.append(english.text[each.start : each.end])
            place = each.end
    whole = "".join(parts)
    return None if HEDGED in AGAIN.split(whole.lower())[0] else read(with_signs(whole))


def _disguised(match: re.Match[str]) -> str:
    word = match["word"]
    if not word:
        return match[0]
    is_letter = len(word) == 1 and not (word.islower() and _WORD_FOLLOWS.match(match.string, match.end()))
    return match[0] if is_letter or (len(word) > 1 and word.lower() not in _AMBIGUOUS) else UNTOLD


def _abstract(match: re.Match[str]) -> str:
    """An unknown word as one that can be read, and that has no meaning; a name, or a formula, as it is."""
    word = match["word"]
    if not word or word.lower() in KNOWN:
        return match[0]
    if not word.isascii():
        return f" {UNTOLD} "
    named = word[0].isupper() and match.start() > 0
    short = 1 < len(word) < 4 and DELIMITED.search(match.string)  # the reader takes it for letters
    return f" {UNTOLD} " if short and not named else word


def _are_same(number: str, myriads: str) -> bool:
    return float(number.replace(",", "")) == float(myriads) * 10_000


def _predicate(english: str) -> str:
    """What a sentence says of a subject whose words are not English: "The Lösungsmenge is x" says x.

    Without a verb, "Takich liczb 5", it is the only value where all words before it are unknown.
    """
    subject = _SUBJECT.match(english)
    if subject is not None and _is_untold(subject["words"]):
        return english[subject.end() :]
    return english


def _is_untold(words: str) -> bool:
    """Whether it is a subject in unknown words alone, which limit nothing as far as is known."""
    said = set(WORD.findall(words.lower()))
    return len(words) <= _SUBJECT_CHARS and bool(said - KNOWN) and not said & (KNOWN - MEANINGLESS | {HEDGED})


def _unknown(text: str) -> list[str]:
    """The words that are not English; "non" alone is none, though it begins "non negative"."""
    plain = _COMMAND.sub(" ", text).lower()
    return [w for w in WORD.findall(plain) if w not in KNOWN or (w == "non" and _ALONE.search(plain))]


_SUBJECT = re.compile(r"(?P<words>[^$\\\d=.,;:!?()]{1,120}?)(?<!\w)(?:is|are)\s+(?=\S)")
_MYRIADS = re.compile(r"(\d[\d,]{0,20})\s*[（(]\s*即?\s*(\d{1,12}(?:\.\d{1,9})?)\s*[万萬]\s*[)）]")
"""A number with the same in ten thousands: 1,500,000（150万）."""
_FOREIGN = re.compile(rf"{FORMULA}|\\[A-Za-z]+|(?P<word>[^\W\d_]+(?:['’-][^\W\d_]+)*)", re.DOTALL)
_SUBJECT_CHARS = 120
_WORD_FOLLOWS = re.compile(r"\s+(?:[^\W\d_]{2}|\Z)")
_AMBIGUOUS = frozenset(w for w in KNOWN - UNITS.keys() - FUNCTIONS - {"mod", "max", "min"} if 1 < len(w) < 5)
"""Short English words that may be words of another language."""
_DECISION = re.compile(r"\W*(?:yes|no)\b(.*?)(?:\bbecause\b|[.;]\s|\Z)", re.IGNORECASE | re.DOTALL)
"""Yes or no, with what may limit it: all up to a reason. Where that has unknown words, it is no decision."""
_ALONE = re.compile(r"\bnon\b(?=\s*(?:[,.;!}$]|\Z))")
_GROUPED = re.compile(r"(?<![\d.,])([1-9]\d{0,2}(?:\.\d{3})+)(?:(?:,|\{,\})(\d+))?(?![\d.,]*\d)")
_SPACED = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:[ \u202f\xa0]\d{3})+(?!\d)")
_PERCENT = re.compile(r"(?<=\d)[ \u202f\xa0]\\?%")
_NUMBER = re.compile(r"\d(?:[\d.,]|[ \u202f\xa0](?=\d{3}))*(?<=\d)")
_ANGLED = re.compile(r"(\\in\s*)(?:\\langle|⟨)([^()\[\]]{1,80}?)(?:\\rangle|⟩)")
"""A closed interval in Polish."""
_BRACED_COMMA = re.compile(r"(?<=\d)\{,\}(?=\d)")
_COMMA = re.compile(
    r"(?<![\d.,(\[{])(?<![(\[{]-)(\d+),(\d+)(?![\d)\]}]|\s*\\\}|,\d|\.\d|\s*(?:\[|⟩|\\rangle))"
)


def _with_points(text: str, own: bool) -> str:
    """3,75 as 3.75 and 12.500 as 12500; of a text that may be English only what can be no English number."""
    if own:
        text = _GROUPED.sub(lambda m: m[1].replace(".", "") + (f".{m[2]}" if m[2] else ""), text)
        text = _BRACED_COMMA.sub(".", text)
    return _COMMA.sub(lambda m: f"{m[1]}.{m[2]}" if own or len(m[2]) != 3 or m[1] == "0" else m[0], text)
