"""The tasks that lm-eval loads under the launcher: default budgets, and documents that can be graded."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partialmethod
from typing import Any

from lm_eval.tasks import TaskManager

from lm_eval_ext.harness import filters, lm_eval_tasks
from lm_eval_ext.harness.task import MathTask

log = logging.getLogger(f"lm_eval.{__name__}")


@contextmanager
def prepared(gen_kwargs: Mapping[str, Any] | None, include_defaults: bool = True) -> Iterator[None]:
    """Gives the tasks that lm-eval loads their default budgets, and checks their documents.

    lm-eval has one set of --gen_kwargs for all tasks of a run. Without `include_defaults` it does not read
    the 14,000 files of its own tasks, which takes it 10 s.
    """
    load, init = TaskManager.load, TaskManager.__init__

    def load_prepared(manager: Any, task_list: Any) -> Any:
        loaded = load(manager, task_list)
        for name, task in loaded["tasks"].items():
            _set_budget(name, task, gen_kwargs or {})
            _check_documents(name, task)
        return loaded

    TaskManager.load = load_prepared
    TaskManager.__init__ = partialmethod(init, include_defaults=include_defaults)
    try:
        yield
    finally:
        TaskManager.load, TaskManager.__init__ = load, init


def _set_budget(name: str, task: Any, gen_kwargs: Mapping[str, Any]) -> None:
    own = getattr(task.config, "generation_kwargs", None) or {}
    if budget := lm_eval_tasks.default_budget(name, {**own, **gen_kwargs}):
        log.info("%s: max_gen_toks=%d by default; --gen_kwargs max_gen_toks=N sets another", name, budget)
        task.set_config("generation_kwargs", {"max_gen_toks": budget}, update=True)


def _check_documents(name: str, task: Any) -> None:
    """Raises UserError for a task that ends in `grade_math`, has no class of ours, and no field `gold`."""
    steps = [entry["filter"][-1] for entry in getattr(task.config, "filter_list", None) or []]
    graded = any(step.get("function") == filters.FILTER for step in steps)
    features = getattr(task, "features", ["gold"])
    if graded and not isinstance(task, MathTask) and "gold" not in features:
        raise filters.without_gold(name, features)
