"""The list of all stages: the base, then every recipe in turn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lm_eval_ext.atomic import write_text
from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.resume import require_same

from ..evaluation import Evaluation
from ..prompts import load_task
from ..recipe_files import settings_in
from .outcome import thresholds
from .recipe import BASE, PARTS, TEST, RecipeRun
from .stage import Stage, evaluation_stage, record

OWN_PROMPTS = "base_own_prompts"
RECIPES = "recipes"
COMPARISON = "comparison"
TAKEN = (BASE, OWN_PROMPTS, COMPARISON, RECIPES)
"""Folders of a pipeline besides those of its recipes."""
OWN_OPTIONS = {"--model_name_or_path": "--model", "--output_dir": "--out"}
"""Settings that a pipeline gives its recipes itself -> its own option for them."""


def recipe_runs(
    configs: Sequence[Path], out: Path, model: str | None, more: Sequence[str], skip: Sequence[str] = ()
) -> list[RecipeRun]:
    """The recipes, copied into `out`.

    Args:
        configs: each trains what the one before it chose, the first one its own model.
        out: folder of everything; the same call resumes.
        model: instead of the first recipe's.
        more: settings of every recipe, as on the command line.
        skip: evaluations to leave out, of `recipe.PARTS`.

    Raises UserError if a recipe cannot be used, or the work was begun with another.
    """
    for option, ours in OWN_OPTIONS.items():
        if any(given.split("=")[0] == option for given in more):
            raise UserError(f"{option} is no setting for all recipes of a pipeline; give {ours}")
    if unknown := sorted(set(skip) - set(PARTS)):
        raise UserError(f"--skip {unknown[0]}: it must be one of {', '.join(PARTS)}")
    base = model or str(settings_in(configs[0]).get("model_name_or_path") or "")
    found: list[RecipeRun] = []
    for config in configs:
        name = _name(config, [run.name for run in found])
        found.append(RecipeRun(name, _copied(config, name, out), base, out, more, skip=skip))
    return found


def _name(config: Path, taken: Sequence[str]) -> str:
    """The file's name, numbered if it comes again. Raises UserError if it cannot be a folder of `out`."""
    if config.stem in TAKEN or not re.fullmatch(r"[\w.-]+", config.stem):
        raise UserError(
            f"recipe {config}: a stage cannot be called {config.stem!r}; rename the file: letters, digits, "
            f"'_', '-' and '.', and none of {', '.join(sorted(TAKEN))}"
        )
    names = (config.stem, *(f"{config.stem}_{again}" for again in range(2, len(taken) + 2)))
    return next(name for name in names if name not in taken)


def _copied(config: Path, name: str, out: Path) -> Path:
    copy = out / RECIPES / f"{name}.yaml"
    if copy.is_file() and any(stage.startswith(f"{name}: ") for stage in record(out)):
        advice = f"Give {config.name} as it was to resume, or name another --out"
        require_same(settings_in(config), settings_in(copy), copy, advice)
    else:
        write_text(copy, config.read_text("utf-8"))
    return copy


def stages(recipes: Sequence[RecipeRun], out: Path, limit: int | None) -> Iterator[Stage]:
    """Every stage, in order. Take the next one when the one before is done: it reads that one's outputs."""
    base, evaluation, skip = recipes[0].base, common_evaluation(recipes), recipes[0].skip
    for recipe in recipes:
        thresholds(recipe)
        recipe.check()
    for recipe in recipes:
        yield recipe.preflight()
        yield recipe.data()
    of_base = evaluation.at(recipes[0].read[2].model_revision)
    if BASE not in skip:
        yield evaluation_stage(f"{BASE}: evaluate", of_base, base, out / BASE, limit=limit)
    if BASE not in skip and own_prompts_differ(evaluation):
        own = replace(of_base, num_fewshot=None)
        yield evaluation_stage(f"{OWN_PROMPTS}: evaluate", own, base, out / OWN_PROMPTS, limit=limit)
    for recipe in recipes:
        recipe.base = base
        yield recipe.train()
        yield from recipe.merges(recipe.candidates())
        yield from recipe.validations(limit)
        yield from recipe.safeties(limit)
        choice = recipe.chosen()
        if TEST not in skip:
            yield recipe.evaluate(choice.step, limit)
        base = str(recipe.model(choice.step))


def common_evaluation(recipes: Sequence[RecipeRun]) -> Evaluation:
    """The evaluation of all recipes. Raises UserError if they differ in it."""
    first = recipes[0].evaluation
    for recipe in recipes[1:]:
        theirs = vars(recipe.evaluation)
        if differing := {name: value for name, value in vars(first).items() if theirs[name] != value}:
            listed = "; ".join(f"{name}: {ours!r} and {theirs[name]!r}" for name, ours in differing.items())
            raise UserError(
                f"recipes {recipes[0].name} and {recipe.name} are evaluated differently, so they cannot be "
                f"compared: {listed}. Give both the same eval_* settings"
            )
    return first


def own_prompts_differ(evaluation: Evaluation) -> bool:
    """Whether the task has another number of exemplars: a base model may answer better with them."""
    if evaluation.num_fewshot is None:
        return False
    return evaluation.num_fewshot != int(load_task(evaluation.task, evaluation.data).config.num_fewshot or 0)
