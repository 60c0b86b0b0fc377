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
from benchmarks.report import number

_OURS, _PEER = "#c0392b", "#34495e"
_MARKERS = "osD^vPX*<>"


def grading(sets: dict[str, Figures], file: Path) -> None:
    """Recall against precision on the first data set, accuracy on all of them, speed on the first."""
    figure, axes = plt.subplots(1, 3, figsize=(18, 5.2), layout="constrained")
    name, found = next(iter(sets.items()))
    _recall_and_precision(axes[0], name, found)
    _accuracies(axes[1], sets)
    _speeds(axes[2], name, found)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _ran(found: Figures) -> dict[str, Figures]:
    return {name: figures for name, figures in found["graders"].items() if "failed" not in figures}


def _verdicts(found: Figures) -> dict[str, Figures]:
    """This grader once: how many workers it has changes no verdict."""
    ran = _ran(found)
    ours = [name for name in ran if name.startswith(OURS)]
    return {OURS: ran[ours[0]]} | {name: ran[name] for name in ran if name not in ours} if ours else ran


def _recall_and_precision(axis: Axes, name: str, found: Figures) -> None:
    """A grader that accepts nothing has no precision, hence no place here; the title says which."""
    verdicts = _verdicts(found)
    placed = {grader: f for grader, f in verdicts.items() if f["precision"] is not None}
    for marker, (grader, figures) in zip(_MARKERS, placed.items(), strict=False):
        spot = figures["recall"], figures["precision"]
        axis.scatter(*spot, s=80, marker=marker, color=_colour(grader), label=grader, clip_on=False, zorder=3)
    axis.legend(fontsize=8, loc="best")
    nothing = ", ".join(grader for grader in verdicts if grader not in placed)
    lowest = min((figures["precision"] for figures in placed.values()), default=0)
    axis.set(xlim=(0, 1), ylim=(max(0, lowest - 0.03), 1), xlabel="recall", ylabel="precision")
    title = f"{name}, n = {found['n']}"
    axis.set_title(title + (f"\n(accepts nothing: {nothing})" if nothing else ""), fontsize=10)
    axis.grid(alpha=0.3)


def _accuracies(axis: Axes, sets: dict[str, Figures]) -> None:
    graders = list(dict.fromkeys(grader for found in sets.values() for grader in _verdicts(found)))[::-1]
    for place, (name, found) in enumerate(sets.items()):
        verdicts = _verdicts(found)
        ran = [grader for grader in graders if grader in verdicts]
        shares = [verdicts[grader]["accuracy"] for grader in ran]
        bounds = [verdicts[grader]["accuracy_interval"] for grader in ran]
        spread = [[s - low for s, (low, _) in zip(shares, bounds, strict=True)]]
        spread.append([high - s for s, (_, high) in zip(shares, bounds, strict=True)])
        heights = [graders.index(grader) + 0.09 * (len(sets) / 2 - place) for grader in ran]
        axis.errorbar(shares, heights, xerr=spread, fmt=_MARKERS[place], label=f"{name}, n = {found['n']}")
    axis.set_yticks(range(len(graders)), graders, fontsize=8)
    axis.set(xlim=(0, 1.01), xlabel="accuracy (95 % interval)")
    axis.legend(fontsize=8, loc="lower left")
    axis.grid(alpha=0.3, axis="x")


def _speeds(axis: Axes, name: str, found: Figures) -> None:
    ran = dict(sorted(_ran(found).items(), key=lambda pair: pair[1]["items_per_s"]))
    speeds = [figures["items_per_s"] for figures in ran.values()]
    bars = axis.barh(list(ran), speeds, color=[_colour(grader) for grader in ran])
    axis.bar_label(bars, [number(speed) for speed in speeds], padding=3, fontsize=8)
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
