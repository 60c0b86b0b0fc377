"""How a task grades, read from its YAML: for rewards that grade as the evaluation does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lm_eval_ext.errors import UserError, similar
from lm_eval_ext.harness.judging import JUDGE
from lm_eval_ext.harness.protocol import stops_of
from lm_eval_ext.harness.shipped import tasks_path
from lm_eval_ext.harness.validation import selected_tasks


def arguments_of(
    filter_list: Sequence[Mapping[str, Any]] | None, function: str = JUDGE.filter
) -> dict[str, Any]:
    """The arguments of a task's filter, except `workers`: each process has its own. {} without it."""
    steps: dict[str, dict[str, Any]] = {
        entry["name"]: step
        for entry in filter_list or ()
        for step in entry["filter"]
        if step.get("function") == function
    }
    found = steps.get(function) or next(iter(steps.values()), {})
    return {name: value for name, value in found.items() if name not in ("function", "workers")}


def task_settings(name: str, chat: bool) -> dict[str, Any]:
    """The settings of `rewards.adapters.score` that grade as a task, or as all tasks of a group, do.

    Args:
        name: of a task or group of this package.
        chat: whether prompts are rendered by a chat template, whose turns end by themselves.

    Raises UserError for a task that is unknown or has no verifier, for a group whose tasks differ.
    """
    from lm_eval.tasks import TaskManager

    path = str(tasks_path())
    known = TaskManager(include_path=path, include_defaults=False).task_index
    if name not in known:  # lm-eval's own are not looked for: their index takes half a minute
        raise UserError(f"task {name!r} is not in lm-eval-ext{similar(name, known)}")
    found = [_settings(task, config, chat) for task, config in selected_tasks(name, path)]
    if not found or any(each != found[0] for each in found):
        raise UserError(f"task {name}: its tasks are graded in several ways; name one of them")
    return found[0]


def _settings(task: str, config: Mapping[str, Any], chat: bool) -> dict[str, Any]:
    filters, stops = config.get("filter_list"), stops_of(config.get("generation_kwargs") or {}, chat)
    if verify := arguments_of(filters, "verify"):
        return {"verifier": verify.pop("by"), "stops": stops, **verify}
    if JUDGE.filter not in str(filters) and not str(config.get("class")).endswith("MathTask"):
        raise UserError(f"task {task} has no verifier")
    return {"stops": stops, **arguments_of(filters)}
