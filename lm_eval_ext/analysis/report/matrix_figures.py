"""Figures of the matrix: curves over steps, grouped bars, one evaluation setting against another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lm_eval_ext.analysis.cells import Matrix
from lm_eval_ext.analysis.report import matrix as tables
from lm_eval_ext.analysis.report.drawing import AXIS, GRID, RUNS, TOOLTIP, Figure, mark, plain
from lm_eval_ext.analysis.tables import Estimate

_BAR = 0.26
"""Height of a bar and of its share of the figure, in inches."""


def figures(matrix: Matrix) -> list[Figure]:
    """The figures that are not empty, by task."""
    return [
        figure
        for unit in matrix.units
        for figure in (*_curve(matrix, unit), *_bars(matrix, unit), *_scatters(matrix, unit))
    ]


def _curve(matrix: Matrix, unit: str) -> Iterator[Figure]:
    """Scores over training steps, a line per training and setting."""
    lines: dict[str, list[tuple[int, Estimate]]] = {}
    for one in matrix.scored:
        if one.unit == unit and one.score and one.cell.step is not None:
            name = ", ".join(filter(None, (one.cell.series, one.setting)))
            lines.setdefault(name, []).append((one.cell.step, one.score))

    def draw(axes: Sequence[Any]) -> None:
        (ax,) = axes
        for number, (name, points) in enumerate(lines.items()):
            colour, points = RUNS[number % len(RUNS)], sorted(points, key=lambda point: point[0])
            ax.plot(
                [at for at, _ in points],
                [found.value * 100 for _, found in points],
                color=colour,
                label=plain(name),
            )
            for at, found in points:
                mark(ax, at, found, colour, f"{name}, step {at}")
        ax.set_xticks(sorted({at for points in lines.values() for at, _ in points}))
        ax.set(ylim=(0, None), xlabel="training step", ylabel="score, %")
        ax.grid(axis="y", color=GRID)
        ax.figure.legend(loc="outside upper center", ncols=3, frameon=False)

    if any(len(points) > 1 for points in lines.values()):
        yield Figure(f"steps_{unit}", "model_steps", f"{unit} over training steps", draw, 3.2)


def _by_setting(matrix: Matrix, unit: str) -> tuple[list[str], dict[str, dict[str, tables.Score]]]:
    """The settings that a task has, and its score or status by model with labels, and by setting."""
    made, known = tables.conditions(matrix), {one.setting for one in matrix.scored if one.unit == unit}
    first = len(made.columns) - len(matrix.settings)
    groups = {
        ", ".join(dict.fromkeys(row[1:first])): dict(zip(matrix.settings, row[first:], strict=True))
        for row in made.rows
        if row[0] == unit
    }
    return [setting for setting in matrix.settings if setting in known], groups


def _bars(matrix: Matrix, unit: str) -> Iterator[Figure]:
    """A group of bars per model, a bar per evaluation setting."""
    settings, groups = _by_setting(matrix, unit)
    colours = [RUNS[matrix.settings.index(setting) % len(RUNS)] for setting in settings]
    height = 0.8 / max(len(settings), 1)

    def draw(axes: Sequence[Any]) -> None:
        (ax,) = axes
        for i, group in enumerate(groups.values()):
            for k, setting in enumerate(settings):
                y = i + (k - (len(settings) - 1) / 2) * height
                _bar(ax, y, 0.9 * height, group[setting], colours[k], setting)
        ax.set_yticks(range(len(groups)), [plain(name, 60) for name in groups])
        ax.set(xlim=(0, 100), ylim=(len(groups) - 0.5, -0.5), xlabel="score, %, with its 95% interval")
        ax.grid(axis="x", color=GRID)
        ax.set_axisbelow(True)
        if any(settings):
            bars = [ax.barh(0, 0, color=colour) for colour in colours]
            ax.figure.legend(bars, map(plain, settings), loc="outside upper center", ncols=3, frameon=False)

    if groups:
        inches = 1.2 + _BAR * len(groups) * (len(settings) + 1)
        yield Figure(f"conditions_{unit}", "conditions", f"{unit} by training and evaluation", draw, inches)


def _bar(ax: Any, y: float, height: float, found: tables.Score, colour: str, setting: str) -> None:
    if not isinstance(found, Estimate):
        ax.text(1, y, found or "not evaluated", color=AXIS, va="center", fontsize=7)
        return
    (bar,) = ax.barh(y, found.value * 100, height, color=colour)
    bar.set_gid(f"{TOOLTIP}{setting or 'score'}: {found}")
    ax.plot([found.low * 100, found.high * 100], [y, y], color=AXIS, linewidth=1.2)


def _scatters(matrix: Matrix, unit: str) -> Iterator[Figure]:
    """The first setting against each other one, a point per model."""
    (against, *others), groups = _by_setting(matrix, unit)
    for setting in others:
        points = {
            name: (x, y)
            for name, group in groups.items()
            if isinstance(x := group[against], Estimate) and isinstance(y := group[setting], Estimate)
        }
        if points:
            caption = f"{unit}: {against} against {setting}, a point per model"
            yield Figure(f"{setting}_{unit}", "conditions", caption, _scatter(against, setting, points), 4.2)


def _scatter(against: str, setting: str, points: Mapping[str, tuple[Estimate, Estimate]]) -> Any:
    def draw(axes: Sequence[Any]) -> None:
        (ax,) = axes
        top = max(found.high for pair in points.values() for found in pair) * 100
        ax.plot([0, top], [0, top], color=AXIS, linewidth=0.8, linestyle="--")
        labels: Counter[tuple[float, float]] = Counter()  # at each place, one above the other
        for number, (name, (x, y)) in enumerate(points.items()):
            at = (x.value * 100, y.value * 100)
            colour = RUNS[number % len(RUNS)]
            ax.plot([x.low * 100, x.high * 100], [y.value * 100] * 2, color=colour, linewidth=1)
            mark(ax, x.value * 100, y, colour, f"{name}: {x} and")
            offset = (4, 4 + 9 * labels[at])
            ax.annotate(plain(name), at, offset, textcoords="offset points", fontsize=7)
            labels[at] += 1
        ax.set(xlabel=f"{plain(against)}, %", ylabel=f"{plain(setting)}, %", aspect="equal")
        ax.grid(color=GRID)

    return draw
