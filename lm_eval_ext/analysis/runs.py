"""Runs that lm-eval logged, read back: this package's tasks and lm-eval's own.

A run is named by its results file or by a folder, in which the newest results of each task count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lm_eval_ext.analysis import lm_eval_files, outcomes, protocols
from lm_eval_ext.analysis.lm_eval_files import REFUSED, LoggedRow, RunError, is_score
from lm_eval_ext.grading import Verdict

FILTERS = ("grade_math", "safeguard", "flexible-extract", "none")
"""Of a task's filters the first of these counts."""
METRICS = (
    "accuracy",
    "safety_rate",
    "exact_match",
    "math_verify",
    "acc",
    "pass@1",
    "prompt_level_strict_acc",
)
"""The first of these that a task has is its score, unless another is asked for."""
PROBLEM_FIELDS = ("problem", "question", "problem_markdown")
LoggedResults = tuple[Path, Mapping[str, Any]]
"""A results file and its content."""
SampleKey = tuple[str, str, int]
"""Pairs samples of two runs: (task, doc_hash, number of equal documents before it)."""


@dataclass(frozen=True)
class Sample:
    """One document of a task, the responses to it, and their scores."""

    key: SampleKey
    doc: Mapping[str, Any]
    gold: str
    responses: tuple[str, ...]  # one per repeat
    verdicts: tuple[Verdict, ...]  # on each response; empty where another grader wrote the samples
    scores: Mapping[str, float]  # the metrics that have a value for this document
    error: str | None  # why there is no response; such a sample is not scored
    row: LoggedRow  # the line as logged

    @property
    def task(self) -> str:
        return self.key[0]

    @property
    def doc_hash(self) -> str:
        return self.key[1]

    @property
    def request(self) -> tuple[str, Mapping[str, Any]]:
        """What the model was asked (a text, or the JSON of a conversation), and the generation settings."""
        arguments = self.row.get("arguments")
        first = arguments.get("gen_args_0") if isinstance(arguments, Mapping) else None
        asked = first if isinstance(first, Mapping) else {}
        settings = asked.get("arg_1")
        return str(asked.get("arg_0", "")), settings if isinstance(settings, Mapping) else {}

    @property
    def prompt(self) -> str:
        return self.request[0]

    @property
    def name(self) -> str:
        """What a reader calls the document: its id, else the start of its hash."""
        return str(self.doc.get("id", self.doc_hash[:8]))

    @property
    def problem(self) -> str:
        """The document's own field, else the end of what the model was asked."""
        found = problem_in(self.doc)
        return self.prompt[-2000:] if found is None else found

    @property
    def answers(self) -> list[str | None]:
        """The answer in each response: from the verdicts, else what the task's own filter extracted."""
        if self.verdicts:
            return [verdict.answer for verdict in self.verdicts]
        return [str(text) for text in self.row.get("filtered_resps") or []]


@dataclass(frozen=True)
class TaskRun:
    """One task of a run, or a group with its tasks' samples together."""

    name: str
    filter: str  # whose rows these are
    filters: tuple[str, ...]
    samples: tuple[Sample, ...]  # in the order of the documents
    protocol: protocols.ProtocolSettings  # settings that another run must share to be compared
    versions: Mapping[str, str]  # of the packages that decide a score
    reported: Mapping[str, Any]  # the task's entry under `results`
    results_file: Path
    samples_files: tuple[Path, ...]

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that at least one sample has, in the order they are logged."""
        return tuple(dict.fromkeys(name for sample in self.samples for name in sample.scores))

    def metric(self, wanted: str | None = None) -> str:
        """The metric asked for, else the task's own. Raises RunError if the task lacks it."""
        choice = (wanted,) if wanted else (*METRICS, *self.metrics[:1])
        found = next((name for name in choice if name in self.metrics), None)
        if found is None:
            raise RunError(
                f"{self.name} in {self.results_file} has no metric {wanted or 'at all'}; "
                f"it has {', '.join(self.metrics) or 'none'}"
            )
        return found

    def scored(self, metric: str | None = None) -> dict[SampleKey, float]:
        """The score of each sample that has one: refusals and errors have none."""
        name = self.metric(metric)
        return {s.key: s.scores[name] for s in self.samples if s.error is None and name in s.scores}

    def with_filter(self, filter: str) -> TaskRun:
        """The same task with the rows of another of its filters. Raises RunError if it lacks the filter."""
        if filter == self.filter:
            return self
        if filter not in self.filters or len(self.samples_files) != 1:
            raise RunError(f"{self.name} has no filter {filter} of its own; it has {', '.join(self.filters)}")
        rows = lm_eval_files.read_samples(self.samples_files[0])
        return replace(self, filter=filter, samples=_samples(self.name, rows, filter))


@dataclass(frozen=True)
class Run:
    """An evaluation of one model."""

    name: str  # for tables: the last part of the model's name, unless another is given
    model: str  # as lm-eval recorded it
    place: Path  # the file or folder it was read from
    tasks: Mapping[str, TaskRun]
    groups: Mapping[str, tuple[str, ...]]  # each group's tasks; groups without scores are left out
    results: tuple[Mapping[str, Any], ...]  # contents of the results files, oldest first

    @property
    def repeated(self) -> list[str]:
        """The tasks with several results; the newest count."""
        times = Counter(task for one in self.results for task in lm_eval_files.logged_tasks(one))
        return [task for task, number in times.items() if number > 1]

    def unit(self, name: str) -> TaskRun:
        """A task, or a group as one task. Raises RunError on another name."""
        if name in self.tasks:
            return self.tasks[name]
        if name not in self.groups:
            raise RunError(
                f"{self.place} has no task {name}; it has {', '.join([*self.groups, *self.tasks])}"
            )
        return self._merged(name, [self.tasks[member] for member in self.groups[name]])

    def units(self) -> list[str]:
        """What a table shows: the groups, and the tasks in none of them."""
        grouped = {task for members in self.groups.values() for task in members}
        return [*self.groups, *(name for name in self.tasks if name not in grouped)]

    def _merged(self, group: str, parts: Sequence[TaskRun]) -> TaskRun:
        protocol = parts[0].protocol.items()
        return replace(
            parts[0],
            name=group,
            samples=tuple(sample for part in parts for sample in part.samples),
            protocol={k: v for k, v in protocol if all(part.protocol.get(k) == v for part in parts)},
            reported=next((r["results"][group] for r in reversed(self.results) if group in r["results"]), {}),
            samples_files=tuple(file for part in parts for file in part.samples_files),
        )


def load(place: Path, *, filter: str | None = None, name: str | None = None) -> Run:
    """The run in a results file, or in a folder at any depth; `filter` as in `TaskRun`, None: see FILTERS.

    Raises RunError: nothing there, several models in one folder, samples missing or broken.
    """
    return _run(lm_eval_files.read_one_model(place), place, filter, name)


def load_all(place: Path, *, filter: str | None = None, name: str | None = None) -> list[Run]:
    """The runs in a results file or folder: one per model, or per folder if a model has a task in several."""
    by_model: dict[str, list[LoggedResults]] = {}
    for file in lm_eval_files.results_files(place):
        results = lm_eval_files.read_results(file)
        by_model.setdefault(lm_eval_files.model_of(results), []).append((file, results))
    apart = [part for read in by_model.values() for part in _apart(read)]
    if len(apart) == 1:
        return [_run(apart[0], place, filter, name)]
    runs = [_run(read, read[-1][0].parent, filter, None) for read in apart]
    return [replace(run, name=f"{name} {run.name}") for run in runs] if name else runs


def _apart(read: Sequence[LoggedResults]) -> list[list[LoggedResults]]:
    """Results of one model as one run, or as one per folder if a task is in several."""
    folders: dict[Path, list[LoggedResults]] = {}
    for file, results in read:
        folders.setdefault(file.parent, []).append((file, results))
    tasks = [{t for _, one in part for t in lm_eval_files.logged_tasks(one)} for part in folders.values()]
    return [list(read)] if len(set().union(*tasks)) == sum(map(len, tasks)) else list(folders.values())


def _run(read: Sequence[LoggedResults], place: Path, filter: str | None, name: str | None) -> Run:
    model = lm_eval_files.model_of(read[0][1])
    tasks: dict[str, TaskRun] = {}
    members: dict[str, tuple[str, ...]] = {}
    scored: set[str] = set()
    for file, results in read:
        logged = tqdm(lm_eval_files.logged_tasks(results), f"reading {place}", unit="task", delay=5)
        tasks |= {task: _task(task, file, results, filter) for task in logged}
        members |= (in_file := lm_eval_files.groups_of(results))
        scored |= {group for group in in_file if lm_eval_files.is_scored(group, results)}
    groups = {g: found for g in members if g in scored and (found := lm_eval_files.leaves(g, members, tasks))}
    name = name or lm_eval_files.short_name(model)
    return Run(name, model, place, tasks, groups, tuple(results for _, results in read))


def reported(results: Mapping[str, Any], unit: str) -> tuple[str, str | None, dict[str, float]]:
    """Of a task or group in a results file: the first of FILTERS that it has, its score's metric, all values.

    The metric is None without any.
    """
    given = {k: v for k, v in results["results"].get(unit, {}).items() if "," in k and is_score(v)}
    filters = [name.partition(",")[2] for name in given]
    chosen = next((name for name in (*FILTERS, *filters) if name in filters), "none")
    values = {k.partition(",")[0]: float(v) for k, v in given.items() if k.partition(",")[2] == chosen}
    metrics = [name for name in values if not name.endswith("_stderr")]
    return chosen, next((name for name in (*METRICS, *metrics) if name in metrics), None), values


def problem_in(doc: Mapping[str, Any]) -> str | None:
    """The problem in a document."""
    return next((doc[name] for name in PROBLEM_FIELDS if isinstance(doc.get(name), str)), None)


def _task(task: str, file: Path, results: Mapping[str, Any], wanted: str | None) -> TaskRun:
    rows = lm_eval_files.read_samples(source := lm_eval_files.samples_file(file, task))
    filters = tuple(dict.fromkeys(row.get("filter", "none") for row in rows))
    if wanted and wanted not in filters:
        raise RunError(f"{task} in {file} has no filter {wanted}; it has {', '.join(filters)}")
    choice = wanted or next((name for name in (*FILTERS, *filters) if name in filters), "none")
    return TaskRun(
        name=task,
        filter=choice,
        filters=filters,
        samples=_samples(task, rows, choice),
        protocol=protocols.settings(results, task),
        versions=protocols.versions(results, task),
        reported=results["results"][task],
        results_file=file,
        samples_files=(source,),
    )


def _samples(task: str, rows: Iterable[LoggedRow], filter: str) -> tuple[Sample, ...]:
    seen: Counter[str] = Counter()
    found = []
    for row in rows:
        if row.get("filter", "none") == filter:
            found.append(sample_of((task, row["doc_hash"], seen[row["doc_hash"]]), row))
            seen[row["doc_hash"]] += 1
    return tuple(found)


def sample_of(key: SampleKey, row: LoggedRow) -> Sample:
    """The sample in a logged line."""
    logged = row["resps"][0] if row["resps"] else []
    responses = logged if isinstance(logged, list) else [logged]
    return Sample(
        key=key,
        doc=row["doc"],
        gold=str(row["target"]),
        responses=tuple(str(response or "") for response in responses),
        verdicts=outcomes.logged_verdicts(row),
        scores={k: float(row[k]) for k in row.get("metrics", []) if is_score(row.get(k))},
        error=row.get(REFUSED),
        row=row,
    )
