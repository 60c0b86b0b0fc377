"""Questions about runs of tokens: which words and phrases stand where, and where brackets close."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon.latex import CLOSE, OPEN
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.syntax.relations import RELATIONS

INEQUALITIES = RELATIONS - {"="}
Phrase = tuple[str, ...]


def texts(tokens: Iterable[Token]) -> list[str]:
    return [t.text for t in tokens]


def has(tokens: Iterable[Token], wanted: Collection[str]) -> bool:
    return any(t.text in wanted for t in tokens)


def has_word(tokens: Iterable[Token]) -> bool:
    return any(t.kind == "word" for t in tokens)


def all_words(tokens: Iterable[Token]) -> bool:
    return all(t.kind == "word" for t in tokens)


def find(tokens: Sequence[Token], wanted: Collection[str], start: int = 0) -> int:
    """The first index from `start` whose token is one of `wanted`; the number of tokens without one."""
    return next((i for i in range(start, len(tokens)) if tokens[i].text in wanted), len(tokens))


def starts_with(tokens: Sequence[Token], phrase: Phrase) -> bool:
    return tuple(t.text.lower() for t in tokens[: len(phrase)]) == phrase


def by_first_word(phrases: Iterable[Phrase]) -> dict[str, list[Phrase]]:
    """Phrases by their first word, the longest first: an index for `phrase_at`."""
    index: dict[str, list[Phrase]] = {}
    for phrase in sorted(phrases, key=len, reverse=True):
        index.setdefault(phrase[0], []).append(phrase)
    return index


def phrase_at(tokens: Sequence[Token], index: dict[str, list[Phrase]]) -> Phrase | None:
    """The longest phrase that `tokens` start with."""
    candidates = index.get(tokens[0].text.lower(), ()) if tokens else ()
    return next((p for p in candidates if starts_with(tokens, p)), None)


def outside_brackets(
    tokens: Sequence[Token], start: int = 0, end: int | None = None
) -> Iterator[tuple[int, Token]]:
    """(index, token) of all tokens outside brackets, and of the brackets that close at that level."""
    depth = 0
    for i in range(start, len(tokens) if end is None else end):
        depth += (tokens[i].text in OPEN) - (tokens[i].text in CLOSE)
        if depth == 0:
            yield i, tokens[i]


def closing(tokens: Sequence[Token], start: int) -> int:
    """The index of the bracket that closes the one at `start`."""
    for i, _ in outside_brackets(tokens, start):
        return i
    raise Unreadable("brackets that do not close")


def split(tokens: Sequence[Token], separators: Iterable[int]) -> list[Sequence[Token]]:
    """The pieces between the separators at these indices, without empty ones."""
    ends = [-1, *separators, len(tokens)]
    return [tokens[start + 1 : end] for start, end in pairwise(ends) if start + 1 < end]


_SEPARATORS = (".", ",", ";", "newline", "\\\\", "gap", ":")


def trimmed(tokens: Sequence[Token]) -> list[Token]:
    """Without separators at either end."""
    start, end = 0, len(tokens)
    while start < end and tokens[end - 1].text in (*_SEPARATORS, "and"):
        end -= 1
    while start < end and tokens[start].text in (*_SEPARATORS, "="):
        start += 1
    return list(tokens[start:end])


def in_steps_of_one(shown: Sequence[Sequence[Token]]) -> bool:
    """Whether the numbers before the dots go up by one; what is no whole number is taken for such."""
    words = ["".join(texts(entry)) for entry in shown]
    if not all(word.isdecimal() for word in words):
        return True
    return [int(word) for word in words] == [*range(int(words[0]), int(words[0]) + len(words))]
