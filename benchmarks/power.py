"""How often a true loss is found: the paired check against the tolerance check, on the same simulated runs.

    python -m benchmarks.power

A baseline and a later run answer the same n problems. Noise (another chunking, another CPU) flips a share
of the problems, as many to the good as to the bad; a true loss makes right answers wrong on top. Each
setting is drawn 20,000 times from the 2x2 table that this gives.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

ALPHA = 0.05
DRAWS = 20_000
SIZES = (200, 600, 1319, 5000)
DROPS = (0.0, 0.01, 0.02, 0.05, 0.10)


@dataclass(frozen=True)
class Setting:
    """What is true.

    Attributes:
        n: problems.
        accuracy: of the baseline.
        noise: share of the problems that flip without any change of the model.
        drop: true loss of accuracy.
    """

    n: int
    accuracy: float
    noise: float
    drop: float

    def __post_init__(self) -> None:
        cells = self.cells
        assert min(cells) >= 0, f"no such table: {self}"

    @property
    def cells(self) -> tuple[float, float, float, float]:
        """Shares of (both right, lost, gained, both wrong)."""
        lost, gained = self.noise / 2 + self.drop, self.noise / 2
        return self.accuracy - lost, lost, gained, 1 - self.accuracy - gained


def power(setting: Setting, draws: int = DRAWS, seed: int = 0) -> tuple[float, float]:
    """Shares of the draws in which the paired and the tolerance check raise the alarm."""
    table = np.random.default_rng(seed).multinomial(setting.n, setting.cells, size=draws)  # (draws, 4)
    both, lost, gained, _ = table.T
    paired = stats.binom.sf(lost - 1, lost + gained, 0.5)
    tolerance = _two_proportions(both + gained, both + lost, setting.n)
    return float(np.mean(paired < ALPHA)), float(np.mean(tolerance < ALPHA))


def _two_proportions(right: NDArray[np.int64], of: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    pooled = (right + of) / (2 * n)
    spread = np.sqrt(np.maximum(pooled * (1 - pooled) * 2 / n, 1e-300))
    return np.asarray(stats.norm.cdf((right - of) / n / spread))


def table(accuracy: float, noise: float, draws: int = DRAWS) -> str:
    """Markdown: a line for each loss, a column for each n, paired / tolerance in each cell."""
    head = ["true loss", *(f"n = {n}" for n in SIZES)]
    losses = [
        (f"{100 * drop:g} point{'s' * (drop != 0.01)}" if drop else "none (false alarms)", drop)
        for drop in DROPS
    ]
    losses.append((f"10% of the right answers ({10 * accuracy:.2g} points)", accuracy / 10))
    rows = [
        [name, *(_cell(Setting(n, accuracy, noise, drop), draws) for n in SIZES)] for name, drop in losses
    ]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(setting: Setting, draws: int) -> str:
    paired, tolerance = power(setting, draws)
    return f"{paired:.2f} / {tolerance:.2f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table for an accuracy and a noise floor."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accuracy", type=float, default=0.385)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.025, 0.10])
    given = parser.parse_args(arguments)
    for noise in given.noise:
        print(f"Noise floor {100 * noise:g}% (paired / tolerance):\n\n{table(given.accuracy, noise)}\n")


if __name__ == "__main__":
    main()
