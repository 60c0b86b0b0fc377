"""The strict launcher: the protocol is checked before the engine starts, then `lm_eval run` does the rest."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lm_eval_ext.harness import judging, protocol
from lm_eval_ext.harness.errors import ProtocolError


def tasks_path() -> Path:
    """The folder to give `--include_path`: packaged when installed, `tasks_yaml/` in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "tasks_yaml"
    return installed if installed.is_dir() else package.parent / "tasks_yaml"


def run(arguments: Sequence[str]) -> None:
    """`lm_eval run` with these arguments; without `--include_path` it finds this package's tasks.

    Raises:
        ProtocolError: before any model is loaded.
    """
    from lm_eval._cli.harness import HarnessCLI

    arguments = with_include_path(arguments)
    sys.argv = ["lm-eval", "run", *arguments]
    cli = HarnessCLI()
    namespace = cli.parse_args()
    check(namespace)
    cli.execute(namespace)


def with_include_path(arguments: Sequence[str]) -> list[str]:
    """The arguments, with this package's tasks where no other folder is named."""
    named = any(a.split("=")[0] == "--include_path" for a in arguments)
    return [*arguments] if named else [*arguments, "--include_path", str(tasks_path())]


def check(namespace: Any) -> None:
    """Checks model arguments, the judge if there is one, and the generation settings of every task asked for.

    Raises:
        ProtocolError: the first setting outside the protocol.
        UserError: a judge that cannot be, or refuses to be asked.
    """
    from lm_eval.config.evaluate_config import EvaluatorConfig

    config = EvaluatorConfig.from_cli(namespace)
    protocol.check_model_args(config.model_args, vllm=str(config.model).startswith("vllm"))
    window = protocol.context_window(config.model_args)
    if (settings := judging.settings_from(config.metadata)) is not None:
        judging.try_judge(judging.shared_judge(settings))
    repeats = config.metadata.get("repeats")
    for name, task in selected_tasks(config.tasks, config.include_path):
        if task.get("output_type", "generate_until") != "generate_until":
            continue
        generation = {**(task.get("generation_kwargs") or {}), **(config.gen_kwargs or {})}
        budget = protocol.check_generation(name, generation, int(repeats or task.get("repeats", 1)))
        if window is not None and budget >= window:
            raise ProtocolError(
                f"{name}: max_gen_toks is {budget} and the model's window is {window}, prompt included; "
                f"use --gen_kwargs max_gen_toks={window // 2} or a larger max_model_len"
            )


def selected_tasks(
    names: str | Iterable[str], include_path: str | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, YAML settings) of each task that the names (of tasks, groups, tags) stand for.

    Names the index does not know are left to lm-eval, which says so.
    """
    from lm_eval.tasks import TaskManager
    from lm_eval.tasks._yaml_loader import load_yaml

    manager = TaskManager(include_path=include_path)
    listed = names.split(",") if isinstance(names, str) else [n for name in names for n in name.split(",")]
    waiting = list(manager.match_tasks([n for n in listed if not n.endswith(".yaml")]))
    done: set[str] = set()
    while waiting:
        name = waiting.pop(0)
        entry = manager.task_index.get(name)
        if entry is None or name in done:
            continue
        done.add(name)
        if entry.yaml_path is None:
            waiting += sorted(entry.tags or ())
            continue
        settings = load_yaml(entry.yaml_path, resolve_func=False)
        if "group" in settings:
            members = settings.get("task") or []
            waiting += [m if isinstance(m, str) else str(m.get("task") or m.get("group")) for m in members]
        else:
            yield name, settings
