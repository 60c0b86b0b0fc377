"""What the launcher adds to lm-eval's own tasks: token budgets, advice, checks before a model is loaded."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lm_eval_ext.harness import doctor, protocol, sources
from lm_eval_ext.harness.errors import UserError

log = logging.getLogger(f"lm_eval.{__name__}")

BUDGETS = {
    "gsm8k_cot": 1024,
    "mbpp": 1024,
    "minerva_math": 2048,
    "hendrycks_math": 2048,
    "ifeval": 4096,
    "aime": 16384,
}
"""Start of a task's name -> max_gen_toks, where neither its YAML nor --gen_kwargs sets one."""
ADVICE = {
    "hendrycks_math": "hendrycks_math understates base models (17.7% where Qwen's paper has 43.5%): it "
    "compares strings and shows no worked examples; use math_qwen or minerva_math"
}
"""Start of a task's name -> what to know before using it."""
EXTRAS = ("ifeval",)
"""Starts of tasks' names that are also the extras with the packages that they import."""
_FILE_BUILDERS = ("json", "csv", "parquet", "text", "arrow", "pandas", "xml", "webdataset", "sql")


def default_budget(name: str, generation: Mapping[str, Any]) -> int | None:
    """The token budget for a task of lm-eval that sets none; None if it sets one or the table has none."""
    if any(generation.get(budget) for budget in protocol.TOKEN_BUDGET_NAMES):
        return None
    return next((budget for start, budget in BUDGETS.items() if name.startswith(start)), None)


def check(tasks: Mapping[str, Mapping[str, Any]]) -> None:
    """Warns about unsuitable tasks.

    Raises:
        UserError: packages are missing that a task imports.
        DataError: a task needs the Hub, and neither it nor a cache is available.
    """
    for advice in {text for start, text in ADVICE.items() if any(name.startswith(start) for name in tasks)}:
        log.warning(advice)
    for name, task in tasks.items():
        _check_packages(name)
        _check_hub(name, task)


def _check_packages(name: str) -> None:
    for extra in filter(name.startswith, EXTRAS):
        missing = [module for module in doctor.EXTRAS[extra][0] if find_spec(module) is None]
        if missing:
            raise UserError(f"{name} needs {', '.join(missing)}: pip install 'lm-eval-ext[{extra}]'")


def _check_hub(name: str, task: Mapping[str, Any]) -> None:
    dataset = task.get("dataset_path")
    if not isinstance(dataset, str) or task.get("custom_dataset") or dataset in _FILE_BUILDERS:
        return
    if not Path(dataset).exists() and not sources.cached(dataset) and (why := sources.no_hub()):
        raise UserError(
            f"{name} reads {dataset} from the Hub: {why}, and the cache does not have it; fill the cache "
            "where the Hub can be reached (HF_HOME), or evaluate a task of this package with LM_EVAL_EXT_DATA"
        )
