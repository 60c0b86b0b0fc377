"""Training curves of a recipe, from the trainer's log, as one figure."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

PANELS = {
    "reward": r"reward",
    "reward of each verifier": r"rewards/(.+)/mean",
    "groups without variance": r"frac_reward_zero_std",
    "completions: truncated, answered, undecided": r"completions/(clipped_ratio)|reward/(answered|undecided)",
    "completion tokens": r"completions/(mean_length|max_length)",
    "entropy": r"entropy",
    "KL, mean": r"kl",
    "KL, largest of a token": r"kl_max",
    "ratio, largest of a token": r"(ratio_max)|sampling/(importance_sampling_ratio)/max",
    "loss": r"loss",
    "gradient norm": r"grad_norm",
    "token accuracy": r"mean_token_accuracy",
}
"""Title -> the names in the log that its panel shows; a group is the label of the line."""
COLUMNS = 3
SMOOTHED_OVER = 5
"""Logged steps in the moving mean over the points of a panel with one line."""

Series = Mapping[str, tuple[list[int], list[float]]]


def panels(log: Sequence[Mapping[str, Any]]) -> dict[str, Series]:
    """Title -> label -> (steps, values) of what the log has, in the order of PANELS."""
    names = sorted({name for row in log for name in row})
    found: dict[str, Series] = {}
    for title, pattern in PANELS.items():
        matched = {name: match for name in names if (match := re.fullmatch(pattern, name))}
        lines = {_label(name, match): _series(log, name) for name, match in matched.items()}
        if lines := {label: line for label, line in lines.items() if line[0]}:
            found[title] = lines
    return found


def _label(name: str, match: re.Match[str]) -> str:
    return next((group for group in match.groups() if group), name)


def _series(log: Sequence[Mapping[str, Any]], name: str) -> tuple[list[int], list[float]]:
    points = [(row["step"], float(row[name])) for row in log if row.get(name) is not None]
    return [step for step, _ in points], [value for _, value in points]


def plotted(title: str, log: Sequence[Mapping[str, Any]]) -> bytes:
    """All panels as PNG; empty without a log, or without matplotlib."""
    shown = panels(log)
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return b""
    if not shown:
        return b""
    rows = -(-len(shown) // COLUMNS)
    figure = Figure(figsize=(4.2 * COLUMNS, 2.6 * rows), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    for place, (name, lines) in enumerate(shown.items(), start=1):
        _draw(figure.add_subplot(rows, COLUMNS, place, title=name, xlabel="step"), lines)
    made = io.BytesIO()
    figure.savefig(made, format="png")
    return made.getvalue()


def _draw(axes: Any, lines: Series) -> None:
    """One line with its moving mean, or several."""
    import numpy as np

    axes.title.set_fontsize("medium")
    for label, (steps, values) in lines.items():
        axes.plot(steps, values, ".-" if len(lines) > 1 else ".", label=label, markersize=4, linewidth=0.8)
    if len(lines) > 1:
        axes.legend(frameon=False, fontsize="small")
        return
    (steps, values) = next(iter(lines.values()))
    if len(values) >= 2 * SMOOTHED_OVER:
        mean = np.convolve(values, np.ones(SMOOTHED_OVER) / SMOOTHED_OVER, mode="valid")
        axes.plot(steps[SMOOTHED_OVER // 2 :][: len(mean)], mean, color="#1f5f93")
