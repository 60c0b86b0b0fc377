"""Reinforcement learning by a recipe: `python -m training.grpo --config training/configs/smoke_grpo.yaml`.

TRL's GRPOTrainer (GRPO, Dr. GRPO, DAPO: `loss_type`) on the task's own prompts, rewarded by the evaluation's
grader. Every rollout is in `output_dir/rollouts.jsonl`. Goes on from the newest checkpoint in `output_dir`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training import setup
from training.data.build import dataset, prompts_of
from training.recipe import Recipe, read
from training.rollouts import CommitReward, RecordedReward


def trainer(arguments: Sequence[str] | None = None) -> Any:
    """The GRPOTrainer of a recipe, ready to train."""
    from trl import GRPOTrainer, get_peft_config

    recipe, training, model = read("grpo", arguments)
    tokenizer = setup.tokenizer(model)
    setup.record(recipe, training, model)
    training.model_init_kwargs = setup.model_arguments(model, training)
    rewards, training.reward_weights = _rewards(recipe, training, tokenizer)
    return GRPOTrainer(
        model=model.model_name_or_path,
        reward_funcs=rewards,
        args=training,
        train_dataset=dataset(recipe, "grpo", tokenizer),
        processing_class=tokenizer,
        peft_config=get_peft_config(model),
        callbacks=setup.callbacks(recipe),
    )


def _rewards(recipe: Recipe, training: Any, tokenizer: Any) -> tuple[list[Any], list[float]]:
    """The reward functions and their weights: accuracy, and those that the recipe adds."""
    from trl.rewards import get_soft_overlong_punishment

    accuracy = RecordedReward(
        Path(training.output_dir) / "rollouts.jsonl",
        max_tokens=training.max_completion_length,
        end_ids=(tokenizer.eos_token_id,),
        stops=prompts_of(recipe, tokenizer).stops,
    )
    rewards: list[Any] = [accuracy]
    weights = [1.0]
    if recipe.format_weight:
        rewards.append(CommitReward(accuracy))
        weights.append(recipe.format_weight)
    if recipe.overlong_tokens:
        rewards.append(get_soft_overlong_punishment(training.max_completion_length, recipe.overlong_tokens))
        weights.append(1.0)
    return rewards, weights


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, and saves the model (or its adapter) in `output_dir`."""
    setup.train(trainer(arguments))


if __name__ == "__main__":
    main()
