"""The results of a pipeline: `summary.md` and `summary.json`, and the training curves as PNG."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import naming
from lm_eval_ext.analysis.compare import RunComparison, compare_all
from lm_eval_ext.analysis.compare_output import ComparisonResults, markdown_table, p_value, percent, points
from lm_eval_ext.analysis.runs import Run
from lm_eval_ext.analysis.stats import mean_interval
from lm_eval_ext.atomic import write_bytes, write_text

from . import prereg
from .curves import plotted
from .outcome import PASSED, Reached, reached
from .prereg import Registration
from .recipe import BASE, TEST, RecipeRun
from .stage import record
from .stages import COMPARISON, OWN_PROMPTS, common_evaluation, own_prompts_differ

HEAD = ("model", "n", "right", "accuracy", "95% interval", "checkpoint")
PAIRS = ("A", "B", "n", "B less A", "only A / only B", "test", "p", "p (Holm)", "detectable")
REACHED = ("recipe", "task", "metric", "n", "score", "with undecided", "at least", "passed")
OWN = "`base_own_prompts`: the base under the task's own number of exemplars."


@dataclass(frozen=True)
class Summary:
    """What a pipeline found.

    Attributes:
        recipes: each with its choice.
        runs: of the base and of each recipe, evaluated under the same protocol.
        own_prompts: the base under the task's own number of exemplars, if that differs.
        comparisons: of every two of `runs`, p-values corrected together.
        steps: `steps.json`.
        reached: the scores of each recipe's checkpoint, with their thresholds.
        claim: the hypothesis that was registered, and its hash.
    """

    recipes: Sequence[RecipeRun]
    runs: Sequence[Run]
    own_prompts: Sequence[Run]
    comparisons: Sequence[RunComparison]
    steps: dict[str, Any]
    reached: dict[str, list[Reached]]
    claim: tuple[Registration, str] | None = None

    @classmethod
    def of(cls, recipes: Sequence[RecipeRun], out: Path) -> Summary:
        """Reads the outputs of all stages."""
        skip = recipes[0].skip
        tests = [f"{recipe.name}={recipe.folder / TEST}" for recipe in recipes if TEST not in skip]
        base = [f"{BASE}={out / BASE}"] if BASE not in skip else []
        found = naming.named([*base, *tests])
        differ = bool(base) and own_prompts_differ(common_evaluation(recipes))
        own = naming.named([f"{OWN_PROMPTS}={out / OWN_PROMPTS}"]) if differ else []
        scores = {recipe.name: reached(recipe) for recipe in recipes}
        return cls(recipes, found, own, compare_all(found), record(out), scores, prereg.registered(out))

    def json(self) -> dict[str, Any]:
        return {
            "models": [dict(zip(HEAD, row, strict=True)) for row in self.scores()],
            "validation": {recipe.name: dict(vars(recipe.choice)) for recipe in self.recipes},
            "reached": {name: [one._asdict() for one in found] for name, found in self.reached.items()},
            "comparisons": [made.json() for made in self.comparisons],
            "steps": self.steps,
            "prereg": self.claim
            and {
                "sha256": self.claim[1],
                **self.claim[0].model_dump(),
                "verdicts": [dict(zip(prereg.HEAD, row, strict=True)) for row in self.verdicts()],
            },
        }

    def scores(self) -> list[list[str]]:
        """Rows under HEAD: the base and each recipe."""
        chosen = {recipe.name: f"step {recipe.choice.step}" for recipe in self.recipes if recipe.choice}
        return [[*_score(run), chosen.get(run.name, "")] for run in (*self.runs, *self.own_prompts)]

    def pairs(self) -> list[list[str]]:
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
            for made in self.comparisons
            for unit in made.units
        ]

    def verdicts(self) -> list[list[str]]:
        """Rows under prereg.HEAD: on the registered hypothesis; none without one."""
        return prereg.verdicts(self.claim[0], self.runs) if self.claim else []

    def _registered(self) -> list[str]:
        if self.claim is None:
            return []
        claim, sha = self.claim
        said = f"{claim.hypothesis} ({claim.better} against {claim.than}, {claim.metric}, {claim.test}, "
        said += f"alpha {claim.alpha:g}, at least {points(claim.at_least)}; sha256 {sha[:12]})."
        return [f"## Registered before training\n\n{said}", markdown_table([prereg.HEAD, *self.verdicts()])]

    def thresholds(self) -> list[list[str]]:
        """Rows under REACHED: each score of a recipe's checkpoint."""
        return [
            [
                *(name, one.task, one.metric, str(one.n), percent(one.low)),
                percent(one.high) if one.high != one.low else "",
                *(("", "") if one.threshold is None else (percent(one.threshold), PASSED[one.passed])),
            ]
            for name, found in self.reached.items()
            for one in found
        ]

    def validations(self) -> list[list[str]]:
        """Rows: recipe, step, validation accuracy, safety, and why it was chosen."""
        return [
            [
                recipe.name,
                str(step),
                "" if score is None else percent(score),
                percent(choice.safety[step]) if step in choice.safety else "",
                ", ".join(filter(None, ("chosen", choice.remark))) if step == choice.step else "",
            ]
            for recipe in self.recipes
            if (choice := recipe.choice)
            for step, score in choice.scores.items()
        ]

    def markdown(self, figures: Sequence[str]) -> str:
        """Results first, then how they came about, then commands."""
        minutes = sum(step["seconds"] for step in self.steps.values()) / 60
        steps = [(name, f"{s['seconds']:.0f}", f"`{s['command']}`") for name, s in self.steps.items()]
        parts = [
            f"# {self.recipes[0].read[0].task}: {' -> '.join(recipe.name for recipe in self.recipes)}",
            markdown_table([HEAD, *self.scores()]),
            *[OWN] * len(self.own_prompts),
            markdown_table([PAIRS, *self.pairs()]),
            markdown_table([REACHED, *self.thresholds()]),
            *self._registered(),
            *(f"![{name}]({name})" for name in figures),
            "## Checkpoints\n\nChosen by the validation task, then safety, not by the table above.",
            markdown_table([("recipe", "step", "validation", "safety", ""), *self.validations()]),
            "All comparisons, with the problems that flipped: [comparison/](comparison/comparison.md).",
            f"## Steps\n\n{minutes:.1f} minutes in total; an interrupted step counts from its last start.",
            markdown_table([("step", "seconds", "command"), *steps]),
        ]
        return "\n\n".join(parts) + "\n"


def write(recipes: Sequence[RecipeRun], out: Path) -> list[Path]:
    """Writes all of it; returns the files. Without matplotlib (`lm-eval-ext[report]`) there are no curves."""
    summary = Summary.of(recipes, out)
    shown = []
    for recipe in recipes:
        if png := plotted(recipe.name, recipe.log()):
            write_bytes(out / f"{recipe.name}.png", png)
            shown.append(f"{recipe.name}.png")
    ComparisonResults(tuple(summary.comparisons)).write(out / COMPARISON)
    write_text(out / "summary.json", json.dumps(summary.json(), indent=1, ensure_ascii=False) + "\n")
    write_text(out / "summary.md", summary.markdown(shown))
    return [out / name for name in ("summary.md", "summary.json", *shown)]


def _score(run: Run) -> list[str]:
    (task,) = run.tasks.values()
    values = list(task.scored().values())
    interval = mean_interval(values)
    span = f"{percent(interval.low)} to {percent(interval.high)}"
    return [run.name, str(len(values)), f"{sum(values):g}", percent(sum(values) / len(values)), span]
