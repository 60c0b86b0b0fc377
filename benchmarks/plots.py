"""Figures as pictures. Needs matplotlib, the extra `bench`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from benchmarks.child import OURS
from benchmarks.figures import Figures

_OURS, _PEER = "#c0392b", "#34495e"
_MARKERS = "osD^vP*X<>"


def grading(sets: dict[str, Figures], file: Path) -> None:
    """Recall against precision on each data set, and the speeds on the first one."""
    figure, axes = plt.subplots(1, len(sets) + 1, figsize=(4.6 * (len(sets) + 1), 4.8), layout="constrained")
    for axis, (name, found) in zip(axes, sets.items(), strict=False):
        _recall_and_precision(axis, name, found)
    name, found = next(iter(sets.items()))
    _speeds(axes[-1], name, found)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    figure.savefig(file, dpi=130)
    plt.close(figure)


def _ran(found: Figures) -> dict[str, Figures]:
    return {name: figures for name, figures in found["graders"].items() if "failed" not in figures}


def _recall_and_precision(axis: Axes, name: str, found: Figures) -> None:
    """A grader that accepts nothing has no precision; it is drawn at 0 with its recall."""
    for marker, (grader, figures) in zip(_MARKERS, _ran(found).items(), strict=False):
        axis.scatter(
            figures["recall"] or 0,
            figures["precision"] or 0,
            label=grader,
            marker=marker,
            color=_colour(grader),
            s=70,
            alpha=0.75,
            clip_on=False,
            zorder=3,
        )
    axis.set(xlim=(0, 1.01), ylim=(0, 1.01), xlabel="recall", ylabel="precision")
    axis.set_title(f"{name}, n = {found['n']}", fontsize=10)
    axis.grid(alpha=0.3)


def _speeds(axis: Axes, name: str, found: Figures) -> None:
    ran = dict(sorted(_ran(found).items(), key=lambda pair: pair[1]["items_per_s"]))
    speeds = [figures["items_per_s"] for figures in ran.values()]
    bars = axis.barh(list(ran), speeds, color=[_colour(grader) for grader in ran])
    axis.bar_label(bars, [f"{speed:.3g}" for speed in speeds], padding=3, fontsize=8)
    axis.set_xscale("log")
    axis.set_xlim(right=max(speeds) * 6)
    axis.set_xlabel("responses per second, after the start (log scale)")
    axis.tick_params(axis="y", labelsize=8)
    axis.set_title(f"{name}, n = {found['n']}", fontsize=10)


def _colour(grader: str) -> str:
    return _OURS if grader.startswith(OURS) else _PEER


def synthetic(tenths: Sequence[Figures], file: Path) -> None:
    """Time and memory against answers graded."""
    figure, (times, memories) = plt.subplots(1, 2, figsize=(9.6, 3.8), layout="constrained")
    done = [0, *(tenth["done"] for tenth in tenths)]
    seconds = [0.0, *(tenth["elapsed_s"] for tenth in tenths)]
    times.plot(done, seconds, "o-", color=_OURS, label="measured")
    times.plot([0, done[-1]], [0, seconds[-1]], "--", color=_PEER, label="a straight line to the last")
    times.set(xlabel="answers graded", ylabel="seconds", title="time")
    for key, label, colour in (("own_mb", "parent", _OURS), ("children_mb", "workers, together", _PEER)):
        memories.plot(done[1:], [tenth[key] for tenth in tenths], "o-", color=colour, label=label)
    memories.set(xlabel="answers graded", ylabel="resident memory, MiB", title="memory")
    memories.set_ylim(bottom=0)
    for axis in (times, memories):
        axis.legend(frameon=False)
        axis.grid(alpha=0.3)
    figure.savefig(file, dpi=130)
    plt.close(figure)
