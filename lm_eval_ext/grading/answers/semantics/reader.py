r"""From the text of an answer to what it claims, part by part.

>>> [dict(item.values) for item in read("x = 1, y = 2 or x = 3, y = 0")[0].items]   # two solutions
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.answers.lexicon.features import FEATURES
from lm_eval_ext.grading.answers.lexing.lexer import Token, tokens
from lm_eval_ext.grading.answers.lexing.spelling import respelled
from lm_eval_ext.grading.answers.semantics.claims import Answer
from lm_eval_ext.grading.answers.semantics.decisions import as_choice, as_word
from lm_eval_ext.grading.answers.semantics.features import split_features
from lm_eval_ext.grading.answers.semantics.phrases import closing, has, split, texts, trimmed
from lm_eval_ext.grading.answers.semantics.segments import split_parts
from lm_eval_ext.grading.answers.semantics.solutions import read_solutions

_LATIN = re.compile(r"\b(?:i\.\s?e\b\.?|e\.\s?g\b\.?)", re.IGNORECASE)
_BRACKETED = re.compile(r"\(?\b([A-Ha-h])\)")
_LABELS = re.compile(r"\s*\(?[A-Ha-h]\)(?>(?:[\s,;&]*+(?:(?:and|or)[\s,;]*+)?\(?[A-Ha-h]\))+)\.?\s*")
"""Several statements by their labels: "a) and c)"."""
_GUARANTEED = re.compile(
    r"^[A-Z][a-z]+ (?:can|could|is able to) (?:always |surely )?"
    r"(?:(?:guarantee|ensure|secure)(?: (?:at least|at most))?|(?:always|surely) (?:get|obtain|collect))"
    r"(?: (?:himself|herself|themselves))?\s+(?:at least )?(?=[$\\\d(A-Za-z])"
)
"""A player, and what he can guarantee: the value that is asked for."""
_ONLY_ONE = re.compile(
    r"(?<!\s)\s++(?:is|are)\s+(?:the|its)\s+(?:only|unique|smallest|largest|least|greatest)\s+(?:possible\s+)?(?:(?:such|suitable)\s+)?"
    r"(?:values?|solutions?|answers?|possibilit(?:y|ies)|pairs?|triples?|functions?|polynomials?|numbers?|integers?|one)\s*\.?\s*$"
)
"""What is said of a value behind it: "n + 1 is the only possible value"."""
_NO_OTHERS = re.compile(
    r"(?<!\s)\s*+[;,.]\s*+(?:and\s++)?(?:there\s++(?:are|is)\s++)?no\s++others?(?:\s++(?:solutions?|values?|pairs?|triples?|functions?|numbers?))?"
    r"(?:\s++exists?)?\s*+\.?\s*$",
    re.IGNORECASE,
)
_ANY_ORDER = re.compile(r"(?<!\s)\s*+\(?\bin\s+(?:any|some|whatever)\s+order\)?")
_MARKUP = re.compile(r"</?answer>|(?<![\w)\]}])\*\*|\*\*(?![\w({\[-])|__|`")
_NAMING = (*english.PROPERTIES, *english.ORDINALS, *english.LABELS, *english.NUMERALS)
_MEANINGFUL = english.NEGATIONS | {*_NAMING, "yes", "true", "player"}


@lru_cache(maxsize=8192)
def read(text: str) -> tuple[Answer, ...]:
    """The parts of an answer, mostly one. Raises Unreadable."""
    stream = _without_brackets(trimmed(_without_remark(tokens(without_markup(respelled(text))))))
    if not stream:
        raise Unreadable("it is empty")
    stream = _coprime(_same_parity(stream))
    if len(stream) > 2 and stream[0].text in _SO and stream[1].text == ",":
        stream = stream[2:]
    parts = split_parts(stream)
    if len(parts) > 1:
        return tuple(_read_part(part) for part in parts)
    try:
        return (_read_part(stream),)
    except Unreadable:
        sentences = _sentences(stream)
        if len(sentences) > 1:
            return tuple(_read_part(sentence) for sentence in sentences)
        raise


def without_markup(text: str) -> str:
    """Without Markdown emphasis and without tags: `<answer>3</answer>` and `<3>` are 3."""
    text = _BRACKETED.sub(r" \1 ", text.strip()) if _LABELS.fullmatch(text) else text.strip()
    one_tag = text.count("<") == text.count(">") == 1
    if one_tag and text.startswith("<") and text.endswith(">") and text != "<answer>":
        text = f"({text[1:-1]})" if "," in text else text[1:-1]
    text = _GUARANTEED.sub("", text)
    text = _ANY_ORDER.sub(" permutations", _ONLY_ONE.sub("", _NO_OTHERS.sub("", _MARKUP.sub(" ", text))))
    return _LATIN.sub(lambda m: " that is " if m[0][0] in "iI" else " eg ", text).strip()


def _same_parity(stream: list[Token]) -> list[Token]:
    """ "the same parity as" and "the parity of" as one word, whose "as" joins nothing."""
    said = texts(stream)
    for words in (["the", "same", "parity", "as"], ["same", "parity", "as"], ["the", "parity", "of"]):
        for i in range(len(said) - len(words)):
            if said[i : i + len(words)] == words:
                return [*stream[:i], Token("word", "sameparity"), *stream[i + len(words) :]]
    return stream


_COPRIME = (("coprime",), ("relatively", "prime"), ("mutually", "prime"))


def _coprime(stream: list[Token]) -> list[Token]:
    """ "m and n are coprime" is gcd(m, n) = 1."""
    said = [t for t in stream if t.text not in ("are", "and", ",", "is")]
    letters = [t for t in said if t.kind == "name"]
    rest = tuple(t.text for t in said[len(letters) :])
    if len(letters) < 2 or said[: len(letters)] != letters or rest not in _COPRIME:
        return stream
    listed = [t for letter in letters for t in (letter, Token("op", ","))][:-1]
    return [
        Token("func", "gcd"),
        Token("op", "("),
        *listed,
        Token("op", ")"),
        Token("op", "="),
        Token("num", "1"),
    ]


def _without_remark(stream: list[Token]) -> list[Token]:
    """Without a last sentence in which there is no mathematics: "3. This completes the proof"."""
    stop = max((i for i, t in enumerate(stream[:-1]) if t.text == "." and t.kind == "op"), default=0)
    last = [t for t in stream[stop + 1 :] if t.text != "."]
    says_nothing = all(t.kind == "word" and t.text not in _MEANINGFUL for t in last)
    return stream[:stop] if stop and last and says_nothing else stream


def _without_brackets(stream: list[Token]) -> list[Token]:
    """((m, n) = (6, 3), (9, 3)): brackets around the whole answer, which is no tuple."""
    if not stream or stream[0].text != "(" or closing(stream, 0) != len(stream) - 1:
        return stream
    return stream[1:-1] if stream[1].text == "(" and has(stream, ("=",)) else stream


_SO = frozenset(["so", "hence", "thus", "therefore"])


def _sentences(stream: Sequence[Token]) -> list[list[Token]]:
    """ "x = 3; No, it is not attained" says two things, one after the other."""
    ends = [i for i, t in enumerate(stream) if t.text in (";", "newline", ".") and t.kind == "op"]
    return [sentence for piece in split(stream, ends) if (sentence := trimmed(piece))]


def _read_part(part: Sequence[Token]) -> Answer:
    part = trimmed(part)
    if not part:
        raise Unreadable("a part is empty")
    if word := as_word(part):
        return word
    if (name := FEATURES.get(tuple(texts(part)))) is not None:
        return Answer(word=name)  # "increasing"
    if features := split_features(part):
        return Answer(features=tuple((name, _read_part(value)) for name, value in features))
    choice = as_choice(part)
    if choice is None:
        return read_solutions(part)
    if has(choice[1][:2], ("and", "or", ",")):
        raise Unreadable("several choices")
    letter, rest = choice[0], trimmed(choice[1])
    try:
        return Answer(choice=letter, items=read_solutions(rest).items if rest else ())
    except Unreadable:
        if has(rest, english.NEGATIONS) or has(rest, english.LIMITS):
            raise
        return Answer(choice=letter)
