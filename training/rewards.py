"""The rewards of a recipe: accuracy by the evaluation's grader, and those that the recipe adds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .data.build import prompts_of
from .recipe import Recipe
from .rollouts import CommitReward, RecordedReward


def rewards(
    recipe: Recipe, training: Any, tokenizer: Any, ends: Sequence[int]
) -> tuple[list[Any], list[float]]:
    """The reward functions and their weights; the first of them grades and records.

    Args:
        ends: tokens that end a completion, see `training.ends`.
    """
    from trl.rewards import get_soft_overlong_punishment

    accuracy = RecordedReward(
        Path(training.output_dir) / "rollouts.jsonl",
        max_tokens=training.max_completion_length,
        end_ids=ends,
        **prompts_of(recipe, tokenizer).reward_settings,
    )
    found: list[Any] = [accuracy]
    weights = [1.0]
    if recipe.format_weight:
        found.append(CommitReward(accuracy))
        weights.append(recipe.format_weight)
    if recipe.overlong_tokens:
        found.append(get_soft_overlong_punishment(training.max_completion_length, recipe.overlong_tokens))
        weights.append(1.0)
    return found, weights
