"""The contexts that the evaluation will send, rendered by lm-eval itself, not by `training.prompts`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from lm_eval_ext.harness import protocol
from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.task import MathTask

from ..prompts import load_task
from .registry import NotAtHand

if TYPE_CHECKING:
    from .subject import Subject

LONGEST = 32


class EvaluationTask:
    """The recipe's task as `lm_eval` sets it up under the recipe's evaluation settings."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.settings = subject.evaluation
        self.name = self.settings.task

    @cached_property
    def task(self) -> Any:
        """A task of its own; number of exemplars and seed as lm-eval's evaluator sets them."""
        try:
            task = load_task(self.name, self.subject.recipe.data)
        except DataError as error:
            raise NotAtHand(f"the task's data: {error.code}") from error
        if self.settings.num_fewshot is not None and task.config.num_fewshot != 0:
            task.set_config("num_fewshot", self.settings.num_fewshot)
        task.set_fewshot_seed(42)
        self._own, self._repeats = dict(task.config.generation_kwargs or {}), task.config.repeats or 1
        # what is rendered here is no run: rows 3 and 29 judge the real settings
        task.set_config("generation_kwargs", {"max_gen_toks": 1, "do_sample": False, "temperature": 0.0})
        task.set_config("repeats", 1)
        return task

    @property
    def generation(self) -> dict[str, Any]:
        """The task's generation settings, its stops as they are sent, under those of `--gen_kwargs`."""
        assert self.task
        chat = self.settings.chat and isinstance(self.task, MathTask)
        return {**self._own, "until": protocol.stops_of(self._own, chat), **self.settings.gen_kwargs}

    @property
    def repeats(self) -> int:
        """Responses a problem."""
        assert self.task
        return int(self.settings.repeats or self._repeats)

    @property
    def budget(self) -> int | None:
        """Tokens a response may have; None where nothing says."""
        found = self.generation
        return next((int(found[name]) for name in protocol.TOKEN_BUDGET_NAMES if found.get(name)), None)

    @cached_property
    def longest(self) -> list[str]:
        """Contexts of the longest problems that the task evaluates on."""
        docs = [dict(doc) for doc in self.task.eval_docs]
        order = sorted(range(len(docs)), key=lambda i: -len(str(docs[i].get("problem", docs[i]))))
        return self._built(samples=sorted(order[:LONGEST]))

    def contexts(self, docs: Sequence[dict[str, Any]]) -> list[str]:
        """What lm-eval would send for these documents, put in the place of the evaluated ones."""
        from datasets import Dataset

        config, dataset = self.task.config, self.task.dataset
        split, process = config.test_split or config.validation_split, config.process_docs
        evaluated = dataset[split]
        dataset[split], config.process_docs = Dataset.from_list(list(docs)), None
        try:
            return self._built()
        finally:
            dataset[split], config.process_docs = evaluated, process

    def ids(self, context: str) -> list[int]:
        """The tokens of a context, as lm-eval's model classes encode it."""
        from lm_eval.models.huggingface import HFLM

        tokenizer = self.subject.tokenizer
        first = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
        model = SimpleNamespace(
            tokenizer=tokenizer,
            prefix_token_id=first,
            add_bos_token=self.settings.model_args.get("add_bos_token"),
        )
        return list(HFLM.tok_encode(model, context))

    def _built(self, samples: list[int] | None = None) -> list[str]:
        """`build_all_requests`, as `simple_evaluate` calls it."""
        task, chat = self.task, self.settings.chat
        task.build_all_requests(
            samples=samples,
            system_instruction=self.settings.system_instruction,
            apply_chat_template=chat,
            fewshot_as_multiturn=chat,
            chat_template=self._template() if chat else None,
        )
        return [str(instance.args[0]) for instance in task.instances]

    def _template(self) -> Any:
        """The chat rendering of lm-eval's model class; vLLM's passes `enable_thinking`, True if not told."""
        from lm_eval.models.huggingface import HFLM

        thinking = self.settings.model_args.get("enable_thinking", True)
        model = SimpleNamespace(
            tokenizer=self.subject.tokenizer, chat_template_args={"enable_thinking": thinking}
        )
        return lambda history, add_generation_prompt=True: HFLM.apply_chat_template(
            model, history, add_generation_prompt
        )
