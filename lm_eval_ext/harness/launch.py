"""The strict launcher: the protocol is checked before the engine starts, then `lm_eval run` does the rest."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lm_eval_ext.harness import engines, judging, preconditions, protocol, secrecy
from lm_eval_ext.harness.errors import ProtocolError, UserError
from lm_eval_ext.redaction import redacted_settings

if TYPE_CHECKING:
    from lm_eval.config.evaluate_config import EvaluatorConfig


def tasks_path() -> Path:
    """The folder to give `--include_path`."""
    return shipped("tasks_yaml")


def shipped(name: str) -> Path:
    """A folder that comes with the package: in it when installed, at the top of a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / name
    return installed if installed.is_dir() else package.parent / name


def run(arguments: Sequence[str], resume: Path | None = None, chunk_size: int | None = None) -> None:
    """`lm_eval run` with these arguments; without `--include_path` it finds this package's tasks.

    Args:
        resume: the folder whose store is asked first, see `lm_eval_ext.harness.store`; None: no store.
        chunk_size: requests generated together, with `resume`; None: `store.resume.CHUNK_SIZE`.

    Raises:
        ProtocolError: before any model is loaded.
    """
    engines.settle_on_cpu()
    from lm_eval._cli.harness import HarnessCLI

    import lm_eval_ext.harness.filters  # noqa: F401  for YAMLs that name grade_math and no class

    if resume is None and chunk_size is not None:
        raise ProtocolError(f"--chunk-size {chunk_size} without --resume DIR: only a store has chunks")
    arguments = with_include_path(arguments)
    sys.argv = ["lm-eval", "run", *arguments]
    cli = HarnessCLI()
    try:
        namespace = cli.parse_args()
    except ValueError as error:
        raise UserError(redacted_settings(f"lm-eval run: {error}")) from None
    settings = secrecy.settings_of(namespace)
    output = resume or settings.get("output_path")
    try:
        with secrecy.kept_secret(settings, Path(output) if output else None):
            _execute(cli, namespace, resume, chunk_size)
    finally:
        engines.end_at_exit()  # lm-eval's own tasks do not


def _execute(cli: Any, namespace: Any, resume: Path | None, chunk_size: int | None) -> None:
    if resume is None:
        check(namespace)
        cli.execute(namespace)
        return
    from lm_eval_ext.harness.store import resume as resuming

    resuming.prepare(namespace, resume, resuming.CHUNK_SIZE if chunk_size is None else chunk_size)
    resuming.run(namespace, check(namespace), resume, cli.execute)


def with_include_path(arguments: Sequence[str]) -> list[str]:
    """The arguments, with this package's tasks where no other folder is named."""
    named = any(a.split("=")[0] == "--include_path" for a in arguments)
    return [*arguments] if named else [*arguments, "--include_path", str(tasks_path())]


def check(namespace: Any) -> EvaluatorConfig:
    """Checks tasks, model and its arguments, the judge if there is one, and every task's generation settings.

    Returns lm-eval's own reading of the command line.

    Raises:
        ProtocolError: the first setting outside the protocol.
        ModelError: a model for vLLM or transformers that cannot be had.
        UserError: no such task, model class or setting; a judge that cannot be, or refuses to be asked.
    """
    from lm_eval.config.evaluate_config import EvaluatorConfig

    try:
        config = EvaluatorConfig.from_cli(namespace)
    except (ValueError, TypeError, FileNotFoundError) as error:
        raise UserError(f"lm-eval run: {error}") from error
    if not config.tasks:
        raise UserError("lm-eval run: no tasks; name some: --tasks mathnet,math_qwen")
    tasks = dict(selected_tasks(config.tasks, config.include_path))
    preconditions.check_model(str(config.model), config.apply_chat_template)
    preconditions.check_metadata(secrecy.settings_of(namespace).get("metadata") or {}, tasks)
    preconditions.check_data(config.metadata.get("data"), tasks)
    protocol.check_model_args(config.model_args, vllm=str(config.model).startswith("vllm"))
    if str(config.model).startswith(("vllm", "hf")):
        protocol.check_at_hand(config.model_args)
    window = protocol.context_window(config.model_args)
    if (settings := judging.settings_from(config.metadata)) is not None:
        judging.try_judge(judging.shared_judge(settings))
    repeats = config.metadata.get("repeats")
    for name, task in tasks.items():
        if task.get("output_type", "generate_until") != "generate_until":
            continue
        generation = {**(task.get("generation_kwargs") or {}), **(config.gen_kwargs or {})}
        budget = protocol.check_generation(name, generation, int(repeats or task.get("repeats", 1)))
        if window is not None and budget >= window:
            raise ProtocolError(
                f"{name}: max_gen_toks is {budget} and the model's window is {window}, prompt included; "
                f"use --gen_kwargs max_gen_toks={window // 2} or a larger max_model_len"
            )
    return config


def selected_tasks(
    names: str | Iterable[str], include_path: str | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, YAML settings) of each task that the names (of tasks, groups, tags) stand for.

    Members of groups that the index does not know are left to lm-eval, which says so.

    Raises UserError for names that there are nowhere.
    """
    from lm_eval.tasks import TaskManager

    listed = names.split(",") if isinstance(names, str) else [n for name in names for n in name.split(",")]
    listed = [name for name in listed if not name.endswith(".yaml")]
    ours = TaskManager(include_path=include_path, include_defaults=False)  # lm-eval's own are 14,000 files
    found, unknown = _expanded(ours, listed)
    preconditions.check_tasks(unknown & {*listed}, ours.task_index)
    if unknown or any(set(name) & set("*?[") for name in listed):
        found, _ = _expanded(TaskManager(include_path=include_path), listed)
    yield from found.items()


def _expanded(manager: Any, listed: Sequence[str]) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """(name -> YAML settings of the tasks that the names stand for, names that the index does not have)."""
    from lm_eval.tasks._yaml_loader import load_yaml

    matched = {name: manager.match_tasks([name]) for name in listed}
    unknown = {name for name, matches in matched.items() if not matches}
    waiting = [match for matches in matched.values() for match in matches]
    found: dict[str, dict[str, Any]] = {}
    done: set[str] = set()
    while waiting:
        name = waiting.pop(0)
        entry = manager.task_index.get(name)
        if entry is None:
            unknown.add(name)
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
            found[name] = settings
    return found, unknown
