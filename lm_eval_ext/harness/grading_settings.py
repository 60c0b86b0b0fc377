"""How a task grades, read from its YAML: for rewards that grade as the evaluation does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lm_eval_ext.errors import UserError
from lm_eval_ext.harness.judging import JUDGE
from lm_eval_ext.harness.launch import tasks_path
from lm_eval_ext.harness.protocol import stops_of
from lm_eval_ext.harness.validation import selected_tasks, similar


def arguments_of(filter_list: Sequence[Mapping[str, Any]] | None) -> dict[str, Any]:
    """The arguments of a task's filter `grade_math`, except `workers`: each process has its own."""
    steps: dict[str, dict[str, Any]] = {
        entry["name"]: step
        for entry in filter_list or ()
        for step in entry["filter"]
        if step.get("function") == JUDGE.filter
    }
    found = steps.get(JUDGE.filter) or next(iter(steps.values()), {})
    return {name: value for name, value in found.items() if name not in ("function", "workers")}


def math_settings(name: str, chat: bool) -> dict[str, Any]:
    """The settings of an `AccuracyReward` that grades as a task, or as all tasks of a group, do.

    Args:
        name: of a task or group of this package.
        chat: whether prompts are rendered by a chat template, whose turns end by themselves.

    Raises UserError for a task that is unknown or not graded as mathematics, for a group whose tasks differ.
    """
    from lm_eval.tasks import TaskManager

    path = str(tasks_path())
    known = TaskManager(include_path=path, include_defaults=False).task_index
    if name not in known:  # lm-eval's own are not looked for: their index takes half a minute
        raise UserError(f"task {name!r} is not in lm-eval-ext{similar(name, known)}")
    found: list[dict[str, Any]] = []
    for task, settings in selected_tasks(name, path):
        if "grade_math" not in str(settings.get("filter_list")) and "MathTask" not in str(
            settings.get("class")
        ):
            raise UserError(f"task {task} is not graded as mathematics")
        stops = stops_of(settings.get("generation_kwargs") or {}, chat)
        found += [{"stops": stops, **arguments_of(settings.get("filter_list"))}]
    if not found or any(each != found[0] for each in found):
        raise UserError(f"task {name}: its tasks are graded in several ways; name one of them")
    return found[0]
