"""Figures: each is drawn once, as SVG for the page and as PNG for the Markdown report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor, log2
from typing import Any

import numpy as np

from lm_eval_ext.analysis.entries import RIGHT
from lm_eval_ext.analysis.report import matrix_figures, sections
from lm_eval_ext.analysis.report.drawing import AXIS, COLOURS, GRID, RUNS, TOOLTIP, Figure, mark, plain
from lm_eval_ext.analysis.report.model import MANY, Part, Report
from lm_eval_ext.analysis.tables import Table, estimate

_BINS_PER_OCTAVE = 2


def figures(report: Report) -> list[Figure]:
    """The figures that are not empty."""
    return [
        *matrix_figures.figures(report.matrix),
        *_scores(report),
        *_stacked(sections.layers(report)),
        *_stacked(sections.modes(report)),
        *(
            figure
            for unit in report.unit_names
            for figure in (*_lengths(report, unit), *_budgets(report, unit))
        ),
    ]


def _short(value: float, _: object = None) -> str:
    """Label of a length on an axis: 512, 1k, 16k."""
    return f"{value / 1024:g}k" if value >= 1024 else f"{value:g}"


def _label(name: str, run: str, n: int) -> str:
    return f"{plain(name)}\n{plain(run)} (n = {n})"


def _scores(report: Report) -> Iterator[Figure]:
    scored = [(part, found) for part in report.units if (found := estimate(part.scores))][::-1]

    def draw(axes: Sequence[Any]) -> None:
        (ax,) = axes
        for y, (part, found) in enumerate(scored):
            colour = RUNS[part.run % len(RUNS)]
            ax.plot([found.low * 100, found.high * 100], [y, y], color=colour, alpha=0.5, linewidth=3)
            ax.plot(found.value * 100, y, "o", color=colour, markersize=5)
        ax.set_yticks(
            range(len(scored)), [_label(part.name, part.run_name, found.n) for part, found in scored]
        )
        ax.set(xlim=(0, 100), xlabel="accuracy, %, with its 95% interval")
        ax.grid(axis="x", color=GRID)

    if scored:
        yield Figure("scores", "scores", "Accuracy with its interval", draw, 0.9 + 0.4 * len(report.units))


def _stacked(made: Table) -> Iterator[Figure]:
    """Shares of the responses, from a table of their counts."""
    rows, names = made.rows[::-1], [column.name for column in made.columns[3:]]

    def draw(axes: Sequence[Any]) -> None:
        (ax,) = axes
        widths = np.array([[100 * count / max(row[2], 1) for count in row[3:]] for row in rows])
        left = widths.cumsum(axis=1) - widths
        for i, name in enumerate(names):
            ax.barh(
                range(len(rows)), widths[:, i], left=left[:, i], color=COLOURS[name], label=name, height=0.66
            )
        ax.set_yticks(range(len(rows)), [_label(row[0].removeprefix("· "), row[1], row[2]) for row in rows])
        ax.set(xlim=(0, 100), xlabel="% of the responses")
        ax.figure.legend(loc="outside upper center", ncols=4, frameon=False)

    if rows:
        caption = f"{made.title}: shares of the responses"
        yield Figure(made.key, made.key, caption, draw, 1.3 + 0.4 * len(rows))


def _lengths(report: Report, unit: str) -> Iterator[Figure]:
    """Histograms of response lengths, one per run, each with its own scale."""
    if len(report.of(unit)) > MANY:
        return
    parts, measure = report.of(unit), sections.length_unit(report, unit)
    bounds = edges([size for part in parts for size in sections.sizes(part.entries, measure)])

    def draw(axes: Sequence[Any]) -> None:
        for ax, part in zip(axes, parts, strict=True):
            _histogram(ax, part, measure, bounds)
        axes[-1].set_xlabel(measure)

    caption = f"{unit}: {measure}, right responses above, the others below"
    yield Figure(f"lengths_{unit}", "lengths", caption, draw, 1.5 * len(parts) + 0.4, len(parts))


def _histogram(ax: Any, part: Part, measure: str, bounds: Sequence[float]) -> None:
    sides = [[e for e in part.asked if (e.outcome == RIGHT) == right] for right in (True, False)]
    for sign, name, colour, side in zip(
        (1, -1), ("right", "not right"), ("correct", "wrong"), sides, strict=True
    ):
        counts = histogram(sections.sizes(side, measure), bounds)
        heights = [sign * count for count in counts]
        bars = ax.bar(
            bounds[:-1], heights, np.diff(bounds), align="edge", color=COLOURS[colour], edgecolor="white"
        )
        for bar, low, high, count in zip(bars, bounds, bounds[1:], counts, strict=False):
            bar.set_gid(f"{TOOLTIP}{low:.0f} to {high:.0f} {measure}: {count} {name}")
    ax.axhline(0, color=AXIS, linewidth=0.8)
    ax.set_xscale("log", base=2)
    top = max(map(abs, ax.get_ylim()))
    ax.set(ylim=(-top, top), title=f"{plain(part.run_name)}: {len(sides[0])} right, {len(sides[1])} not")
    ax.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    ax.xaxis.set_major_formatter(_short)


def edges(sizes: Sequence[int]) -> list[float]:
    """Logarithmic bin edges for these lengths, half an octave apart."""
    positive = [size for size in sizes if size > 0] or [1]
    low, high = floor(log2(min(positive))), ceil(log2(max(positive) + 1))
    steps = range(low * _BINS_PER_OCTAVE, max(high, low + 1) * _BINS_PER_OCTAVE + 1)
    return [2 ** (step / _BINS_PER_OCTAVE) for step in steps]


def histogram(sizes: Sequence[int], bounds: Sequence[float]) -> list[int]:
    """Number of lengths per bin; the first also counts shorter ones, such as empty responses."""
    return [int(count) for count in np.histogram(np.maximum(sizes, bounds[0]), bounds)[0]]


def _budgets(report: Report, unit: str) -> Iterator[Figure]:
    """Accuracy against the token budget, a line per run."""
    curves = {run: points for (name, run), points in report.curves.items() if name == unit}

    def draw(axes: Sequence[Any]) -> None:
        (ax,) = axes
        for i, (run, points) in enumerate(curves.items()):
            shift = 2 ** (0.03 * (i - (len(curves) - 1) / 2))  # or intervals would hide each other
            name, colour = report.runs[run].name, RUNS[run % len(RUNS)]
            label = f"{plain(name)} (n = {points[0].accuracy.n})"
            values = [point.accuracy.value * 100 for point in points]
            ax.plot([point.budget * shift for point in points], values, color=colour, label=label)
            for at, found in ((point, point.accuracy) for point in points):
                text = f"{name}, {at.budget} tokens, {at.cut} of {found.n} cut"
                mark(ax, at.budget * shift, found, colour, text)
        budgets = sorted({point.budget for points in curves.values() for point in points})
        ax.set_xscale("log", base=2)
        ax.set_xticks(budgets, map(_short, budgets))
        ax.set(ylim=(0, None), xlabel="token budget of a response", ylabel="accuracy, %")
        ax.grid(axis="y", color=GRID)
        ax.legend(frameon=False, fontsize=8, loc="upper left")

    if curves:
        yield Figure(f"budget_{unit}", "budgets", f"{unit}: accuracy against token budget", draw, 3.2)
