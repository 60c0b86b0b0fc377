"""Figures: each is drawn once, as SVG for the page and as PNG for the Markdown report."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log2
from typing import Any

import numpy as np
from markupsafe import Markup

from lm_eval_ext.analysis.report import sections
from lm_eval_ext.analysis.report.entries import RIGHT
from lm_eval_ext.analysis.report.model import Part, Report
from lm_eval_ext.analysis.tables import Table, estimate

COLOURS = {
    "exact": "#1f5f93", "normalized": "#4189bd", "symbolic": "#8cbfe0", "judge": "#9b7cc8",
    "undecided": "#e0ac2b", "wrong": "#c4513a", "no answer": "#aeaaa1", "correct": "#4189bd",
    "wrong but committed": "#c4513a",
    "saturated, boxed, wrong": "#e59577", "saturated, never boxed": "#8d5578",
    "short and no answer": "#aeaaa1",
    "wrong, length not known": "#d98a7a", "no answer, length not known": "#d5d2cb",
}  # fmt: skip
RUNS = ("#2b74ad", "#c8711c", "#2b8a5b", "#b83e65", "#7d5bbd", "#8a7d10", "#1f8c8c", "#77736a")
_AXIS, _GRID = "#8a877f", "#e5e2db"
_VARIABLES = {
    **{colour: f"r{i}" for i, colour in enumerate(RUNS)},
    **{"#4189bd": "normalized", "#c4513a": "wrong", "#ffffff": "page", _AXIS: "soft", _GRID: "line"},
}
"""The variable of the style sheet that replaces a colour on the page, which also has a dark mode."""
_STYLE: dict[Any, Any] = {
    "font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": _AXIS,
    "axes.titlesize": 10, "axes.titlelocation": "left", "svg.fonttype": "none", "svg.hashsalt": "report",
}  # fmt: skip
_LEFT_OUT = re.compile(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", re.DOTALL)
_TOOLTIP = "tooltip: "
_BINS_PER_OCTAVE = 2


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        stem: stem of its file name.
        section: key of the table that it belongs to.
        draw: draws on `rows` axes, one below another.
        height: in inches.
    """

    stem: str
    section: str
    caption: str
    draw: Callable[[Sequence[Any]], None]
    height: float
    rows: int = 1

    def png(self) -> bytes:
        return self._saved("png", metadata={"Software": None})

    def svg(self) -> Markup:
        """For the page: as wide as its place, in the colours of the style sheet, with tooltips."""
        text = self._saved("svg", facecolor="none", metadata={"Date": None}).decode()
        text = _LEFT_OUT.sub("", text[text.index("<svg") :])
        text = re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
        text = re.sub(f'<g id="{_TOOLTIP}([^"]*)">', r"<g><title>\1</title>", text)
        for colour, name in _VARIABLES.items():
            text = text.replace(colour, f"var(--{name})")
        return Markup(text)

    def _saved(self, form: str, **options: Any) -> bytes:
        from matplotlib import rc_context
        from matplotlib.figure import Figure as Canvas

        with rc_context(_STYLE):
            figure = Canvas(figsize=(8, self.height), dpi=130, layout="constrained")
            self.draw(list(figure.subplots(self.rows, 1, squeeze=False, sharex=self.rows > 1)[:, 0]))
            figure.savefig(file := io.BytesIO(), format=form, **options)
        return file.getvalue()


def figures(report: Report) -> list[Figure]:
    """The figures that are not empty."""
    return [
        *_scores(report),
        *_stacked(sections.layers(report)),
        *_stacked(sections.modes(report)),
        *(
            figure
            for unit in report.unit_names
            for figure in (*_lengths(report, unit), *_budgets(report, unit))
        ),
    ]


def _plain(text: str, most: int = 40) -> str:
    """A short label that matplotlib does not read as mathematics."""
    return (text if len(text) <= most else f"{text[:most]}…").replace("$", r"\$")


def _short(value: float, _: object = None) -> str:
    """Label of a length on an axis: 512, 1k, 16k."""
    return f"{value / 1024:g}k" if value >= 1024 else f"{value:g}"


def _label(name: str, run: str, n: int) -> str:
    return f"{_plain(name)}\n{_plain(run)} (n = {n})"


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
        ax.grid(axis="x", color=_GRID)

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
            bar.set_gid(f"{_TOOLTIP}{low:.0f} to {high:.0f} {measure}: {count} {name}")
    ax.axhline(0, color=_AXIS, linewidth=0.8)
    ax.set_xscale("log", base=2)
    top = max(map(abs, ax.get_ylim()))
    ax.set(ylim=(-top, top), title=f"{_plain(part.run_name)}: {len(sides[0])} right, {len(sides[1])} not")
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
            label = f"{_plain(name)} (n = {points[0].accuracy.n})"
            values = [point.accuracy.value * 100 for point in points]
            ax.plot([point.budget * shift for point in points], values, color=colour, label=label)
            for at, found in ((point, point.accuracy) for point in points):
                spread = [
                    [max(0.0, found.value - found.low) * 100],
                    [max(0.0, found.high - found.value) * 100],
                ]
                shown = ax.errorbar(
                    at.budget * shift, found.value * 100, spread, fmt="o", color=colour, markersize=4
                )
                shown.lines[0].set_gid(
                    f"{_TOOLTIP}{name}, {at.budget} tokens: {found}, {at.cut} of {found.n} cut"
                )
        budgets = sorted({point.budget for points in curves.values() for point in points})
        ax.set_xscale("log", base=2)
        ax.set_xticks(budgets, map(_short, budgets))
        ax.set(ylim=(0, None), xlabel="token budget of a response", ylabel="accuracy, %")
        ax.grid(axis="y", color=_GRID)
        ax.legend(frameon=False, fontsize=8, loc="upper left")

    if curves:
        yield Figure(f"budget_{unit}", "budgets", f"{unit}: accuracy against token budget", draw, 3.2)
