"""Which tests need an extra: where it is not installed they are skipped with the reason, never failed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

EXTRAS = {
    "train": ("torch", "transformers", "tokenizers", "trl", "peft", "accelerate", "bitsandbytes"),
    "ifeval": ("langdetect", "immutabledict", "nltk"),
    "judge": ("litellm",),
    "report": ("matplotlib", "latex2mathml"),
    "serve": ("fastapi", "uvicorn", "prometheus_client"),
    "dev": ("hypothesis", "playwright", "psutil", "statsmodels", "uv"),
}
MISSING = {name: extra for extra, names in EXTRAS.items() for name in names if find_spec(name) is None}
NEEDED_BY_WHAT_THEY_START = {
    "grading/judge/": "litellm",
    "harness/test_judging.py": "litellm",
    "test_judge_model.py": "litellm",
    "analysis/test_regrade_judged.py": "litellm",
    "analysis/test_report": "matplotlib latex2mathml",
    "training/": "torch transformers trl peft accelerate",
    "harness/test_validation.py": "torch transformers accelerate",
    "test_benchmarks.py": "psutil",
    "test_locks.py": "uv",
    "test_wheel.py": "uv",
}


def _why(name: str) -> str:
    return f"{name} is not installed: pip install '.[{MISSING[name]}]'"


def missing_for(path: Path) -> str | None:
    """Why a file of tests cannot run here; None where it can."""
    place = path.relative_to(Path(__file__).parent).as_posix()
    tree = ast.parse(path.read_text("utf-8"))
    listed = [needed for start, needed in NEEDED_BY_WHAT_THEY_START.items() if place.startswith(start)]
    names = " ".join(listed).split()
    names += [alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in tree.body if isinstance(node, ast.ImportFrom) and node.module]
    return next((_why(name) for name in MISSING if name in {each.partition(".")[0] for each in names}), None)


def pytest_pycollect_makemodule(module_path: Path, parent: Any) -> pytest.Module | None:
    why = missing_for(module_path)
    if why is None:
        return None

    class Skipped(pytest.Module):
        def collect(self) -> Any:
            pytest.skip(why, allow_module_level=True)

    return Skipped.from_parent(parent, path=module_path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    try:
        return (yield)
    except ModuleNotFoundError as error:
        _skip_for(error)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    try:
        return (yield)
    except ModuleNotFoundError as error:
        _skip_for(error)


def _skip_for(error: ModuleNotFoundError) -> None:
    """An import within a test or a fixture, of what an extra brings."""
    name = str(error.name).partition(".")[0]
    if name not in MISSING:
        raise error
    pytest.skip(_why(name))
