"""What the figures of a report share: colours, forms, marks."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from lm_eval_ext.analysis.tables import Estimate

COLOURS = {
    "exact": "#1f5f93", "normalized": "#4189bd", "symbolic": "#8cbfe0", "judge": "#9b7cc8",
    "undecided": "#e0ac2b", "wrong": "#c4513a", "no answer": "#aeaaa1", "correct": "#4189bd",
    "wrong but committed": "#c4513a",
    "saturated, boxed, wrong": "#e59577", "saturated, never boxed": "#8d5578",
    "short and no answer": "#aeaaa1",
    "wrong, length not known": "#d98a7a", "no answer, length not known": "#d5d2cb",
}  # fmt: skip
RUNS = ("#2b74ad", "#c8711c", "#2b8a5b", "#b83e65", "#7d5bbd", "#8a7d10", "#1f8c8c", "#77736a")
AXIS, GRID = "#8a877f", "#e5e2db"
_VARIABLES = {
    **{colour: f"r{i}" for i, colour in enumerate(RUNS)},
    **{"#4189bd": "normalized", "#c4513a": "wrong", "#ffffff": "page", AXIS: "soft", GRID: "line"},
}
"""The variable of the style sheet that replaces a colour on the page, which also has a dark mode."""
_STYLE: dict[Any, Any] = {
    "font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": AXIS,
    "axes.titlesize": 10, "axes.titlelocation": "left", "svg.fonttype": "none", "svg.hashsalt": "report",
}  # fmt: skip
_LEFT_OUT = re.compile(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", re.DOTALL)
TOOLTIP = "tooltip: "


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
        text = re.sub(f'<g id="{TOOLTIP}([^"]*)">', r"<g><title>\1</title>", text)
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


def plain(text: str, most: int = 40) -> str:
    """A short label that matplotlib does not read as mathematics."""
    return (text if len(text) <= most else f"{text[:most]}…").replace("$", r"\$")


def mark(ax: Any, x: float, found: Estimate, colour: str, tooltip: str) -> None:
    """An estimate in percent at x, with its interval."""
    spread = [[max(0.0, found.value - found.low) * 100], [max(0.0, found.high - found.value) * 100]]
    shown = ax.errorbar(x, found.value * 100, spread, fmt="o", color=colour, markersize=4)
    shown.lines[0].set_gid(f"{TOOLTIP}{tooltip}: {found}")
