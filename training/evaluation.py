"""How a recipe's checkpoints are evaluated: lm-eval's settings and command line."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field, replace
from typing import Any

from .recipe import Recipe


@dataclass(frozen=True)
class Evaluation:
    """The evaluation settings of a recipe, by lm-eval's names; None: the task's own."""

    task: str
    model_args: dict[str, Any]
    gen_kwargs: dict[str, Any]
    num_fewshot: int | None
    chat: bool
    system_instruction: str | None
    repeats: int | None
    subset: float | None = None
    data: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, recipe: Recipe) -> Evaluation:
        """What the recipe does not set is as in training."""
        from lm_eval.utils import simple_parse_args_string

        model_args = simple_parse_args_string(recipe.eval_model_args)
        variables = recipe.template_variables
        if "enable_thinking" in variables:
            model_args.setdefault("enable_thinking", variables.pop("enable_thinking"))
        if variables:
            model_args["chat_template_args"] = variables
        trained = 0 if recipe.fewshot_phase_out else recipe.num_fewshot
        return cls(
            task=recipe.task,
            model_args=model_args,
            gen_kwargs=simple_parse_args_string(recipe.eval_gen_kwargs),
            num_fewshot=trained if recipe.eval_num_fewshot is None else recipe.eval_num_fewshot,
            chat=recipe.chat if recipe.eval_chat is None else recipe.eval_chat,
            system_instruction=recipe.system_instruction,
            repeats=recipe.eval_repeats,
            subset=recipe.eval_subset,
            data=recipe.data,
        )

    @classmethod
    def of_safety(cls, recipe: Recipe) -> Evaluation:
        """On the recipe's safety_task, with its own number of exemplars, one response to each prompt."""
        assert isinstance(recipe.safety_metadata, dict), "a Recipe reads JSON itself"
        own = replace(cls.of(recipe), task=recipe.safety_task, metadata=recipe.safety_metadata)
        return replace(own, num_fewshot=None, repeats=None, subset=None)

    def at(self, revision: str | None) -> Evaluation:
        """The same evaluation of a model at this revision of its repository."""
        if revision in (None, "main"):
            return self
        return replace(self, model_args={**self.model_args, "revision": revision})

    def arguments(self, model: str, out: str, task: str | None = None, limit: int | None = None) -> list[str]:
        """Arguments of `lm-eval-ext run`.

        Args:
            model: folder or name.
            out: folder of the results.
            task: another task under the same settings, such as the validation task.
            limit: number of documents, from the first; None: all.
        """
        given = [*("--model", "vllm"), *("--tasks", task or self.task)]
        if self.num_fewshot is not None:
            given += ["--num_fewshot", str(self.num_fewshot)]
        if self.chat:
            given += ["--apply_chat_template"]
        if self.system_instruction:
            given += ["--system_instruction", self.system_instruction]
        if self.gen_kwargs:
            given += ["--gen_kwargs", _listed(self.gen_kwargs)]
        own = {
            k: v for k, v in (("repeats", self.repeats), ("subset", self.subset), ("data", self.data)) if v
        }
        if metadata := {**own, **self.metadata}:
            given += ["--metadata", json.dumps(metadata)]
        if limit is not None:
            given += ["--limit", str(limit)]
        given += [*("--batch_size", "auto"), *("--seed", "42")]
        given += ["--model_args", _listed({"pretrained": model, **self.model_args})]
        return [*given, "--log_samples", *("--output_path", out)]

    def command(self, model: str) -> str:
        """The command line that evaluates a model."""
        return f"lm-eval-ext run {shlex.join(self.arguments(model, f'{model}/eval'))}"


def _listed(settings: dict[str, Any]) -> str:
    if any(isinstance(value, dict) for value in settings.values()):
        return json.dumps(settings)
    return ",".join(f"{name}={value}" for name, value in settings.items())
