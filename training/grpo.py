"""Reinforcement learning by a recipe: `lm-eval-ext train grpo --config smoke_grpo`.

TRL's GRPOTrainer (GRPO, Dr. GRPO, DAPO: `loss_type`) on the task's own prompts, rewarded by the evaluation's
grader. Records every rollout in `output_dir/rollouts.jsonl`. Resumes from the newest checkpoint in
`output_dir`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import setup
from .launch import started
from .models import eos_tokens, model_eos_tokens
from .recipe import Recipe
from .rewards import rewards


def prepared(trainer: str, arguments: Sequence[str] | None) -> tuple[Recipe, dict[str, Any], list[float]]:
    """A recipe, the arguments of TRL's trainer, its rewards among them, and their weights."""
    recipe, settings = setup.prepare(trainer, arguments)
    training, tokenizer = settings["args"], settings["processing_class"]
    eos = eos_tokens(tokenizer, model_eos_tokens(settings["model"], training.model_init_kwargs["revision"]))
    functions, weights = rewards(recipe, training, tokenizer, eos)
    return recipe, {**settings, "reward_funcs": [*functions]}, weights


def trainer(arguments: Sequence[str] | None = None) -> Any:
    """The GRPOTrainer of a recipe, ready to train."""
    from .adaptive import sample_adaptively
    from .watched import WatchedTrainer

    recipe, settings, weights = prepared("grpo", arguments)
    settings["args"].reward_weights = weights
    made = WatchedTrainer(**settings)
    if recipe.adaptive_sampling < 1:
        sample_adaptively(made, recipe.adaptive_sampling)
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, and saves the model (or its adapter) in `output_dir`."""
    if not started("grpo", arguments):
        setup.train(trainer(arguments))


if __name__ == "__main__":
    main()
