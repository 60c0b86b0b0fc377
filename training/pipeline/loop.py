"""The base, every recipe in turn, and what came of it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lm_eval_ext.analysis import runs
from lm_eval_ext.analysis.compare import compare_all
from lm_eval_ext.analysis.comparison import Comparison
from lm_eval_ext.analysis.runs import Run
from lm_eval_ext.atomic import write_text
from lm_eval_ext.harness.errors import UserError

from ..evaluation import Evaluation
from ..prompts import load_task
from ..recipe import settings_in
from .stage import Choice, Stage
from .steps import Steps

BASE = "base"
OWN_PROMPTS = "base_own_prompts"
RECIPES = "recipes"
COMPARISON = "comparison"
TAKEN = {BASE, OWN_PROMPTS, RECIPES, COMPARISON}
"""Folders of a pipeline beside those of its recipes."""
NOT_FURTHER = {"--model_name_or_path": "--model", "--output_dir": "--out"}
"""Settings that a pipeline gives its recipes itself -> its own option for them."""


@dataclass(frozen=True)
class Outcome:
    """What a pipeline ended with.

    Attributes:
        stages: in their order, each with its choice.
        runs: of the base and of each stage, evaluated under the same protocol.
        own_prompts: the base under the task's own number of exemplars, if that is another: a base model may
            answer better with exemplars than without.
        comparisons: of every two of `runs`, p-values corrected together.
        steps: what was done, and how long it took.
    """

    stages: tuple[tuple[Stage, Choice], ...]
    runs: tuple[Run, ...]
    own_prompts: Run | None
    comparisons: tuple[Comparison, ...]
    steps: Steps


def loop(
    configs: Sequence[Path], out: Path, model: str | None, limit: int | None, more: Sequence[str]
) -> Outcome:
    """Each recipe trains what the one before it chose, the first one its own model.

    Args:
        configs: recipes.
        out: folder of everything; the same call goes on where it stopped.
        model: in place of the first recipe's.
        limit: problems of each evaluation; None: all.
        more: settings of every recipe, as on the command line.

    Raises UserError: recipes that would be evaluated differently, a step that fails, settings that are not
    those with which the folder was begun.
    """
    for option, ours in NOT_FURTHER.items():
        if any(given.split("=")[0] == option for given in more):
            raise UserError(f"{option} is no setting for all recipes of a pipeline; give {ours}")
    base = model or str(settings_in(configs[0]).get("model_name_or_path") or "")
    steps = Steps(out)
    copies = _copied(configs, out, steps)
    stages = [Stage(name, config, base, out, more) for name, config in copies.items()]
    evaluation = _one_evaluation(stages)
    of_base = evaluation.at(stages[0].revision)
    for stage in stages:
        stage.prepare(steps)
    places = {BASE: _evaluated(steps, BASE, of_base, base, out, limit)}
    own = None
    if evaluation.num_fewshot is not None and evaluation.num_fewshot != _own_fewshot(evaluation):
        own = _evaluated(steps, OWN_PROMPTS, replace(of_base, num_fewshot=None), base, out, limit)
    choices: list[Choice] = []
    for stage in stages:
        stage.base = base
        stage.train(steps)
        choices.append(stage.chosen(steps, limit))
        places[stage.name] = stage.results(steps, choices[-1], limit)
        base = str(stage.model(choices[-1].step))
    found = tuple(runs.named([f"{name}={place}" for name, place in places.items()]))
    return Outcome(
        tuple(zip(stages, choices, strict=True)),
        found,
        runs.named([f"{OWN_PROMPTS}={own}"])[0] if own else None,
        compare_all(found),
        steps,
    )


def _copied(configs: Sequence[Path], out: Path, steps: Steps) -> dict[str, Path]:
    """Stage name -> the recipe's copy in `out`. Raises UserError where another one was begun."""
    found: dict[str, Path] = {}
    for config in configs:
        name = _name(config, found)
        text = config.read_text("utf-8")
        copy = out / RECIPES / f"{name}.yaml"
        before = copy.read_text("utf-8") if copy.is_file() else text
        if before != text and any(step.startswith(f"{name}: ") for step in steps.done):
            difference = difflib.unified_diff(before.splitlines(), text.splitlines(), lineterm="", n=0)
            changed = [line for line in difference if not line.startswith(("---", "+++", "@@"))]
            raise UserError(
                f"{out} was begun with another {config.name}: {'; '.join(changed)}. Give it "
                "as it was to go on, or name another --out"
            )
        write_text(copy, text)
        found[name] = copy
    return found


def _name(config: Path, taken: Collection[str]) -> str:
    """Of the stage: the file's, numbered where it comes again. Raises UserError where it cannot be one."""
    if config.stem in TAKEN or not re.fullmatch(r"[\w.-]+", config.stem):
        raise UserError(
            f"recipe {config}: a stage cannot be called {config.stem!r}; rename the file: letters, digits, "
            f"'_', '-' and '.', and none of {', '.join(sorted(TAKEN))}"
        )
    names = (config.stem, *(f"{config.stem}_{again}" for again in range(2, len(taken) + 2)))
    return next(name for name in names if name not in taken)


def _one_evaluation(stages: Sequence[Stage]) -> Evaluation:
    """How all of them are evaluated. Raises UserError where recipes differ in it."""
    first = stages[0].evaluation
    for stage in stages[1:]:
        theirs = stage.evaluation
        if differing := [name for name, value in vars(first).items() if vars(theirs)[name] != value]:
            said = "; ".join(
                f"{name}: {vars(first)[name]!r} and {vars(theirs)[name]!r}" for name in differing
            )
            raise UserError(
                f"recipes {stages[0].name} and {stage.name} are not evaluated alike, and so cannot be "
                f"compared: {said}. Set the eval_* settings alike in both"
            )
    return first


def _own_fewshot(evaluation: Evaluation) -> int:
    return int(load_task(evaluation.task, evaluation.data).config.num_fewshot or 0)


def _evaluated(
    steps: Steps, name: str, evaluation: Evaluation, model: str, out: Path, limit: int | None
) -> Path:
    folder = out / name
    arguments = evaluation.arguments(model, str(folder), limit=limit)
    steps.run(f"{name}: evaluate", "lm_eval_ext.cli", ["run", *arguments], anew=folder)
    return folder
