"""Supervised fine-tuning by a recipe: `lm-eval-ext train sft --config smoke_sft`.

TRL's SFTTrainer on the task's own prompts; full, LoRA or QLoRA as the recipe says (`use_peft`,
`load_in_4bit`). Resumes from the newest checkpoint in `output_dir` if there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import setup
from .config_checks import check_installed
from .preflight import before
from .recipe import read


def trainer(arguments: Sequence[str] | None = None) -> Any:
    """The SFTTrainer of a recipe, ready to train."""
    recipe, training, model = read("sft", arguments)
    check_installed(training, model)
    tokenizer = setup.tokenizer(model)
    before(recipe, training, model, "sft", tokenizer)

    from trl import SFTTrainer

    return SFTTrainer(**setup.trainer_settings(recipe, training, model, "sft", tokenizer))


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, and saves the model (or its adapter) in `output_dir`."""
    setup.train(trainer(arguments))


if __name__ == "__main__":
    main()
