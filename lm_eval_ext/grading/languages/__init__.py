r"""Answers in other languages: which language a text is in, and its words as the English of the lexicon.

One table for each language, `es.yaml` and so on: English words, each with the regular expressions of what is
said for them. A space stands for any white space, `{}` for a formula, which the English repeats, and " ." at
the end for the end of a clause. Words that are in no table stay, so that nothing is read past them.

    >>> in_english("$n$ es un primo mayor que 3,5", "es")
    '$n$ is a prime greater than 3.5'
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml

from lm_eval_ext.grading.answers.lexicon.english import KNOWN

_MARKS = {
    "es": "el los las del una que por para es respuesta tenemos entonces solución soluciones luego todo "
    "todos toda todas sí números número cada cuando donde entero enteros primos impares existe "
    "posible",
    "fr": "le les des du est et une un réponse pour nous donc alors oui il tout tous toute toutes nombre "
    "nombres qui dans sont ou pas entier entiers premiers impair où vaut aucune infinité",
    "de": "der das ist und eine ein einen antwort für wir ja nein es gibt lösung lösungen alle nicht sind "
    "keine kein gerade ungerade somit daher ergebnis lautet oder zahlen primzahlen unendlich "
    "insgesamt",
    "pt": "da que por uma um para é são resposta temos então não há solução soluções logo todo todos toda "
    "todas sim números número portanto existe existem qualquer assim inteiro primos ímpar ímpares ou",
    "it": "il gli della del che una un risposta è abbiamo quindi allora sì tutti tutte numeri numero "
    "soluzione soluzioni sono dunque ogni di oppure infiniti pari dispari pertanto",
    "ro": "și este sunt răspuns răspunsul pentru avem deci da există soluții soluția orice din prin urmare "
    "sau numere numerele impar ecuația așadar numărul egală toate",
    "pl": "jest odpowiedź dla mamy więc nie tak liczb liczba liczby liczbą rozwiązanie rozwiązań się "
    "wszystkie zatem odpowiedzią lub oraz istnieje stąd ostatecznie wynosi parzyste każdej wiele "
    "jeśli wynik",
    "tr": "ve bir cevap yanıt için olur evet hayır çözüm çözümü tüm sonuç olarak göre sayıdır sayı değer "
    "mümkündür veya nihai dolayısıyla buna yoktur vardır ise cevabı",
    "vi": "là và đáp án trả lời với mọi vậy nghiệm có không phương trình của các được cho thì nếu hoặc khi "
    "câu bằng vô số",
    "en": "the is of and we that are this for so therefore answer hence final or if then yes it with be by "
    "all numbers number prime not integer integers real positive solution zero where only",
}
"""Words that are frequent in a language, by which it is recognized."""
_MARKED = {name: frozenset(words.split()) for name, words in _MARKS.items()}
_LANGUAGES_OF = {
    word: [name for name, words in _MARKED.items() if word in words]
    for word in frozenset[str]().union(*_MARKED.values())
}
_SCRIPTS = {
    "ja": re.compile("[\u3041-\u30fe]{2,}|[\u3041-\u30fe]"),
    "zh": re.compile("[\u4e00-\u9fff]+"),
    "ru": re.compile("[\u0400-\u04ff]+"),
}
_WITHOUT_SPACES = ("zh", "ja")
_DECIMAL_COMMA = frozenset("es fr de pt it ro pl tr vi ru".split())
_SAMPLE_CHARS = 800
_TRANSLATED_CHARS = 4_000
_COMMAND = re.compile(r"\\[A-Za-z]+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_TEXT = re.compile(r"\\(?:text\w*|mathrm|mbox|operatorname)\s*\{([^{}]*)\}")
_TEXT_OPENS = re.compile(r"\\(?:text\w*|mathrm|mbox|operatorname)\s*\{$")
_FORMULA = r"\$[^$]*\$|\\\(.*?\\\)|\\\[.*?\\\]"
_DELIMITED = re.compile(_FORMULA, re.DOTALL)
_SLOT = r"(\$[^$\n]{1,80}\$|\\\([^\n]{1,80}?\\\)|[A-Za-z0-9][\w=<>≤≥+*/^-]{0,30})"
_END = r"(?=\s*(?:[.,;:!*)}\]。，；！\n]|\\\)|\$|\Z))"


def detect(text: str) -> str | None:
    """The language of the end of a text, "es" for Spanish; None where it is English, or cannot be told."""
    sample = _COMMAND.sub(" ", text[-_SAMPLE_CHARS:])
    counts: dict[str, int] = {}
    for word in _WORD.findall(sample.lower()):
        for name in _LANGUAGES_OF.get(word, ()):
            counts[name] = counts.get(name, 0) + 1
    if not sample.isascii():
        counts |= {name: len(script.findall(sample)) for name, script in _SCRIPTS.items()}
        counts["zh"] = 0 if counts["ja"] else counts["zh"]
    best = max(counts, key=lambda name: counts[name], default=None)
    return best if best and counts[best] > counts.get("en", 0) else None


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


def in_english(text: str, language: str | None, *, own: bool = True) -> str:
    """An answer in English, with decimal points and without separators of thousands.

    Args:
        own: whether the text itself is known to be in that language: a gold may not be.
    """
    if language is None:
        return text
    if language in _DECIMAL_COMMA:
        text = _with_points(text, own)
    if language == "pl":
        text = _ANGLED.sub(r"\1[\2]", text)
    if not _unknown(text):
        return text
    english = translate(text, language).text.strip()
    decision = _DECISION.match(english)
    return text if decision and _unknown(decision[1]) else _predicate(english)


def _predicate(english: str) -> str:
    """What a sentence says of a subject whose words are not English: "The Lösungsmenge is x" says x."""
    subject = _SUBJECT.match(english)
    if subject is None or subject[0].isascii() or _NEGATED.search(subject[0]):
        return english
    return english[subject.end() :]


def _unknown(text: str) -> list[str]:
    """The words that are not English; "non" alone is none, though it begins "non negative"."""
    plain = _COMMAND.sub(" ", text).lower()
    return [w for w in _WORD.findall(plain) if w not in KNOWN or (w == "non" and _ALONE.search(plain))]


_SUBJECT = re.compile(r"[^$\\\d=.,;:!?()]{1,120}?(?<!\w)(?:is|are)\s+(?=[$\\\d(\[{-])")
_NEGATED = re.compile(r"\b(?:no|not|none|never|neither|if|possible|impossible)\b", re.IGNORECASE)
_DECISION = re.compile(r"\W*(?:yes|no)\b(.*?)(?:\bbecause\b|[.;]\s|\Z)", re.IGNORECASE | re.DOTALL)
"""Yes or no, with what may limit it: all up to a reason. Where that has unknown words, it is no decision."""
_ALONE = re.compile(r"\bnon\b(?=\s*(?:[,.;!}$]|\Z))")
_GROUPED = re.compile(r"(?<![\d.,])([1-9]\d{0,2}(?:\.\d{3})+)(?:(?:,|\{,\})(\d+))?(?![\d.,]*\d)")
_ANGLED = re.compile(r"(\\in\s*)(?:\\langle|⟨)([^()\[\]]{1,80}?)(?:\\rangle|⟩)")
"""A closed interval in Polish."""
_BRACED_COMMA = re.compile(r"(?<=\d)\{,\}(?=\d)")
_COMMA = re.compile(r"(?<![\d.,(\[{])(\d+),(\d+)(?![\d)\]}]|,\d|\.\d|\s*(?:\[|⟩|\\rangle))")


def _with_points(text: str, own: bool) -> str:
    """3,75 as 3.75 and 12.500 as 12500; of a text that may be English only what can be no English number."""
    if own:
        text = _GROUPED.sub(lambda m: m[1].replace(".", "") + (f".{m[2]}" if m[2] else ""), text)
        text = _BRACED_COMMA.sub(".", text)
    return _COMMA.sub(lambda m: f"{m[1]}.{m[2]}" if own or len(m[2]) != 3 or m[1] == "0" else m[0], text)


def _phrases(text: str, begin: int, language: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, English) of every phrase outside formulas, and of those in the words inside them.

    In a formula without delimiters, letters are words where several stand together.
    """
    table = _table(language)
    delimited = bool(_DELIMITED.search(text, begin))
    for match in table.everywhere.finditer(text, begin):
        if not match.lastgroup:
            for held in _TEXT.finditer(text, match.start(), match.end()):
                inner = table.everywhere.finditer(text, held.start(1), held.end(1))
                yield from ((m.start(), m.end(), table.english(m)) for m in inner if m.lastgroup)
        elif delimited or "\\" not in text or len(match[0]) > 2 or _is_in_text(text, match.start()):
            yield match.start(), match.end(), table.english(match)


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
        if "{}" in english:
            slots = match.groups()[match.lastindex or 0 :]
            english = english.replace("{}", next(slot for slot in slots if slot is not None))
        if match[0][:1].isupper():
            english = english[:1].upper() + english[1:]
        return english if self.is_spaced else f" {english} "


@lru_cache(maxsize=16)
def _table(language: str) -> _Table:
    """The table of a language; longer phrases are tried first, those with other first letters not at all."""
    spaced = language not in _WITHOUT_SPACES
    table = yaml.safe_load((Path(__file__).parent / f"{language}.yaml").read_text("utf-8"))
    phrases = [(english, phrase) for english, several in table.items() for phrase in several]
    phrases.sort(key=lambda entry: -len(_AROUND.sub("", entry[1])))
    by_letter: dict[str, list[str]] = {"": []}
    for number, (_, phrase) in enumerate(phrases):
        letter = phrase[0] if phrase[0].isalpha() and phrase[1:2] not in ("?", "|") else ""
        by_letter.setdefault(letter, []).append(f"(?P<_{number}>{_expression(phrase, spaced)})")
    choices = [
        f"(?={letter})(?:{'|'.join(each)})" if letter else "|".join(each)
        for letter, each in by_letter.items()
    ]
    words = "|".join(choice for choice in choices if choice)
    bound = r"(?<![^\W\d_])" if spaced else ""
    pattern = re.compile(f"{bound}(?:{words})|{_FORMULA}", re.IGNORECASE | re.DOTALL)
    return _Table(pattern, tuple(english for english, _ in phrases), spaced)


_AROUND = re.compile(r"\(\?<?[=!].*?\)|\(\?:|[()?]")


def _expression(phrase: str, spaced: bool) -> str:
    """The regular expression of a phrase: of whole words, where the language sets spaces between them."""
    end = phrase.endswith(" .")
    phrase = phrase.removesuffix(" .")
    after = r"(?![^\W\d_])" if spaced and phrase[-1] not in "'}" else ""
    return re.sub(r" (?!\?)", r"\\s+", phrase).replace("{}", _SLOT) + (_END if end else after)
