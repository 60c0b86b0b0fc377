"""Wilson's interval of a share, without scipy, whose import takes a second."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:.3f} to {self.high:.3f}"


def wilson(right: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval for `right` of `n`: Wilson 1927; holds for small n (arXiv 2503.01747)."""
    if n == 0:
        return Interval(0.0, 1.0)
    z, share = NormalDist().inv_cdf((1 + confidence) / 2), right / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2) / (1 + z * z / n)
    return Interval(centre - half if right else 0.0, centre + half if right < n else 1.0)
