"""From a recipe to the reward functions that TRL is given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.rewards import verifier

from ..data.build import prompts_of, verifier_of
from ..entries import reward_entries
from ..prompts import TaskPrompts
from ..recipe import Recipe
from .batch import Grading
from .rollouts import Rollouts
from .scoring import RewardFunction, RewardSet
from .terms import term


def rewards(
    recipe: Recipe, training: Any, tokenizer: Any, eos_tokens: Sequence[int]
) -> tuple[list[RewardFunction], list[float]]:
    """The reward functions and their weights.

    Raises UserError for a verifier that does not exist or does not take its settings.
    """
    assert isinstance(recipe.rewards, list)  # since Recipe.__post_init__
    entries, most = reward_entries(recipe.rewards), training.max_completion_length
    file = Path(training.output_dir) / "rollouts.jsonl"
    try:
        gradings = gradings_of(recipe, tokenizer)
        names = {grading.name for grading in gradings}
        terms = [term(entry, names, most) for entry in entries]
    except UserError:
        raise
    except (ValueError, TypeError) as error:
        raise UserError(f"recipe: {error}") from error
    made = RewardSet(gradings, terms, Rollouts(file, max_tokens=most, eos_tokens=eos_tokens))
    return made.functions, [entry.weight for entry in entries]


def gradings_of(recipe: Recipe, tokenizer: Any) -> list[Grading]:
    """How the rows of each of the recipe's sources are graded."""
    found = (grading(part, prompts_of(part, tokenizer)) for part in recipe.parts)
    return list({(each.task, each.name): each for each in found}.values())


def grading(recipe: Recipe, prompts: TaskPrompts) -> Grading:
    """How a recipe's rows are graded: by its `verifier`, else as the evaluation of its task grades.

    A verifier that is named without settings has those of the task, if it is the task's own.
    """
    name = verifier_of(recipe, prompts)
    assert isinstance(recipe.verifier, dict)  # since Recipe.__post_init__
    given = {setting: value for setting, value in recipe.verifier.items() if setting != "name"}
    settings = given or (prompts.reward_settings if name == prompts.verifier else {})
    return Grading(recipe.task, name, verifier(name, **settings), prompts.stops)
