"""Figures as PNG, for the Markdown report."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from lm_eval_ext.analysis.report import charts, sections
from lm_eval_ext.analysis.report.charts import Histogram, Lines
from lm_eval_ext.analysis.report.model import Report
from lm_eval_ext.analysis.report.tables import Table, estimate

COLOURS = {
    "exact": "#1f5f93", "normalized": "#4189bd", "symbolic": "#8cbfe0", "judge": "#9b7cc8",
    "undecided": "#e0ac2b", "wrong": "#c4513a", "no answer": "#aeaaa1", "correct": "#4189bd",
    "wrong but committed": "#c4513a",
    "saturated, boxed, wrong": "#e59577", "saturated, never boxed": "#8d5578",
    "short and no answer": "#aeaaa1",
    "wrong, length not known": "#d98a7a", "no answer, length not known": "#d5d2cb",
}  # fmt: skip
RUNS = ("#2b74ad", "#c8711c", "#2b8a5b", "#b83e65", "#7d5bbd", "#8a7d10", "#1f8c8c", "#77736a")
_STYLE: dict[Any, Any] = {
    "font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#8a877f",
    "figure.facecolor": "white", "axes.titlesize": 10, "axes.titlelocation": "left",
}  # fmt: skip


def figures(report: Report) -> Iterator[tuple[str, str, bytes]]:
    """(file stem, caption, PNG) of each figure that is not empty."""
    units = len(report.units)
    if any(part.scores for part in report.units):
        yield "scores", "Accuracy with its interval", _png(_scores, report, height=0.9 + 0.4 * units)
    for made in (sections.layers(report), sections.modes(report)):
        if made.rows:
            height = 1.3 + 0.4 * len(made.rows)
            yield made.key, f"{made.title}: shares of the responses", _png(_stacked, made, height=height)
    for unit in report.unit_names:
        shown = [h for h in charts.histograms(report) if h.unit == unit]
        caption = f"{unit}: {shown[0].measure}, right responses above, the others below"
        yield (
            f"lengths_{unit}",
            caption,
            _png(_histograms, shown, rows=len(shown), height=1.5 * len(shown) + 0.4),
        )
    for chart in charts.lines(report):
        yield (
            f"budget_{chart.unit}",
            f"{chart.unit}: accuracy against token budget",
            _png(_lines, chart, height=3.2),
        )


def _png(draw: Any, what: Any, *, height: float, rows: int = 1) -> bytes:
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(8, height), dpi=130, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(rows, 1, squeeze=False, sharex=rows > 1)[:, 0]
        draw(axes, what)
        file = io.BytesIO()
        figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _plain(text: str, most: int = 40) -> str:
    """A short label that matplotlib does not read as mathematics."""
    return (text if len(text) <= most else f"{text[:most]}…").replace("$", r"\$")


def _scores(axes: Any, report: Report) -> None:
    (ax,) = axes
    parts = [part for part in report.units if part.scores][::-1]
    for y, part in enumerate(parts):
        found = estimate(part.scores)
        assert found is not None
        colour = RUNS[part.run % len(RUNS)]
        ax.plot([found.low * 100, found.high * 100], [y, y], color=colour, alpha=0.5, linewidth=3)
        ax.plot(found.value * 100, y, "o", color=colour, markersize=5)
    ax.set_yticks(
        range(len(parts)), [f"{_plain(p.name)}\n{_plain(p.run_name)} (n = {len(p.scores)})" for p in parts]
    )
    ax.set_xlim(0, 100)
    ax.set_xlabel("accuracy, %, with its 95% interval")
    ax.grid(axis="x", color="#e5e2db")


def _stacked(axes: Any, made: Table) -> None:
    (ax,) = axes
    names = [column.name for column in made.columns[3:]]
    rows = made.rows[::-1]
    left = [0.0] * len(rows)
    for i, name in enumerate(names):
        widths = [100 * row[3 + i] / row[2] if row[2] else 0.0 for row in rows]
        ax.barh(range(len(rows)), widths, left=left, color=COLOURS[name], label=name, height=0.66)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    labels = [f"{_plain(row[0].removeprefix('· '))}\n{_plain(row[1])} (n = {row[2]})" for row in rows]
    ax.set_yticks(range(len(rows)), labels)
    ax.set_xlim(0, 100)
    ax.set_xlabel("% of the responses")
    ax.figure.legend(loc="outside upper center", ncols=4, frameon=False)


def _histograms(axes: Any, shown: list[Histogram]) -> None:
    for ax, one in zip(axes, shown, strict=True):
        widths = [b - a for a, b in zip(one.bounds, one.bounds[1:], strict=False)]
        ax.bar(one.bounds[:-1], one.right, widths, align="edge", color=COLOURS["correct"], edgecolor="white")
        other = [-count for count in one.other]
        ax.bar(one.bounds[:-1], other, widths, align="edge", color=COLOURS["wrong"], edgecolor="white")
        ax.axhline(0, color="#8a877f", linewidth=0.8)
        ax.set_xscale("log", base=2)
        ax.set_ylim(-one.top * 1.05, one.top * 1.05)
        ax.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
        ax.xaxis.set_major_formatter(lambda value, _: charts.short(value))
        ax.set_title(f"{_plain(one.run)}: {one.n[0]} right, {one.n[1]} not")
    axes[-1].set_xlabel(shown[0].measure)


def _lines(axes: Any, chart: Lines) -> None:
    (ax,) = axes
    for line in chart.lines:
        points = line.points
        shares = [p.share * 100 for p in points]
        spread = [
            [(p.share - p.interval.low) * 100 for p in points],
            [(p.interval.high - p.share) * 100 for p in points],
        ]
        colour = RUNS[line.number % len(RUNS)]
        label = f"{_plain(line.run)} (n = {points[0].n})"
        spread = [[max(0.0, d) for d in side] for side in spread]
        ax.errorbar(
            [p.budget for p in points], shares, yerr=spread, fmt="o-", color=colour, label=label, markersize=4
        )
    ax.set_xscale("log", base=2)
    ax.set_xticks(chart.budgets, [charts.short(b) for b in chart.budgets])
    ax.set_ylim(0, chart.top * 100)
    ax.set_xlabel("token budget of a response")
    ax.set_ylabel("accuracy, %")
    ax.grid(axis="y", color="#e5e2db")
    ax.legend(frameon=False, fontsize=8)
