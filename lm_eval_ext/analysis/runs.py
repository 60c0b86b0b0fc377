"""Runs as lm-eval logs them, read back: `results_*.json` and the `samples_*.jsonl` beside it.

Both of this package's tasks and lm-eval's own are read. A run is named by its results file or by a folder;
in a folder the newest results of each task count, and a folder with the runs of several models is none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import protocols
from lm_eval_ext.analysis.samples import Key, RunError, Sample, read_samples, samples_of
from lm_eval_ext.redaction import redacted_results

FILTERS = ("grade_math", "flexible-extract", "none")
"""Where a task has several filters, the first of these that it has counts."""
METRICS = ("accuracy", "exact_match", "math_verify", "acc", "pass@1")
"""Where nothing else is asked for, the first of these that a task has is its score."""


@dataclass(frozen=True)
class TaskRun:
    """One task (or a group of tasks, its samples together) as a run has it.

    Attributes:
        name: of the task or group.
        filter: whose rows these are, of the filters that the task has (`filters`).
        samples: in the order of the documents.
        protocol: settings that another run must share to be compared, see `protocols.settings`.
        versions: of the packages that decide a score.
        reported: the task's entry under `results`.
        results_file, samples_files: where it was read.
    """

    name: str
    filter: str
    filters: tuple[str, ...]
    samples: tuple[Sample, ...]
    protocol: protocols.Settings
    versions: Mapping[str, str]
    reported: Mapping[str, Any]
    results_file: Path
    samples_files: tuple[Path, ...]

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics that at least one sample has, in the order they are logged."""
        return tuple(dict.fromkeys(name for sample in self.samples for name in sample.scores))

    def metric(self, wanted: str | None = None) -> str:
        """The metric asked for, else the task's own. Raises RunError where it has none such."""
        choice = (wanted,) if wanted else (*METRICS, *self.metrics[:1])
        found = next((name for name in choice if name in self.metrics), None)
        if found is None:
            raise RunError(
                f"{self.name} in {self.results_file} has no metric {wanted or 'at all'}; "
                f"it has {', '.join(self.metrics) or 'none'}"
            )
        return found

    def scored(self, metric: str | None = None) -> dict[Key, float]:
        """The score of each sample that has one: refusals and errors have none."""
        name = self.metric(metric)
        return {s.key: s.scores[name] for s in self.samples if s.error is None and name in s.scores}


@dataclass(frozen=True)
class Run:
    """An evaluation of one model.

    Attributes:
        name: short, for tables: the last part of the model's name.
        model: as lm-eval recorded it.
        place: the file or folder it was read from.
        tasks: by name.
        groups: a group's name and the tasks in it.
        results: the results files' contents, oldest first.
    """

    name: str
    model: str
    place: Path
    tasks: Mapping[str, TaskRun]
    groups: Mapping[str, tuple[str, ...]]
    results: tuple[Mapping[str, Any], ...]

    def unit(self, name: str) -> TaskRun:
        """A task, or a group as one: its tasks' samples together. Raises RunError on another name."""
        if name in self.tasks:
            return self.tasks[name]
        if name not in self.groups:
            raise RunError(
                f"{self.place} has no task {name}; it has {', '.join([*self.groups, *self.tasks])}"
            )
        return _together(name, [self.tasks[member] for member in self.groups[name]], self.results)

    def units(self) -> list[str]:
        """What a table shows: groups, and the tasks outside of any."""
        grouped = {task for members in self.groups.values() for task in members}
        return [*self.groups, *(name for name in self.tasks if name not in grouped)]


def load(place: Path, *, filter: str | None = None, name: str | None = None) -> Run:
    """The run in a results file, or in a folder (its newest results of each task).

    Args:
        place: `results_*.json`, or a folder that has some, at any depth.
        filter: rows of which filter count, for tasks with several; None: see FILTERS.
        name: for tables; None: the last part of the model's name.

    Raises RunError: nothing there, several models in one folder, samples missing or broken.
    """
    read = one_model(place)
    models = [model_of(read[0][1])]
    tasks: dict[str, TaskRun] = {}
    groups: dict[str, tuple[str, ...]] = {}
    for file, results in read:
        tasks |= {task: _task(task, file, results, filter) for task in logged_tasks(results)}
        groups |= {
            g: tuple(members) for g, members in (results.get("group_subtasks") or {}).items() if members
        }
    groups = {g: found for g in groups if (found := leaves(g, groups, tasks))}
    short = Path(models[0]).name or models[0]
    return Run(name or short, models[0], place, tasks, groups, tuple(results for _, results in read))


def one_model(place: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The results files of a run and what is in them, oldest first.

    Raises RunError: nothing there, a broken file, several models.
    """
    files = [place] if place.is_file() else results_files(place)
    read = [(file, read_results(file)) for file in files]
    models = list(dict.fromkeys(model_of(results) for _, results in read))
    if len(models) > 1:
        folders = sorted({str(file.parent) for file in files})
        raise RunError(
            f"{place} has runs of {len(models)} models ({', '.join(models)}); "
            f"name one of {', '.join(folders)}"
        )
    return read


def labelled(place: Path | str) -> tuple[str | None, Path]:
    """The name and the path of `name=path`, or None and the path."""
    given, equals, path = str(place).partition("=")
    return (given, Path(path)) if equals and not Path(place).exists() else (None, Path(place))


def refiltered(task: TaskRun, filter: str) -> TaskRun:
    """A single task with the rows of another of its filters. Raises RunError where it has no such filter."""
    if filter == task.filter:
        return task
    if filter not in task.filters or len(task.samples_files) != 1:
        raise RunError(f"{task.name} has no filter {filter} of its own; it has {', '.join(task.filters)}")
    rows = [row for row in read_samples(task.samples_files[0]) if row.get("filter", "none") == filter]
    return replace(task, filter=filter, samples=samples_of(task.name, rows))


def named(places: Sequence[Path | str], *, filter: str | None = None) -> list[Run]:
    """Several runs, under names that differ: those of the models, else with the folder's name, else numbered.

    A place may be given as `name=path`.
    """
    runs = [load(path, filter=filter, name=name) for name, path in map(labelled, places)]
    labels: tuple[Callable[[int, Run], str], ...] = (
        lambda _, run: run.name,
        lambda _, run: f"{run.name} ({run.place.name})",
        lambda i, run: f"{run.name} #{i + 1}",
    )
    for label in labels:
        names = [label(i, run) for i, run in enumerate(runs)]
        if len(set(names)) == len(names):
            break
    return [Run(n, r.model, r.place, r.tasks, r.groups, r.results) for n, r in zip(names, runs, strict=True)]


def results_files(folder: Path) -> list[Path]:
    """The results files in a folder, at any depth, oldest first. Raises RunError if there are none."""
    if not folder.exists():
        raise RunError(f"no such file or folder: {folder}; name a results_*.json or the folder that has it")
    files = sorted(folder.rglob("results_*.json"), key=lambda file: (_stamp(file), file))
    if not files:
        raise RunError(f"no results_*.json in {folder}: run lm_eval with --output_path and --log_samples")
    return files


def _stamp(results_file: Path) -> str:
    """The date in the names of a results file and its samples files."""
    return results_file.stem.removeprefix("results_")


def read_results(file: Path) -> dict[str, Any]:
    """A results file's content. Raises RunError if it is none."""
    try:
        read = json.loads(file.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{file} cannot be read as JSON: {error}; name a results_*.json of lm-eval") from error
    if not isinstance(read, dict) or not {"results", "configs"} <= set(read):
        raise RunError(f"{file} is no results file of lm-eval: it has no 'results' and 'configs'")
    parts = (
        (read["results"], read["configs"], *read["results"].values(), *read["configs"].values())
        if all(isinstance(read[name], dict) for name in ("results", "configs"))
        else (None,)
    )
    more = ("config", "group_subtasks", "versions")
    if not all(isinstance(part, dict) for part in (*parts, *(read.get(name) or {} for name in more))):
        raise RunError(
            f"{file} is no results file of lm-eval: its {', '.join(more)} and tasks are no objects"
        )
    if not logged_tasks(read):
        raise RunError(f"{file} has the results of no task: run lm_eval with --tasks, and let it finish")
    return redacted_results(read)


def model_of(results: Mapping[str, Any]) -> str:
    """The model of a results file; of an adapter the adapter."""
    arguments = (results.get("config") or {}).get("model_args") or {}
    adapter = (
        arguments.get("peft") or arguments.get("lora_local_path") if isinstance(arguments, dict) else None
    )
    return str(
        adapter or results.get("model_name") or (results.get("config") or {}).get("model") or "unknown"
    )


def logged_tasks(results: Mapping[str, Any]) -> list[str]:
    """The tasks that a results file has scores of."""
    return [task for task in results["configs"] if task in results["results"]]


def leaves(group: str, groups: Mapping[str, Sequence[str]], tasks: Collection[str]) -> tuple[str, ...]:
    """The tasks of a group, those of groups in it included."""
    found: list[str] = []
    for member in groups[group]:
        found += leaves(member, groups, tasks) if member in groups else [member] if member in tasks else []
    return tuple(dict.fromkeys(found))


def samples_file(file: Path, task: str) -> Path:
    """Where the samples of a task are, beside the results file. Raises RunError if they are not there."""
    samples = file.with_name(f"samples_{task}_{_stamp(file)}.jsonl")
    if not samples.is_file():
        raise RunError(f"{samples} is missing beside {file.name}: run lm_eval with --log_samples")
    return samples


def _task(task: str, file: Path, results: Mapping[str, Any], wanted: str | None) -> TaskRun:
    rows = read_samples(file_of_samples := samples_file(file, task))
    filters = tuple(dict.fromkeys(row.get("filter", "none") for row in rows))
    if wanted and wanted not in filters:
        raise RunError(f"{task} in {file} has no filter {wanted}; it has {', '.join(filters)}")
    choice = wanted or next((name for name in FILTERS if name in filters), filters[0] if filters else "none")
    return TaskRun(
        name=task,
        filter=choice,
        filters=filters,
        samples=samples_of(task, [row for row in rows if row.get("filter", "none") == choice]),
        protocol=protocols.settings(results, task),
        versions=protocols.versions(results, task),
        reported=results["results"][task],
        results_file=file,
        samples_files=(file_of_samples,),
    )


def _together(name: str, parts: Sequence[TaskRun], results: Sequence[Mapping[str, Any]]) -> TaskRun:
    first = parts[0]
    shared = {k: v for k, v in first.protocol.items() if all(part.protocol.get(k) == v for part in parts)}
    reported: Mapping[str, Any] = next(
        (r["results"][name] for r in reversed(results) if name in r["results"]), {}
    )
    return TaskRun(
        name=name,
        filter=first.filter,
        filters=first.filters,
        samples=tuple(sample for part in parts for sample in part.samples),
        protocol=shared,
        versions=first.versions,
        reported=reported,
        results_file=first.results_file,
        samples_files=tuple(file for part in parts for file in part.samples_files),
    )
