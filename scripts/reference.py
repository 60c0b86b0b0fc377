"""Writes the pages of the site's reference that come from the code.

python scripts/reference.py docs/reference
"""

from __future__ import annotations

import html
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main
from lm_eval.tasks._yaml_loader import load_yaml
from typer.cli import get_docs_for_click

from lm_eval_ext.cli import app
from lm_eval_ext.harness import metrics
from lm_eval_ext.harness.grading_settings import arguments_of
from lm_eval_ext.harness.shipped import tasks_path

MODULES = [
    "lm_eval_ext.grading", "lm_eval_ext.grading.judge", "lm_eval_ext.rewards", "lm_eval_ext.rewards.adapters",
    "lm_eval_ext.analysis.naming", "lm_eval_ext.analysis.runs", "lm_eval_ext.analysis.compare",
    "lm_eval_ext.analysis.breakdown",
    "lm_eval_ext.analysis.stats", "lm_eval_ext.analysis.regrade", "lm_eval_ext.analysis.report",
    "lm_eval_ext.batch.record",
]  # fmt: skip


def command_line() -> str:
    """Every command with its options, from the program itself."""
    command = typer.main.get_command(app)
    context = command.context_class(command, info_name="lm-eval-ext")
    text = html.unescape(get_docs_for_click(obj=command, ctx=context, name="lm-eval-ext"))
    return text.replace("# `lm-eval-ext`", "# Command line", 1)


def python_api() -> str:
    """Modules that users import, from their docstrings."""
    made = [f"## {name}\n\n```{{eval-rst}}\n.. automodule:: {name}\n   :members:\n```" for name in MODULES]
    return "\n\n".join(["# Python API", *made, ""])


def tasks() -> str:
    """A table of every task, and one of the groups, from the YAMLs; then the metrics."""
    read = {path: load_yaml(path, resolve_func=False) for path in sorted(tasks_path().rglob("*.yaml"))}
    made = ["# Tasks and metrics", "", "| task | file | shots | max_gen_toks | extract | tag |"]
    made += ["|---|---|---|---|---|---|"]
    made += [_row(path, config) for path, config in read.items() if "group" not in config]
    made += ["", "## Groups", "", "| group | tasks |", "|---|---|"]
    made += [f"| `{c['group']}` | {', '.join(_names(c['task']))} |" for c in read.values() if "group" in c]
    described = inspect.cleandoc(metrics.__doc__ or "")
    return "\n".join([*made, "", "## Metrics", "", "```text", described, "```", ""])


def _row(path: Path, config: dict[str, Any]) -> str:
    generation = config.get("generation_kwargs") or {}
    extract = arguments_of(config.get("filter_list")).get("extract", "statement")
    tags = config.get("tag") or []
    cells = [
        f"`{config['task']}`", str(path.relative_to(tasks_path())), config.get("num_fewshot", 0),
        generation.get("max_gen_toks", ""), extract, ", ".join([tags] if isinstance(tags, str) else tags),
    ]  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def _names(listed: list[Any]) -> Iterator[str]:
    for entry in listed:
        yield f"`{entry if isinstance(entry, str) else entry.get('task') or entry.get('group')}`"


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in (("command_line", command_line), ("python_api", python_api), ("tasks", tasks)):
        (folder / f"{name}.md").write_text(page(), "utf-8")
