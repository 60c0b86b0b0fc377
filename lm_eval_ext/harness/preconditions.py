"""What a command line asks for, checked before anything is loaded: each refusal one line, with what to do."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from lm_eval_ext.harness import checks, protocol, sources
from lm_eval_ext.harness.errors import UserError

OF_EVERY_TASK = ("data", "repeats", "judge", "chunk_size")
"""What `--metadata` may set for every task of this package, beside `judge_...`."""
_EXTRA_OF = {"vllm": "vllm", "hf": "hf", "local": "api", "openai": "api"}
"""How the name of a model class begins, and the extra that brings what it imports."""
_CHAT = ("local-chat-completions", "openai-chat-completions")


def check_model(model: str, apply_chat_template: Any) -> None:
    """Raises UserError for a class lm-eval does not have, without its packages, or without chat template."""
    import lm_eval.models  # noqa: F401  which fills the registry
    from lm_eval.api.registry import model_registry

    known = {*model_registry, *(plugin.name for plugin in entry_points(group="lm_eval.models"))}
    if model not in known:
        raise UserError(f"--model {model}: lm-eval has no such class{meant(model, known)}")
    extra = _EXTRA_OF.get(model.partition("-")[0])
    lacking = [c for c in checks.extras() if c.name == f"extra {extra}" and c.state != "ok"]
    if lacking:
        raise UserError(f"--model {model}: {lacking[0].found}; {lacking[0].advice}")
    if model in _CHAT and not apply_chat_template:
        raise protocol.without_chat_template(model)


def check_tasks(unknown: Iterable[str], known: Iterable[str]) -> None:
    """Raises UserError for names that neither the index of this package's tasks nor lm-eval's files have.

    Args:
        unknown: names that are not in the index.
        known: names that are.
    """
    left = [name for name in unknown if not Path(name).exists()]
    if not left:
        return
    import lm_eval.tasks

    files = sorted(Path(lm_eval.tasks.__file__).parent.rglob("*.yaml"))
    names = {*known, *(file.stem for file in files)}
    if mistyped := [name for name in left if name not in names and not _mentioned(name, files)]:
        raise UserError(
            f"no task {mistyped[0]!r}{meant(mistyped[0], names)}. `lm_eval ls tasks` lists lm-eval's; ours "
            "are in the folder that `lm-eval-ext tasks-path` prints"
        )


def check_metadata(given: Mapping[str, Any], tasks: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises UserError for a name in `--metadata` that no task reads, where all are this package's."""
    read = [readable(_function(task.get("custom_dataset"))) for task in tasks.values()]
    if not read or any(names is None for names in read):
        return
    known = sorted({name for names in read if names for name in names})
    for name in given:
        if name not in known and not name.startswith("judge_"):
            raise UserError(
                f"--metadata has {name!r}, which no task here reads{meant(name, known)}; they read "
                f"{', '.join(known)}"
            )


def check_data(data: str | None, tasks: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises DataError where tasks of this package need the Hub, and neither it nor a cache is at hand."""
    datasets = [_function(task.get("custom_dataset")) for task in tasks.values()]
    needed = any("data" in inspect.signature(dataset).parameters for dataset in datasets if dataset)
    if needed and sources.source(data) is None and not sources.cached() and (why := sources.no_hub()):
        raise sources.not_at_hand("the problems", why)


def readable(dataset: Any) -> set[str] | None:
    """The names in `--metadata` that a task with this custom_dataset reads; None where that is not known."""
    if dataset is None:
        return None
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(dataset).parameters.values()
    return {*OF_EVERY_TASK, *(p.name for p in parameters if p.kind in kinds)}


def mistaken(given: Iterable[str], dataset: Any) -> dict[str, str]:
    """Names that look like one of those the task reads, and that one; model arguments may be among them."""
    known = readable(dataset) or {*OF_EVERY_TASK}
    near = {name: get_close_matches(name, sorted(known), 1, 0.75) for name in given if name not in known}
    return {name: found[0] for name, found in near.items() if found and not name.startswith("judge_")}


def meant(name: str, known: Iterable[str]) -> str:
    """The known names that look like it, as the end of a sentence; nothing where there are none."""
    near = get_close_matches(name, sorted(known), 3, 0.7)
    return f"; close to it: {', '.join(near)}" if near else ""


def _function(named: Any) -> Any:
    """The function of this package that an unresolved `!function` names; None for any other."""
    text = Path(str(named)).name
    if not text.startswith("lm_eval_ext."):
        return None
    module, _, name = text.rpartition(".")
    return resolve_name(f"{module}:{name}")


def _mentioned(name: str, files: Sequence[Path]) -> bool:
    """Whether a file of lm-eval's tasks has the name: all its tasks, groups and tags are named in one."""
    text = name.encode()
    return bool(set(name) & set("*?[")) or any(text in file.read_bytes() for file in files)
