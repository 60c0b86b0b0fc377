"""Answers in parts: "a) 4; b) No", "(1) x = 2 (2) none", "Part (i): ..."."""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.semantics.phrases import has, texts

_SERIES = (
    tuple("abcdef"),
    tuple("123456"),
    ("i", "i i", "i i i", "i v", "v"),
    ("alpha", "beta", "gamma", "delta"),
)
"""Labels in their order, as tokens."""
_FORMS = ("( {} )", "{} )", "{} .", "{} :", "part ( {} )", "part {} )", "part {} .", "part {} :", "part {}")
_STARTS = frozenset([",", ";", ".", "newline", "\\\\", "gap", ":", "and"])


def split_parts(tokens: Sequence[Token]) -> list[list[Token]]:
    """The parts in order; all tokens as one part where there are fewer than two labels in sequence."""
    said = set(texts(tokens))
    for labels in _SERIES:
        if not said.issuperset(labels[0].split() + labels[1].split()):
            continue
        found = _find_labels(tokens, labels)
        if len(found) > 1:
            ends = [start for start, _ in found[1:]] + [len(tokens)]
            return [list(tokens[after:end]) for (_, after), end in zip(found, ends, strict=True)]
    return [list(tokens)]


def _find_labels(tokens: Sequence[Token], labels: Sequence[str]) -> list[tuple[int, int]]:
    """(first token of the label, first token after it) of each label, in order."""
    found: list[tuple[int, int]] = []
    position = 0
    for label in labels:
        for i in range(position, len(tokens)):
            if _may_start_label(tokens, i, loose=bool(found)) and (after := _label_end(tokens, i, label)):
                break
        else:
            break
        if not found and not all(t.kind == "word" or t.text in _STARTS for t in tokens[:i]):
            break
        found.append((i, after))
        position = after
    return found


def _may_start_label(tokens: Sequence[Token], i: int, loose: bool) -> bool:
    """A label stands where a clause begins; after the first, a bracketed one may follow anything."""
    if i == 0 or tokens[i - 1].text in _STARTS or tokens[i].text == "part":
        return True
    bracketed = tokens[i].text == "(" or texts(tokens[i + 1 : i + 2]) == [")"]
    return loose and tokens[i].space and bracketed


def _label_end(tokens: Sequence[Token], i: int, label: str) -> int:
    """The index after "a)", "(a)", "a.", "a:", "Part a:", "Part (a):"; 0 if there is no such label at i."""
    if not has(tokens[i : i + 3], label.split()):
        return 0
    for form in _FORMS:
        words = form.format(label).split()
        end = i + len(words)
        is_ratio = form == "{} :" and label.isdigit()  # 1 : 2
        if texts(tokens[i:end]) == words and not is_ratio:
            return end + (texts(tokens[end : end + 1]) == [":"])
    return 0
