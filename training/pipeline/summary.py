"""What a pipeline ended with: `summary.md` and `summary.json`, and the curves of its training as PNG."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import findings
from lm_eval_ext.analysis.findings import markdown_table, p_value, percent, points
from lm_eval_ext.analysis.runs import Run
from lm_eval_ext.analysis.stats import mean_interval
from lm_eval_ext.atomic import write_bytes, write_text

from .loop import COMPARISON, Outcome
from .stage import Stage

CURVES = {"reward": "reward", "loss": "loss"}
"""What is plotted, in order of preference: the trainer's log has the first for GRPO, the second for SFT."""
SMOOTHED_OVER = 5
"""Logged steps in the moving mean beside the curve."""


def write(outcome: Outcome, out: Path) -> list[Path]:
    """Writes all of it; returns the files. Without matplotlib (`lm-eval-ext[report]`) there are no curves."""
    curves = {stage.name: curve(stage) for stage, _ in outcome.stages}
    figures = {f"{name}.png": _plot(name, *curve) for name, curve in curves.items() if curve}
    for name, png in figures.items():
        if png:
            write_bytes(out / name, png)
    shown = [name for name, png in figures.items() if png]
    bare = tuple(tuple(() for _ in made.units) for made in outcome.comparisons)  # no breakdowns
    findings.write(findings.Findings(outcome.comparisons, bare), out / COMPARISON)
    write_text(out / "summary.json", json.dumps(as_json(outcome), indent=1, ensure_ascii=False) + "\n")
    write_text(out / "summary.md", as_markdown(outcome, shown))
    return [out / name for name in ("summary.md", "summary.json", *shown)]


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The figures."""
    return {
        "models": [dict(zip(HEAD, row, strict=True)) for row in scores(outcome)],
        "validation": {stage.name: dict(vars(choice)) for stage, choice in outcome.stages},
        "comparisons": [made.json() for made in outcome.comparisons],
        "steps": {name: vars(step) for name, step in outcome.steps.done.items()},
    }


HEAD = ("model", "n", "right", "accuracy", "95% interval", "checkpoint")


def scores(outcome: Outcome) -> list[list[str]]:
    """Rows under HEAD: the base and each stage."""
    chosen = {stage.name: f"step {choice.step}" for stage, choice in outcome.stages}
    listed = [*outcome.runs, *([outcome.own_prompts] if outcome.own_prompts else [])]
    return [[*_score(run), chosen.get(run.name, "")] for run in listed]


def _score(run: Run) -> list[str]:
    (task,) = run.tasks.values()
    values = list(task.scored().values())
    interval = mean_interval(values)
    share = sum(values) / len(values)
    ends = f"{percent(interval.low)} to {percent(interval.high)}"
    return [run.name, str(len(values)), f"{sum(values):g}", percent(share), ends]


def as_markdown(outcome: Outcome, figures: Sequence[str]) -> str:
    """The tables, as a reader wants them: results first, then how, then commands."""
    task = next(iter(outcome.runs[0].tasks))
    parts = [f"# {task}: {' -> '.join(run.name for run in outcome.runs)}"]
    parts.append(markdown_table([HEAD, *scores(outcome)]))
    if outcome.own_prompts:
        parts.append("`base_own_prompts`: the base under the task's own number of exemplars.")
    parts.append(markdown_table([PAIRS, *pairs(outcome)]))
    parts += [f"![{name}]({name})" for name in figures]
    parts.append("## Checkpoints\n\nChosen by the validation task, not by the table above.")
    rows = [
        [
            stage.name,
            str(step),
            "" if score is None else percent(score),
            ", ".join(filter(None, ("chosen", choice.remark))) if step == choice.step else "",
        ]
        for stage, choice in outcome.stages
        for step, score in choice.scores.items()
    ]
    parts.append(markdown_table([("recipe", "step", "validation", ""), *rows]))
    parts.append(
        "All of the comparison, with the problems that flipped: [comparison/](comparison/comparison.md)."
    )
    total = sum(step.seconds for step in outcome.steps.done.values())
    parts.append(
        f"## Steps\n\n{total / 60:.1f} minutes together; a step that was stopped counts from its last start."
    )
    parts.append(
        markdown_table(
            [("step", "seconds", "command")]
            + [
                (name, f"{step.seconds:.0f}", f"`{step.command}`")
                for name, step in outcome.steps.done.items()
            ]
        )
    )
    return "\n\n".join(parts) + "\n"


PAIRS = ("A", "B", "n", "B less A", "only A / only B", "test", "p", "p (Holm)", "detectable")


def pairs(outcome: Outcome) -> list[list[str]]:
    """Rows under PAIRS: every two models, the later less the earlier."""
    return [
        [
            made.a,
            made.b,
            str(unit.n),
            points(-unit.difference),
            f"{unit.pairing.only_a} / {unit.pairing.only_b}" if unit.pairing else "",
            unit.test,
            p_value(unit.p),
            p_value(unit.p_corrected),
            "" if unit.detectable is None else points(unit.detectable),
        ]
        for made in outcome.comparisons
        for unit in made.units
    ]


def curve(stage: Stage) -> tuple[str, list[int], list[float]] | None:
    """(what, steps, values) of what the trainer logged."""
    log = stage.log()
    for name, label in CURVES.items():
        if found := [(row["step"], float(row[name])) for row in log if name in row]:
            return label, [step for step, _ in found], [value for _, value in found]
    return None


def _plot(title: str, label: str, steps: Sequence[int], values: Sequence[float]) -> bytes:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return b""
    import numpy as np

    figure = Figure(figsize=(8, 3), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(xlabel="step", ylabel=label, title=title)
    axes.plot(steps, values, ".", color="#8cbfe0", label="each logged step")
    if len(values) >= 2 * SMOOTHED_OVER:
        mean = np.convolve(values, np.ones(SMOOTHED_OVER) / SMOOTHED_OVER, mode="valid")
        middle = SMOOTHED_OVER // 2
        axes.plot(steps[middle : middle + len(mean)], mean, color="#1f5f93", label=f"mean of {SMOOTHED_OVER}")
        axes.legend(frameon=False)
    made = io.BytesIO()
    figure.savefig(made, format="png")
    return made.getvalue()
