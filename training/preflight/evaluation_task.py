"""How the evaluation will prompt and generate, by the settings that lm-eval is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from lm_eval_ext.harness import protocol
from lm_eval_ext.harness.task import ProtocolTask

from ..evaluation import Evaluation
from ..models import ids_of
from ..prompts import TaskPrompts

LONGEST = 32


class EvaluationTask:
    """A task as `lm_eval` sets it up under a recipe's evaluation settings.

    Args:
        settings: of the evaluation.
        tokenizer: returns it; called for chats and token ids only.

    Attributes:
        task: of lm-eval.
        generation: settings of the task, its stops as they are sent, under those of `--gen_kwargs`.
        repeats: responses to each problem.
        budget: tokens that a response may have; None where nothing says.
    """

    def __init__(self, settings: Evaluation, tokenizer: Callable[[], Any]) -> None:
        self.settings, self.tokenizer = settings, tokenizer
        thinking = settings.model_args.get("enable_thinking", True)  # lm-eval's vLLM class passes it always
        self._prompts = TaskPrompts(
            settings.task,
            num_fewshot=settings.num_fewshot,
            system_instruction=settings.system_instruction,
            chat_template_kwargs={
                "enable_thinking": thinking,
                **settings.model_args.get("chat_template_args", {}),
            },
            data=settings.data,
        )
        self.task = self._prompts.task
        if self.task.config.num_fewshot == 0:  # which simple_evaluate does not change
            self._prompts.num_fewshot = 0
        own = dict(self.task.config.generation_kwargs or {})
        until = protocol.stops_of(own, settings.chat and isinstance(self.task, ProtocolTask))
        self.generation: dict[str, Any] = {**own, "until": until, **settings.gen_kwargs}
        self.repeats = int(settings.repeats or self.task.config.repeats or 1)
        budgets = (self.generation.get(name) for name in protocol.TOKEN_BUDGET_NAMES)
        self.budget = next((int(budget) for budget in budgets if budget), None)

    @cached_property
    def longest(self) -> list[str]:
        """Prompts of the longest problems that the task evaluates on."""
        docs = sorted(self._prompts.evaluated, key=lambda doc: -len(str(doc.get("problem", doc))))
        return self.prompts(docs[:LONGEST])

    def prompts(self, docs: Sequence[dict[str, Any]]) -> list[str]:
        """What lm-eval would send for these documents if the task evaluated on them."""
        if self.settings.chat:
            self._prompts.tokenizer = self.tokenizer()
        return [self._prompts.prompt(doc) for doc in docs]

    def ids(self, prompt: str) -> list[int]:
        """The tokens of a prompt, as lm-eval's model classes encode it."""
        return ids_of(self.tokenizer(), prompt, self.settings.model_args.get("add_bos_token"))

    def ended(self, response: str) -> str:
        """The response up to the first stop."""
        until = self.generation["until"] or []
        for stop in [until] if isinstance(until, str) else until:
            response = response.split(stop)[0]
        return response
