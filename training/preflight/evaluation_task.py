"""The prompts that the evaluation will send, rendered by lm-eval itself, not by `training.prompts`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from types import SimpleNamespace
from typing import Any

from lm_eval_ext.harness import protocol
from lm_eval_ext.harness.task import MathTask

from ..evaluation import Evaluation
from ..prompts import load_task

LONGEST = 32


class EvaluationTask:
    """A task as `lm_eval` sets it up under a recipe's evaluation settings.

    Args:
        settings: of the evaluation.
        tokenizer: returns it; called for chats and token ids only.

    Attributes:
        generation: settings of the task, its stops as they are sent, under those of `--gen_kwargs`.
        repeats: responses to each problem.
        budget: tokens that a response may have; None where nothing says.
    """

    def __init__(self, settings: Evaluation, tokenizer: Callable[[], Any]) -> None:
        self.settings, self.tokenizer = settings, tokenizer
        self.task = task = load_task(settings.task, settings.data)
        if settings.num_fewshot is not None and task.config.num_fewshot != 0:  # as in simple_evaluate
            task.set_config("num_fewshot", settings.num_fewshot)
        task.set_fewshot_seed(42)
        own = dict(task.config.generation_kwargs or {})
        until = protocol.stops_of(own, settings.chat and isinstance(task, MathTask))
        self.generation: dict[str, Any] = {**own, "until": until, **settings.gen_kwargs}
        self.repeats = int(settings.repeats or task.config.repeats or 1)
        budgets = (self.generation.get(name) for name in protocol.TOKEN_BUDGET_NAMES)
        self.budget = next((int(budget) for budget in budgets if budget), None)
        # rendering is no run: the task must not refuse what checks 3 and 29 report
        task.set_config("generation_kwargs", {"max_gen_toks": 1, "do_sample": False, "temperature": 0.0})
        task.set_config("repeats", 1)

    @cached_property
    def longest(self) -> list[str]:
        """Prompts of the longest problems that the task evaluates on."""
        docs = [dict(doc) for doc in self.task.eval_docs]
        by_length = sorted(range(len(docs)), key=lambda i: -len(str(docs[i].get("problem", docs[i]))))
        return self._rendered(sorted(by_length[:LONGEST]))

    def prompts(self, docs: Sequence[dict[str, Any]]) -> list[str]:
        """What lm-eval would send for these documents if the task evaluated on them."""
        from datasets import Dataset

        config, dataset = self.task.config, self.task.dataset
        split, process = config.test_split or config.validation_split, config.process_docs
        evaluated = dataset[split]
        dataset[split], config.process_docs = Dataset.from_list(list(docs)), None
        try:
            return self._rendered()
        finally:
            dataset[split], config.process_docs = evaluated, process

    def ids(self, prompt: str) -> list[int]:
        """The tokens of a prompt, as lm-eval's model classes encode it."""
        from lm_eval.models.huggingface import HFLM

        tokenizer = self.tokenizer()
        model = SimpleNamespace(
            tokenizer=tokenizer,
            prefix_token_id=tokenizer.eos_token_id
            if tokenizer.bos_token_id is None
            else tokenizer.bos_token_id,
            add_bos_token=self.settings.model_args.get("add_bos_token"),
        )
        return list(HFLM.tok_encode(model, prompt))

    def ended(self, response: str) -> str:
        """The response up to the first stop."""
        until = self.generation["until"] or []
        for stop in [until] if isinstance(until, str) else until:
            response = response.split(stop)[0]
        return response

    def _rendered(self, samples: list[int] | None = None) -> list[str]:
        """`build_all_requests`, as `simple_evaluate` calls it."""
        chat = self.settings.chat
        self.task.build_all_requests(
            samples=samples,
            system_instruction=self.settings.system_instruction,
            apply_chat_template=chat,
            fewshot_as_multiturn=chat,
            chat_template=self._chat_template() if chat else None,
        )
        return [str(instance.args[0]) for instance in self.task.instances]

    def _chat_template(self) -> Callable[..., str]:
        """As lm-eval's model classes render it; vLLM's passes `enable_thinking`, True by default."""
        from lm_eval.models.huggingface import HFLM

        thinking = self.settings.model_args.get("enable_thinking", True)
        model = SimpleNamespace(tokenizer=self.tokenizer(), chat_template_args={"enable_thinking": thinking})
        return partial(HFLM.apply_chat_template, model)
