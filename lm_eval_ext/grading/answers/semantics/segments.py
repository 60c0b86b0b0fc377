"""Answers in parts: "a) 4; b) No", "(1) x = 2 (2) none", "Part (i): ..."."""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval_ext.grading.answers.lexing.lexer import Token

_LABELS = (
    ("a", "b", "c", "d", "e", "f"),
    ("1", "2", "3", "4", "5", "6"),
    ("i", "ii", "iii", "iv", "v"),
    ("alpha", "beta", "gamma", "delta"),
)
_STARTS = frozenset([",", ";", ".", "newline", "\\\\", "gap", ":", "and"])


def split_parts(stream: Sequence[Token]) -> list[list[Token]]:
    """The parts in order; the whole stream as one part where there are fewer than two labels in sequence."""
    for labels in _LABELS:
        cuts = _cuts(stream, labels)
        if len(cuts) > 1:
            ends = [start for start, _ in cuts[1:]] + [len(stream)]
            return [list(stream[after:end]) for (_, after), end in zip(cuts, ends, strict=True)]
    return [list(stream)]


def _cuts(stream: Sequence[Token], labels: Sequence[str]) -> list[tuple[int, int]]:
    """(first token of the label, first token after it) of each label found in its turn."""
    found: list[tuple[int, int]] = []
    position = 0
    for label in labels:
        here = next(
            (
                (i, after)
                for i in range(position, len(stream))
                if _begins(stream, i, loose=bool(found)) and (after := _label_end(stream, i, label))
            ),
            None,
        )
        if here is None or (not found and not _only_words(stream[: here[0]])):
            break
        found.append(here)
        position = here[1]
    return found


def _begins(stream: Sequence[Token], i: int, loose: bool) -> bool:
    """A label stands where a clause begins; a bracketed one may follow anything after the first."""
    if i == 0 or stream[i - 1].text in _STARTS or stream[i].text == "part":
        return True
    return (loose and stream[i].text == "(" and stream[i].space) or (
        loose and stream[i].space and _closes(stream, i)
    )


def _closes(stream: Sequence[Token], i: int) -> bool:
    return i + 1 < len(stream) and stream[i + 1].text == ")"


def _only_words(before: Sequence[Token]) -> bool:
    return all(t.kind == "word" or t.text in _STARTS for t in before)


def _label_end(stream: Sequence[Token], i: int, label: str) -> int:
    """The index after "a)", "(a)", "a.", "a:", "Part a:", "Part (a):"; 0 if there is no such label at i."""
    part = stream[i].text == "part"
    i += part
    bracketed = i < len(stream) and stream[i].text == "("
    i += bracketed
    for letter in (label,) if len(label) == 1 or (label.isalpha() and len(label) > 3) else tuple(label):
        if i >= len(stream) or stream[i].text != letter:
            return 0
        i += 1
    closing = stream[i].text if i < len(stream) else ""
    if bracketed and closing != ")":
        return 0
    if not bracketed and closing not in (")", ":", ".") and not part:
        return 0
    if closing == ":" and label.isdigit() and not part:  # 1 : 2 is a ratio
        return 0
    i += closing in (")", ":", ".")
    if i < len(stream) and stream[i].text == ":":
        i += 1
    return i
