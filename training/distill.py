"""On-policy distillation by a recipe: `lm-eval-ext train distill --config distill --teacher MODEL`.

TRL's DistillationTrainer: the student answers the task's own prompts and learns, at each token of its
answers, the teacher's distribution (arXiv 2306.13649). Settings are those of GRPO's recipes; `beta` is the
divergence: 0 forward KL, 1 reverse KL, between them Jensen-Shannon. Rewards are not computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lm_eval_ext.harness.errors import UserError

from . import setup
from .launch import started

WITHOUT = {"num_generations", "generation_batch_size", "steps_per_generation"}
"""GRPO's settings that are not needed here."""


def trainer(arguments: Sequence[str] | None = None) -> Any:
    """The DistillationTrainer of a recipe, ready to train. Raises UserError without a teacher."""
    from trl import DistillationConfig, DistillationTrainer

    recipe, settings = setup.prepare("distill", arguments)
    if not recipe.teacher:
        raise UserError("recipe: no teacher; name a larger model with the same tokenizer (teacher: MODEL)")
    own = {"teacher_model_init_kwargs": {"dtype": "auto"}}
    settings["args"] = setup.converted(settings["args"], DistillationConfig, WITHOUT, "distill", **own)
    return DistillationTrainer(teacher_model=recipe.teacher, **settings)


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, and saves the model (or its adapter) in `output_dir`."""
    if not started("distill", arguments):
        setup.train(trainer(arguments))


if __name__ == "__main__":
    main()
