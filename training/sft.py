"""Supervised fine-tuning by a recipe: `lm-eval-ext train sft --config smoke_sft`.

TRL's SFTTrainer on the task's own prompts; full, LoRA or QLoRA as the recipe says (`use_peft`,
`load_in_4bit`). Resumes from the newest checkpoint in `output_dir` if there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import setup
from .launch import started


def trainer(arguments: Sequence[str] | None = None) -> Any:
    """The SFTTrainer of a recipe, ready to train."""
    from trl import SFTTrainer

    _recipe, settings = setup.prepare("sft", arguments)
    return SFTTrainer(**settings)


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, and saves the model (or its adapter) in `output_dir`."""
    if not started("sft", arguments):
        setup.train(trainer(arguments))


if __name__ == "__main__":
    main()
