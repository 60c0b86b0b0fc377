"""The plan of a batch: models x evaluations, as YAML.

models:
  - Qwen/Qwen3-1.7B-Base                                # a folder, a Hub name, or a pattern of checkpoints
  - {name: sft, path: runs/sft/checkpoint-*, labels: {trained_with: sft}}
tasks:
  - math500
  - {name: mathnet-chat, tasks: mathnet, apply_chat_template: true, gen_kwargs: {max_gen_toks: 4096}}
defaults: {model_args: {dtype: bfloat16, max_model_len: 8192}}
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import yaml
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from lm_eval_ext.errors import UserError
from lm_eval_ext.redaction import redacted

Labels = dict[str, str | int | float | bool]
Entry = TypeVar("Entry", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class ModelSettings(_Strict):
    """How a model is loaded.

    Attributes:
        model: lm-eval's model class: vllm, hf, local-completions, ...
        model_args: its arguments, without `pretrained`; vLLM's `seed` is 42 unless given.
        adapter: what to do with a LoRA adapter: merge it first, or let the engine apply it (lora).
        batch_size: lm-eval's.
    """

    model: str = "vllm"
    model_args: dict[str, Any] = {}
    adapter: Literal["merge", "lora"] = "merge"
    batch_size: int | str = "auto"


class ModelEntry(ModelSettings):
    """One model, or the checkpoints that a pattern matches.

    Attributes:
        path: folder, pattern of folders, name on the Hub, `s3://`, `gs://`, `hf://`, or a server's model.
        name: for tables; default: from the path.
        labels: facts to group by, such as trained_with: sft.
    """

    path: str
    name: str | None = None
    labels: Labels = {}


class EvaluationSettings(_Strict):
    """Settings of `lm-eval-ext run`; None: the task's own.

    Attributes:
        chat_template_args: variables of the chat template, such as enable_thinking.
        repeats: responses per problem; needs sampling in gen_kwargs.
        limit: number of problems, or a share below 1.
        arguments: further options of `lm-eval-ext run`, as on the command line.
    """

    num_fewshot: int | None = None
    apply_chat_template: bool | str = False
    chat_template_args: dict[str, Any] = {}
    system_instruction: str | None = None
    fewshot_as_multiturn: bool | None = None
    gen_kwargs: dict[str, Any] = {}
    limit: int | float | None = None
    repeats: int | None = None
    metadata: dict[str, Any] = {}
    seed: int = 42
    chunk_size: int | None = None
    arguments: list[str] = []


class EvaluationEntry(EvaluationSettings):
    """Tasks that are evaluated together under the same settings; one job per model.

    Attributes:
        tasks: names of tasks or groups, or files of tasks.
        name: for tables; default: the tasks' names.
        labels: facts to group by, such as evaluated_with: chat.
    """

    tasks: list[str] = Field(min_length=1)
    name: str = ""
    labels: Labels = {}

    @field_validator("tasks", mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        return [name.strip() for name in given.split(",")] if isinstance(given, str) else given

    def model_post_init(self, _: Any) -> None:
        if not self.name:
            object.__setattr__(
                self, "name", "+".join(Path(task).name.removesuffix(".yaml") for task in self.tasks)
            )


class Defaults(ModelSettings, EvaluationSettings):
    """Settings of every model and evaluation that does not set them itself; mappings are merged."""


class Select(_Strict):
    """How the best checkpoint is chosen.

    Attributes:
        task: an evaluation's or a task's name; use a validation task, not the one that is reported.
        metric: default: the task's score.
        ties: the task that decides between equal scores; after it the earlier step.
    """

    task: str
    metric: str | None = None
    ties: str | None = None


class Plan(_Strict):
    """A batch: every model with every evaluation.

    Attributes:
        output: remote folder (`s3://...`) to which each finished cell is copied.
        PARTS: what the values of its keys consist of.
    """

    PARTS: ClassVar[dict[str, type[BaseModel]]] = {
        "models": ModelEntry,
        "tasks": EvaluationEntry,
        "evaluations": EvaluationEntry,
        "defaults": Defaults,
        "select": Select,
    }

    models: list[ModelEntry] = []
    evaluations: list[EvaluationEntry] = Field(
        validation_alias=AliasChoices("tasks", "evaluations"), min_length=1
    )
    defaults: Defaults = Defaults()
    select: Select | None = None
    output: str | None = None

    @field_validator("models", "evaluations", mode="before")
    @classmethod
    def _written_out(cls, given: Any, info: ValidationInfo) -> Any:
        key = "path" if info.field_name == "models" else "tasks"
        return [{key: e} if isinstance(e, str) else e for e in given] if isinstance(given, list) else given

    def model_post_init(self, _: Any) -> None:
        for name in ("models", "evaluations"):
            object.__setattr__(self, name, [self.with_defaults(entry) for entry in getattr(self, name)])

    def with_defaults(self, entry: Entry) -> Entry:
        """The entry with the defaults for what it does not set."""
        given = {n: getattr(self.defaults, n) for n in self.defaults.model_fields_set if hasattr(entry, n)}
        own = {name: getattr(entry, name) for name in entry.model_fields_set}
        merged = {n: {**v, **own.get(n, {})} for n, v in given.items() if isinstance(v, dict)}
        return entry.model_copy(update={**given, **own, **merged})


Kind = TypeVar("Kind", bound=Plan)


def read(file: Path, watched: bool = False) -> Plan:
    """The plan in a YAML file; `watched`: it needs no models. Raises UserError with the first fault."""
    plan = read_as(Plan, file)
    if not plan.models and not watched:
        raise UserError(f"{file} has no models: add some, or --watch 'runs/*/checkpoint-*'")
    return plan


def read_as(kind: type[Kind], file: Path) -> Kind:
    """`read`, for a plan of another kind, which may have no models."""
    try:
        content = yaml.safe_load(file.read_text("utf-8"))
    except yaml.YAMLError as error:
        raise UserError(f"{file} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UserError(f"{file} holds a {type(content).__name__}; a plan has {', '.join(_names(kind))}")
    try:
        plan = kind.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{file}: {_fault(error, kind)}") from None
    _check(plan, file)
    return plan


def _fault(error: ValidationError, kind: type[Plan]) -> str:
    faults = error.errors()
    fault = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
    place = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        part = kind.PARTS[str(fault["loc"][0])] if len(fault["loc"]) > 1 else kind
        return f"unknown key {place}; known here: {', '.join(_names(part))}"
    return f"{place}: {fault['msg']}, received {str(fault['input'])[:80]!r}"


def _names(part: type[BaseModel]) -> list[str]:
    return ["tasks" if name == "evaluations" else name for name in part.model_fields]


def _check(plan: Plan, file: Path) -> None:
    if plan.select:
        known = [name for entry in plan.evaluations for name in (entry.name, *entry.tasks)]
        for name in (plan.select.task, plan.select.ties or plan.select.task):
            if name not in known:
                raise UserError(f"{file}: select: no evaluation or task {name}; it has {', '.join(known)}")
    content = plan.model_dump()
    if redacted(content) != content:
        raise UserError(
            f"{file} has a secret in its settings, and they are copied into the output: give keys as "
            "environment variables (OPENAI_API_KEY)"
        )
    names = [evaluation.name for evaluation in plan.evaluations]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"{file}: two evaluations are called {twice[0]}; give each a name of its own")
