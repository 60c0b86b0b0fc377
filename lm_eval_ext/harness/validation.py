"""Validate a command line of `lm_eval run` before anything is loaded; each error is one line."""

from __future__ import annotations

import inspect
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from glob import glob
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from lm_eval_ext.errors import similar
from lm_eval_ext.harness import doctor, judging, lm_eval_tasks, protocol, secrecy, shards, sources
from lm_eval_ext.harness.docs import ailuminate, own
from lm_eval_ext.harness.errors import ProtocolError, UserError

if TYPE_CHECKING:
    from lm_eval.config.evaluate_config import EvaluatorConfig

METADATA = ("data", "subset", "repeats", "judge", "safeguard", "chunk_size")
"""What `--metadata` may set for every task of this package, besides `judge_...` and `safeguard_...`."""
_EXTRA_OF = {"vllm": "vllm", "hf": "hf", "local": "api", "openai": "api"}
"""First part of a model class's name -> the extra with the packages that it imports."""
_OWN = (own.dataset, ailuminate.dataset)
"""Data sets that may be a user's file: read before anything is loaded."""
_USUAL = "hf (transformers), vllm, local-completions (a server)"
_CHAT = ("local-chat-completions", "openai-chat-completions")


def check(namespace: Namespace) -> EvaluatorConfig:
    """Checks tasks, model and its arguments, the judge if there is one, and every task's generation settings.

    Returns lm-eval's own reading of the command line.

    Raises:
        ProtocolError: a setting outside the protocol.
        ModelError: a model for vLLM or transformers that is not available.
        UserError: no such task, model class or setting; a judge that is invalid or refuses requests.
    """
    from lm_eval.config.evaluate_config import EvaluatorConfig

    try:
        config = EvaluatorConfig.from_cli(namespace)
    except (ValueError, TypeError, FileNotFoundError) as error:
        raise UserError(f"lm-eval run: {error}") from error
    if not config.tasks:
        raise UserError("lm-eval run: no tasks; name some: --tasks mathnet,math_qwen")
    model, tasks = str(config.model), dict(selected_tasks(config.tasks, config.include_path))
    check_model(model, config.apply_chat_template)
    check_metadata(secrecy.user_settings(namespace).get("metadata") or {}, tasks)
    check_data(config.metadata, tasks)
    lm_eval_tasks.check(tasks)
    protocol.check_model_args(config.model_args, vllm=model.startswith("vllm"))
    if model.startswith(("vllm", "hf")):
        protocol.check_model_exists(config.model_args)
        shards.check_index(Path(str(config.model_args.get("pretrained"))).expanduser())
    window = protocol.context_window(config.model_args)
    if (settings := judging.settings_from(config.metadata)) is not None:
        judging.try_judge(judging.shared_judge(settings))
    for name, task in tasks.items():
        if (kind := _function(task.get("class"))) is not None:
            filters = kind.filters(task, config.metadata)
            kind.check_asked(name, filters, bool(config.apply_chat_template))
        if task.get("output_type", "generate_until") == "generate_until":
            _check_budget(name, task, config, window)
    return config


def _check_budget(name: str, task: Mapping[str, Any], config: EvaluatorConfig, window: int | None) -> None:
    generation = {**(task.get("generation_kwargs") or {}), **(config.gen_kwargs or {})}
    if budget := lm_eval_tasks.default_budget(name, generation):
        generation["max_gen_toks"] = budget
    repeats = int(config.metadata.get("repeats") or task.get("repeats", 1))
    budget = protocol.check_generation(name, generation, repeats)
    if window is not None and budget >= window:
        raise ProtocolError(
            f"{name}: max_gen_toks is {budget} and the model's window is {window}, prompt included; "
            f"use --gen_kwargs max_gen_toks={window // 2} or a larger max_model_len"
        )


def selected_tasks(
    names: str | Iterable[str], include_path: str | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, YAML settings) of each task that the names of tasks, groups and tags stand for.

    A name may be the path of a YAML file. Group members that the index lacks are left to lm-eval, which
    reports them.

    Raises UserError for names that do not exist.
    """
    from lm_eval.tasks import TaskManager

    found, needs_defaults = _own_tasks(names, include_path)
    if needs_defaults:
        found, _ = _expanded(TaskManager(include_path=include_path), _listed(names))
    yield from found.items()


def needs_defaults(names: str | Iterable[str], include_path: str | None) -> bool:
    """Whether the names stand for tasks in lm-eval's own index, which takes 10 s to read."""
    return _own_tasks(names, include_path)[1]


def _own_tasks(
    names: str | Iterable[str], include_path: str | None
) -> tuple[dict[str, dict[str, Any]], bool]:
    """This package's tasks that the names stand for, and whether there may be more in lm-eval's own index."""
    found, unknown = expanded(listed := _listed(names), include_path)
    return found, bool(unknown) or any(set(name) & set("*?[") for name in listed)


def _listed(names: str | Iterable[str]) -> list[str]:
    return names.split(",") if isinstance(names, str) else [n for name in names for n in name.split(",")]


def expanded(listed: Sequence[str], include_path: str | None) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """(this package's tasks that the names stand for, names left to lm-eval's index).

    Raises UserError for names that do not exist.
    """
    from lm_eval.tasks import TaskManager

    ours = TaskManager(include_path=include_path, include_defaults=False)  # lm-eval's own are 14,000 files
    found, unknown = _expanded(ours, listed)
    check_tasks(unknown & {*listed}, ours.task_index)
    return found, unknown


def _expanded(manager: Any, listed: Sequence[str]) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """(name -> YAML settings of the tasks that the names stand for, names that the index lacks)."""
    from lm_eval.tasks._yaml_loader import load_yaml

    files = [name for name in listed if name.endswith(".yaml")]
    found, unknown = _in_files(files), set[str]()
    names = [match for name in listed if name not in files for match in manager.match_tasks([name]) or [name]]
    for name in names:  # which grows by the members of groups and tags
        entry = manager.task_index.get(name)
        if entry is None:
            unknown.add(name)
        elif entry.yaml_path is None:
            names += [task for task in sorted(entry.tags) if task not in names]
        elif "group" in (settings := load_yaml(entry.yaml_path, resolve_func=False)):
            names += [task for task in _members(settings) if task not in names]
        else:
            found[name] = settings
    return found, unknown


def _in_files(patterns: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Name -> YAML settings of the tasks in files."""
    from lm_eval.tasks._yaml_loader import load_yaml

    files = [path for pattern in patterns for path in sorted(glob(pattern))]
    read = [load_yaml(file, resolve_func=False) for file in files]
    return {str(settings.get("task")): settings for settings in read}


def _members(group: Mapping[str, Any]) -> list[str]:
    """The names of a group's tasks and groups."""
    listed = group.get("task") or []
    return [one if isinstance(one, str) else str(one.get("task") or one.get("group")) for one in listed]


def check_model(model: str, apply_chat_template: bool | str) -> None:
    """Raises UserError for an unknown model class, missing packages, or a missing chat template."""
    import lm_eval.models  # noqa: F401  which fills the registry
    from lm_eval.api.registry import model_registry

    known = {*model_registry, *(plugin.name for plugin in entry_points(group="lm_eval.models"))}
    if model not in known:
        raise UserError(f"--model {model}: lm-eval has no such class{similar(model, known)}; usual: {_USUAL}")
    extra = f"extra {_EXTRA_OF.get(model.partition('-')[0])}"
    for lacking in doctor.extras():
        if lacking.name == extra and lacking.state != "ok":
            raise UserError(f"--model {model}: {lacking.found}; {lacking.advice}")
    if model in _CHAT and not apply_chat_template:
        raise protocol.without_chat_template(model)


def check_tasks(unknown: Iterable[str], known: Iterable[str]) -> None:
    """Raises UserError for names that neither the index of this package's tasks nor lm-eval's files have."""
    left = [name for name in unknown if not Path(name).exists()]
    if not left:
        return
    import lm_eval.tasks

    files = sorted(Path(lm_eval.tasks.__file__).parent.rglob("*.yaml"))
    names = {*known, *(file.stem for file in files)}
    texts = [file.read_bytes() for file in files]  # every task, group and tag is named in one
    names |= {name for name in left if set(name) & set("*?[")}
    mistyped = [n for n in left if n not in names and not any(n.encode() in text for text in texts)]
    if mistyped:
        raise UserError(
            f"no task {mistyped[0]!r}{similar(mistyped[0], names)}. `lm_eval ls tasks` lists lm-eval's; ours "
            "are in the folder that `lm-eval-ext tasks-path` prints"
        )


def check_metadata(given: Mapping[str, Any], tasks: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises UserError for a name in `--metadata` that no task reads, if all tasks are this package's."""
    read = [metadata_of(_function(task.get("custom_dataset"))) for task in tasks.values()]
    if not read or any(names is None for names in read):
        return
    known = sorted({name for names in read if names for name in names})
    for name in given:
        if name not in known and not name.startswith(judging.PREFIXES):
            raise UserError(
                f"--metadata has {name!r}, which no task here reads{similar(name, known)}; they read "
                f"{', '.join(known)}"
            )


def check_data(metadata: Mapping[str, Any], tasks: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises DataError for unusable data of the user's, and for a Hub that is needed and unavailable."""
    datasets = [(_function(task.get("custom_dataset")), task) for task in tasks.values()]
    for dataset, task in datasets:
        if dataset in _OWN:
            dataset(**{**metadata, **task.get("dataset_kwargs", {})})
    if any(dataset for dataset, _ in datasets):
        sources.check_place(metadata.get("data"))
    others = [dataset for dataset, _ in datasets if dataset and dataset not in _OWN]
    needed = any("data" in inspect.signature(dataset).parameters for dataset in others)
    if (
        needed
        and sources.source(metadata.get("data")) is None
        and not sources.cached()
        and (why := sources.no_hub())
    ):
        raise sources.unavailable("the problems", why)


def metadata_of(dataset: Any) -> set[str] | None:
    """The names in `--metadata` that a task with this custom_dataset reads; None if unknown."""
    if dataset is None:
        return None
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(dataset).parameters.values()
    return {*METADATA, *(p.name for p in parameters if p.kind in kinds)}


def mistyped_metadata(given: Iterable[str], dataset: Any) -> dict[str, str]:
    """Unknown name -> the similar name that the task reads; model arguments may be among the given."""
    known = metadata_of(dataset) or {*METADATA}
    near = {name: get_close_matches(name, sorted(known), 1, 0.75) for name in given if name not in known}
    return {name: found[0] for name, found in near.items() if found and not name.startswith(judging.PREFIXES)}


def _function(named: Any) -> Any:
    """The function of this package that an unresolved `!function` names; None for any other."""
    text = Path(str(named)).name
    if not text.startswith("lm_eval_ext."):
        return None
    module, _, name = text.rpartition(".")
    return resolve_name(f"{module}:{name}")
