"""Data of the figures; the HTML page draws them as SVG, `figures` as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2

from lm_eval_ext.analysis.report import lengths as sizes
from lm_eval_ext.analysis.report.budget import Point
from lm_eval_ext.analysis.report.model import Report
from lm_eval_ext.analysis.report.sections import length_unit


@dataclass(frozen=True)
class Histogram:
    """Response lengths of one run on one task: right ones above the axis, the others below.

    Attributes:
        bounds: bin edges, half an octave apart, shared by the runs of a task.
        right, other: counts per bin.
        top: the largest count; each run has its own scale.
    """

    unit: str
    run: str
    measure: str
    bounds: tuple[float, ...]
    right: tuple[int, ...]
    other: tuple[int, ...]
    top: int

    @property
    def n(self) -> tuple[int, int]:
        return sum(self.right), sum(self.other)

    def ticks(self) -> list[tuple[float, str]]:
        """(position between 0 and 1, label), few enough not to overlap."""
        low, high = log2(self.bounds[0]), log2(self.bounds[-1])
        whole = [k for k in range(int(low), int(high) + 1) if k >= low]
        step = max(1, -(-len(whole) // 6))
        return [((k - low) / (high - low), short(2**k)) for k in whole[::step]]


@dataclass(frozen=True)
class Line:
    """Accuracy of one run against the token budget; `number` is the run's number, for its colour."""

    number: int
    run: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Lines:
    """The lines of one task."""

    unit: str
    lines: tuple[Line, ...]

    @property
    def budgets(self) -> list[int]:
        return sorted({point.budget for line in self.lines for point in line.points})

    @property
    def sizes(self) -> str:
        """Number of responses per line: "200", or "45 to 236"."""
        every = sorted({point.n for line in self.lines for point in line.points})
        return " to ".join(map(str, dict.fromkeys((every[0], every[-1]))))

    @property
    def top(self) -> float:
        """Upper end of the axis: the next tenth above every interval."""
        most = max(point.interval.high for line in self.lines for point in line.points)
        return min(1.0, (int(most * 10) + 1) / 10)

    def x(self, budget: int) -> float:
        """Position of a budget between 0 and 1, on a logarithmic scale."""
        low, high = log2(self.budgets[0]), log2(self.budgets[-1])
        return 0.5 if low == high else (log2(budget) - low) / (high - low)


def histograms(report: Report) -> list[Histogram]:
    """A histogram per unit and run."""
    return [made for unit in report.unit_names for made in _histograms(report, unit)]


def lines(report: Report) -> list[Lines]:
    """A chart per unit that has a curve."""
    found = []
    for unit in report.unit_names:
        of_unit = [(run, points) for (name, run), points in report.curves.items() if name == unit]
        if of_unit:
            drawn = (Line(run, report.runs[run].name, points) for run, points in of_unit)
            found.append(Lines(unit, tuple(drawn)))
    return found


def short(value: float) -> str:
    """Label of a length on an axis: 512, 1k, 16k."""
    return f"{value / 1024:g}k" if value >= 1024 else f"{value:g}"


def _histograms(report: Report, unit: str) -> Sequence[Histogram]:
    measure = length_unit(report, unit)
    found = [(part.run_name, sizes.lengths(part.entries, measure)) for part in report.of(unit)]
    bounds = tuple(sizes.edges([size for _, one in found for size in (*one.right, *one.other)]))
    counted = [
        (run, tuple(sizes.histogram(one.right, bounds)), tuple(sizes.histogram(one.other, bounds)))
        for run, one in found
    ]
    return [
        Histogram(unit, run, measure, bounds, right, other, max((*right, *other)) or 1)
        for run, right, other in counted
    ]
