"""Supervised fine-tuning by a recipe: `python -m training.sft --config training/configs/smoke_sft.yaml`.

TRL's SFTTrainer on the task's own prompts; full, LoRA or QLoRA as the recipe says (`use_peft`,
`load_in_4bit`). Goes on from the newest checkpoint in `output_dir` if there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training import setup
from training.data.build import dataset
from training.preflight import before
from training.recipe import read


def trainer(arguments: Sequence[str] | None = None) -> Any:
    """The SFTTrainer of a recipe, ready to train."""
    from trl import SFTTrainer, get_peft_config

    recipe, training, model = read("sft", arguments)
    tokenizer = setup.tokenizer(model)
    before(recipe, training, model, "sft", tokenizer)
    setup.record(recipe, training, model)
    training.model_init_kwargs = setup.model_arguments(model, training)
    return SFTTrainer(
        model=model.model_name_or_path,
        args=training,
        train_dataset=dataset(recipe, "sft", tokenizer),
        processing_class=tokenizer,
        peft_config=get_peft_config(model),
        callbacks=setup.callbacks(recipe),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, and saves the model (or its adapter) in `output_dir`."""
    setup.train(trainer(arguments))


if __name__ == "__main__":
    main()
