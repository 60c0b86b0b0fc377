"""Answers that name several features: "center (2, -3), radius 5", "mean is 12 and variance is 7.2"."""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval_ext.grading.answers.lexicon.features import FEATURES, REGIONS
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.semantics.phrases import (
    INEQUALITIES,
    Phrase,
    by_first_word,
    find,
    has,
    outside_brackets,
    phrase_at,
    split,
    trimmed,
)

Feature = tuple[str, list[Token]]
_PHRASES = by_first_word(FEATURES)
_STARTS = frozenset([",", ";", ".", "newline", "\\\\", "gap", "and"])
_ARTICLES = frozenset(["the", "its", "a", "an"])
_LINKS = frozenset(": = is are at on of in for when equals point points value".split())
_VERBS = frozenset([":", "is", "are"])
_JOINTS = frozenset(["and", ",", "or"])


def split_features(stream: Sequence[Token]) -> list[Feature]:
    """(feature, its tokens) in order; empty where the answer does not begin with one."""
    found: list[tuple[str, int, int]] = []
    for i, _ in outside_brackets(stream):
        if (i == 0 or stream[i - 1].text in _STARTS) and (named := _named(stream, i)):
            found.append((named[0], i, named[1]))
    if not found or found[0][1] > 0:
        return _described(stream)
    ends = [start for _, start, _ in found[1:]] + [len(stream)]
    features = [
        (name, _united(name, trimmed(stream[first:end])))
        for (name, _, first), end in zip(found, ends, strict=True)
    ]
    return features if all(tokens for _, tokens in features) else []


def _described(stream: Sequence[Token]) -> list[Feature]:
    """ "(1, 1) is a local minimum; (0, 0): saddle point": the value first."""
    found: list[Feature] = []
    for clause in split(stream, [i for i, t in outside_brackets(stream) if t.text in _STARTS]):
        verb = find(clause, _VERBS)
        named = _named(clause, verb + 1) if 0 < verb < len(clause) - 1 else None
        if named is None or named[1] < len(clause):
            return []
        found.append((named[0], list(clause[:verb])))
    return found


def _named(stream: Sequence[Token], at: int) -> tuple[str, int] | None:
    """(feature, where its value begins) if one is named at `at`."""
    while at < len(stream) and stream[at].text in _ARTICLES:
        at += 1
    phrase: Phrase | None = phrase_at(stream[at:], _PHRASES)
    if phrase is None:
        return None
    at += len(phrase)
    while at < len(stream) and stream[at].text in _LINKS:
        at += 1
    return FEATURES[phrase], at


def _united(name: str, tokens: list[Token]) -> list[Token]:
    """The intervals (a, b) and (c, d) of a region are one set, and so are x < 0 and x > 2."""
    if name not in REGIONS:
        return tokens
    united = list(tokens)
    for i, token in outside_brackets(tokens):
        if token.text in _JOINTS and _is_between_intervals(tokens, i):
            united[i] = Token("op", "∪")
        elif token.text == "and" and has(tokens[i + 2 : i + 3], INEQUALITIES):
            united[i] = Token("word", "or")
    return united


def _is_between_intervals(tokens: Sequence[Token], at: int) -> bool:
    return (
        0 < at < len(tokens) - 1 and tokens[at - 1].text in (")", "]") and tokens[at + 1].text in ("(", "[")
    )
