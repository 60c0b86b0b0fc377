"""Prompts as lm-eval renders them for a task: training uses those of the evaluation, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any

from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.harness.filters import VERIFY
from lm_eval_ext.harness.grading_settings import arguments_of
from lm_eval_ext.harness.judging import shared_judge
from lm_eval_ext.harness.protocol import stops_of
from lm_eval_ext.harness.shipped import tasks_path
from lm_eval_ext.harness.task import ProtocolTask

Doc = Mapping[str, Any]


def load_task(task: str, data: str | None = None, **metadata: Any) -> Any:
    """A new instance of a task of this package, or else of lm-eval. Raises UserError if there is none.

    Args:
        task: its name.
        data: where problems come from, see `lm_eval_ext.harness.sources`.
        metadata: further settings, as in lm-eval's `--metadata`.
    """
    for defaults in (False, True):  # lm-eval's own tasks are thousands of files: seconds to list
        manager = _manager(defaults, **({"data": data} if data else {}), **metadata)
        if task in manager.all_subtasks:
            return manager.load([task])["tasks"][task]
    raise UserError(f"no task {task!r} in lm-eval and this package; name a single task, not a group")


@cache
def _manager(include_defaults: bool, **metadata: Any) -> Any:
    from lm_eval.tasks import TaskManager

    return TaskManager(include_path=str(tasks_path()), include_defaults=include_defaults, metadata=metadata)


class TaskPrompts:
    """One task of lm-eval under fixed prompt settings.

    Args:
        task: its name, "arith_words".
        num_fewshot: exemplars before the problem; None: the task's number.
        tokenizer: whose chat template is applied; None: plain text.
        system_instruction: of the chat.
        chat_template_kwargs: `{"enable_thinking": False}`.
        data: as in `load_task`, which raises UserError.
    """

    def __init__(
        self,
        task: str,
        *,
        num_fewshot: int | None = None,
        tokenizer: Any = None,
        system_instruction: str | None = None,
        chat_template_kwargs: Mapping[str, Any] | None = None,
        data: str | None = None,
    ) -> None:
        self.task = load_task(task, data)
        self.task.set_fewshot_seed(42)
        self.name = task
        self.num_fewshot = self.task.config.num_fewshot or 0 if num_fewshot is None else num_fewshot
        self.tokenizer = tokenizer
        self.system_instruction = system_instruction
        self.chat_template_kwargs = dict(chat_template_kwargs or {})

    def prompt(self, doc: Doc, num_fewshot: int | None = None) -> str:
        """The context that lm-eval sends for this document, with another number of exemplars if given."""
        return str(
            self.task.fewshot_context(
                dict(doc),
                num_fewshot=self.num_fewshot if num_fewshot is None else num_fewshot,
                system_instruction=self.system_instruction,
                apply_chat_template=self.tokenizer is not None,
                fewshot_as_multiturn=True,
                chat_template=self._rendered if self.tokenizer is not None else None,
            )
        )

    def target(self, doc: Doc) -> str:
        """The response that an exemplar shows: the worked solution, after a plain prompt with delimiter."""
        shown = self.task.doc_to_target(dict(doc), self.task.fewshot_cfg.doc_to_target)
        if str(shown) == str(doc.get("gold")) and doc.get("solution"):
            shown = doc["solution"]  # exemplars show the bare answer, which teaches no reasoning
        return self.completion(str(shown))

    def completion(self, text: str) -> str:
        """The text as it follows the prompt: the task's delimiter comes before it, except in a chat."""
        return text if self.tokenizer is not None else f"{self.task.fewshot_cfg.target_delimiter}{text}"

    @property
    def stops(self) -> list[str]:
        """The strings at which the evaluation ends a response."""
        chat = self.tokenizer is not None and isinstance(self.task, ProtocolTask)  # lm-eval's own drop none
        return stops_of(self.task.config.generation_kwargs, chat)

    @property
    def grading(self) -> dict[str, Any]:
        """The arguments of the task's filter `grade_math`, except `workers`: each process has its own."""
        return arguments_of(self.task.config.filter_list)

    @property
    def verifier(self) -> str:
        """The name of the verifier that grades as the evaluation does."""
        return str(self._verified.get("by", "math"))

    @property
    def _verified(self) -> dict[str, Any]:
        """The arguments of the task's filter `verify`; {} if the task has none."""
        return arguments_of(self.task.config.filter_list, VERIFY)

    @property
    def reward_settings(self) -> dict[str, Any]:
        """The settings of the verifier with which it grades as the evaluation does."""
        if self._verified:
            return {name: value for name, value in self._verified.items() if name != "by"}
        settings = {"stops": self.stops, **self.grading}
        if settings.get("judge") is not None:
            settings["judge"] = shared_judge(settings["judge"])
        return settings

    @cached_property
    def exemplars(self) -> list[dict[str, Any]]:
        """The documents that prompts may show; never trained on."""
        split = self.task.config.fewshot_split
        return [dict(doc) for doc in self.task.dataset[split]] if split in self.task.dataset else []

    @cached_property
    def evaluated(self) -> list[dict[str, Any]]:
        """The documents that the task evaluates on."""
        return [dict(doc) for doc in self.task.eval_docs]

    def _rendered(self, messages: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """Renders a chat as lm-eval's vLLM and hf backends do."""
        text = self.tokenizer.apply_chat_template(
            messages,
            tokenize=False,
            add_generation_prompt=add_generation_prompt,
            continue_final_message=not add_generation_prompt,
            **self.chat_template_kwargs,
        )
        return str(text)
