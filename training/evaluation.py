"""How a recipe's checkpoints are evaluated: lm-eval's settings, read once and used by all who need them."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from training.recipe import Recipe


@dataclass(frozen=True)
class Evaluation:
    """The evaluation settings of a recipe.

    Attributes:
        task: of lm-eval.
        model_args: beside `pretrained`.
        gen_kwargs: what is set beside the task's own.
        num_fewshot: None: as many as the task says.
        chat: whether the chat template is applied.
        system_instruction: of the chat.
        repeats: None: as many as the task says.
    """

    task: str
    model_args: dict[str, Any]
    gen_kwargs: dict[str, Any]
    num_fewshot: int | None
    chat: bool
    system_instruction: str | None
    repeats: int | None

    @classmethod
    def of(cls, recipe: Recipe) -> Evaluation:
        """As the recipe says; where it does not, as in training."""
        from lm_eval.utils import simple_parse_args_string

        model_args = simple_parse_args_string(recipe.eval_model_args)
        if recipe.thinking is not None:
            model_args.setdefault("enable_thinking", recipe.thinking)
        return cls(
            task=recipe.task,
            model_args=model_args,
            gen_kwargs=simple_parse_args_string(recipe.eval_gen_kwargs),
            num_fewshot=recipe.num_fewshot if recipe.eval_num_fewshot is None else recipe.eval_num_fewshot,
            chat=recipe.chat if recipe.eval_chat is None else recipe.eval_chat,
            system_instruction=recipe.system_instruction,
            repeats=recipe.eval_repeats,
        )

    def command(self, model: str) -> str:
        """The command line that evaluates the model in this folder."""
        parts = [
            f"lm-eval-ext run --model vllm --tasks {self.task}",
            "" if self.num_fewshot is None else f"--num_fewshot {self.num_fewshot}",
            "--apply_chat_template" if self.chat else "",
            f"--system_instruction {shlex.quote(self.system_instruction)}" if self.system_instruction else "",
            f"--gen_kwargs {_listed(self.gen_kwargs)}" if self.gen_kwargs else "",
            f"--metadata '{json.dumps({'repeats': self.repeats})}'" if self.repeats else "",
            f"--batch_size auto --seed 42 --model_args {_listed({'pretrained': model, **self.model_args})}",
            f"--log_samples --output_path {model}/eval",
        ]
        return " ".join(part for part in parts if part)


def _listed(settings: dict[str, Any]) -> str:
    return ",".join(f"{name}={value}" for name, value in settings.items())
