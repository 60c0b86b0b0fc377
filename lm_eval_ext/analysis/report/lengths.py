"""Response lengths, of right responses and of the others."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log2
from statistics import median

from lm_eval_ext.analysis.report.entries import ERROR, RIGHT, Entry

TOKENS, CHARACTERS = "tokens", "characters"
_PER_OCTAVE = 2


@dataclass(frozen=True)
class Lengths:
    """Response lengths of one run on one task.

    Attributes:
        unit: TOKENS if all are known, else CHARACTERS.
        right, other: lengths of right responses, and of all others (wrong, undecided, no answer).
    """

    unit: str
    right: tuple[int, ...]
    other: tuple[int, ...]

    @property
    def medians(self) -> tuple[float | None, float | None]:
        return (
            median(self.right) if self.right else None,
            median(self.other) if self.other else None,
        )


def unit_of(entries: Sequence[Entry]) -> str:
    """The unit of lengths: TOKENS if the tokens of every response are known, else CHARACTERS."""
    answered = [entry for entry in entries if entry.outcome != ERROR]
    return TOKENS if answered and all(e.tokens is not None for e in answered) else CHARACTERS


def lengths(entries: Sequence[Entry], unit: str) -> Lengths:
    """The lengths of one run's responses in `unit`."""
    sizes: tuple[list[int], list[int]] = ([], [])
    for entry in entries:
        if entry.outcome != ERROR:
            size = (entry.tokens or 0) if unit == TOKENS else len(entry.text)
            sizes[entry.outcome != RIGHT].append(size)
    return Lengths(unit, tuple(sizes[0]), tuple(sizes[1]))


def edges(sizes: Sequence[int]) -> list[float]:
    """Logarithmic bin edges for these lengths, half an octave apart."""
    positive = [size for size in sizes if size > 0] or [1]
    low, high = floor(log2(min(positive))), ceil(log2(max(positive) + 1))
    steps = range(low * _PER_OCTAVE, max(high, low + 1) * _PER_OCTAVE + 1)
    return [2 ** (step / _PER_OCTAVE) for step in steps]


def histogram(sizes: Sequence[int], bounds: Sequence[float]) -> list[int]:
    """Number of lengths per bin; the first also counts shorter ones, such as empty responses."""
    counts = [0] * (len(bounds) - 1)
    for size in sizes:
        counts[min(max(bisect_right(bounds, size) - 1, 0), len(counts) - 1)] += 1
    return counts
