"""The data of a report: every run's parts, what is compared, and what a reader must be warned of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

from tqdm import tqdm

from lm_eval_ext.analysis import pairing
from lm_eval_ext.analysis.compare import RunComparison, compare, corrected
from lm_eval_ext.analysis.lm_eval_files import RunError
from lm_eval_ext.analysis.report import budget
from lm_eval_ext.analysis.report.budget import Point
from lm_eval_ext.analysis.report.entries import ERROR, Entry, entries_of, outcome_counts
from lm_eval_ext.analysis.report.tokens import Tokenizer, tokenizer_of
from lm_eval_ext.analysis.runs import Run, TaskRun
from lm_eval_ext.grading import EXTRACTORS, Grader

FIELDS = ("topic", "level", "subject", "country", "competition")


@dataclass(frozen=True)
class Options:
    """What a report shows.

    Attributes:
        samples: responses of each run on the samples page.
        response_chars: of each of these responses; of longer ones the beginning and, mostly, the end.
        budgets: tokens at which responses are cut; None: see `budget.default_budgets`.
        tokenizer: for runs that name none; it cuts, but does not count what was recorded.
        metric: None: each task's own.
        pair_on: what tells the same problem in two runs, see `pairing.match`.
        fields: of documents, by which scores are broken down where they are present.
        min_group: values with fewer problems are folded into one row.
        workers: processes of the grader; None: one per core.
    """

    samples: int = 200
    response_chars: int = 1500
    budgets: tuple[int, ...] | None = None
    tokenizer: str | None = None
    metric: str | None = None
    pair_on: str = pairing.DOC_HASH
    fields: tuple[str, ...] = FIELDS
    min_group: int = 10
    workers: int | None = None

    def __post_init__(self) -> None:
        for name, least in {"samples": 0, "response_chars": 100, "min_group": 1}.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if self.budgets is not None and (not self.budgets or min(self.budgets) < 1):
            raise ValueError(f"budgets must be positive, got {self.budgets}")


@dataclass(frozen=True)
class Part:
    """A task or group in one run.

    Attributes:
        run: its number in the report; `run_name` is its name.
        unit: the task, or the group's tasks together.
        group: of which group it is a task; None for what stands alone.
        metric: what its score is.
        entries: its responses.
        tokenizer: whose tokens they are counted in; a text says why they are not.
    """

    run: int
    run_name: str
    unit: TaskRun
    group: str | None
    metric: str
    entries: tuple[Entry, ...]
    tokenizer: Tokenizer | str

    @property
    def name(self) -> str:
        return self.unit.name

    @cached_property
    def scores(self) -> list[float]:
        return list(self.unit.scored(self.metric).values())

    @cached_property
    def errors(self) -> int:
        return outcome_counts(self.entries)[ERROR]

    @cached_property
    def graded(self) -> bool:
        """Whether our grader wrote its verdicts, on every response."""
        return all(entry.verdict is not None for entry in self.entries if entry.outcome != ERROR)


@dataclass(frozen=True)
class Report:
    """All that the pages of a report are made from.

    Attributes:
        runs: in the order given.
        parts: units in the order of the first run that has them, each followed by a group's tasks.
        comparisons: every two runs that share problems.
        curves: accuracy against token budget, by (unit, run number).
        warnings: one line each.
        options: what was asked for.
        made: when.
    """

    runs: tuple[Run, ...]
    parts: tuple[Part, ...]
    comparisons: tuple[RunComparison, ...]
    curves: Mapping[tuple[str, int], tuple[Point, ...]]
    warnings: tuple[str, ...]
    options: Options
    made: str = field(default_factory=lambda: datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"))

    @property
    def units(self) -> tuple[Part, ...]:
        """The parts that are no task of a group."""
        return tuple(part for part in self.parts if part.group is None)

    @cached_property
    def unit_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part.name for part in self.units))

    def of(self, unit: str) -> list[Part]:
        """A unit in each run that has it."""
        return [part for part in self.units if part.name == unit]


def build(runs: Sequence[Run], options: Options | None = None, *, progress: bool = False) -> Report:
    """The data of a report on one or several runs.

    Args:
        progress: bars on stderr.

    Raises RunError: no run, or a task without the metric asked for.
    """
    if not runs:
        raise RunError("a report needs at least one run: name a results_*.json or the folder that has it")
    options = options or Options()
    parts = _ordered([part for i, run in enumerate(runs) for part in _parts(i, run, options, progress)])
    comparisons, remarks = _comparisons(runs, options, progress)
    curves = dict(_curves([part for part in parts if part.group is None], runs, options, progress))
    from lm_eval_ext.analysis.report.warnings import warnings  # reads what this module defines

    report = Report(tuple(runs), parts, comparisons, curves, (), options)
    found = (*warnings(report), *remarks)
    return Report(tuple(runs), parts, comparisons, curves, found, options, report.made)


def model_args(run: Run, task: TaskRun) -> dict[str, Any]:
    """The model arguments recorded in a task's results file, as a mapping."""
    results = next((r for r in reversed(run.results) if task.name in r["configs"]), run.results[-1])
    given = (results.get("config") or {}).get("model_args") or {}
    if isinstance(given, str):
        return dict(part.partition("=")[::2] for part in given.split(",") if part)
    return dict(given)


def _parts(number: int, run: Run, options: Options, progress: bool) -> Iterator[Part]:
    entries: dict[str, tuple[Entry, ...]] = {}
    tokenizers: dict[str, Tokenizer | str] = {}
    loaded: dict[str, Tokenizer | str] = {}
    for name, task in tqdm(run.tasks.items(), f"{run.name}: tokens", disable=not progress, unit="task"):
        args = model_args(run, task)
        wanted = str((args.get("tokenizer"), args.get("pretrained")))
        if wanted not in loaded:
            loaded[wanted] = tokenizer_of(args)
        tokenizers[name] = found = loaded[wanted]
        counted = found if isinstance(found, Tokenizer) else None
        entries[name] = entries_of(task, task.metric(options.metric), counted)
    for unit in run.units():
        members = run.groups.get(unit, (unit,))
        together = tuple(entry for member in members for entry in entries[member])
        made = run.unit(unit)
        yield Part(
            number, run.name, made, None, made.metric(options.metric), together, tokenizers[members[0]]
        )
        for name in members if unit in run.groups else ():
            task = run.tasks[name]
            yield Part(
                number, run.name, task, unit, task.metric(options.metric), entries[name], tokenizers[name]
            )


def _ordered(parts: Sequence[Part]) -> tuple[Part, ...]:
    """By unit and task as they first appear, the runs in their order within each."""
    units = list(dict.fromkeys(part.group or part.name for part in parts))
    names = list(dict.fromkeys(part.name for part in parts))

    def place(part: Part) -> tuple[int, bool, int, int]:
        unit = units.index(part.group or part.name)
        return unit, part.group is not None, names.index(part.name), part.run

    return tuple(sorted(parts, key=place))


def _comparisons(
    runs: Sequence[Run], options: Options, progress: bool
) -> tuple[tuple[RunComparison, ...], list[str]]:
    every = [(a, b) for i, a in enumerate(runs) for b in runs[i + 1 :]]
    made, remarks = [], []
    for a, b in tqdm(every, "comparing", disable=not progress or not every, unit="pair"):
        try:
            made.append(compare(a, b, metric=options.metric, pair_on=options.pair_on, force=True))
        except RunError as error:
            remarks.append(f"{a.name} and {b.name} are not compared: {error}")
    return corrected(made), remarks


def _curves(
    parts: Sequence[Part], runs: Sequence[Run], options: Options, progress: bool
) -> Iterator[tuple[tuple[str, int], tuple[Point, ...]]]:
    given = tokenizer_of({"tokenizer": options.tokenizer}) if options.tokenizer else None
    if isinstance(given, str):
        raise RunError(f"--tokenizer {options.tokenizer}: {given}")
    from lm_eval_ext.grading import GraderConfig

    with Grader(GraderConfig(workers=options.workers)) as grader:
        for part in tqdm(parts, "cutting and grading again", disable=not progress, unit="unit"):
            tokenizer = part.tokenizer if isinstance(part.tokenizer, Tokenizer) else given
            limits = [entry.budget for entry in part.entries if entry.budget]
            if tokenizer is None or not part.graded or not (limits or options.budgets):
                continue
            asked = options.budgets or budget.default_budgets(max(limits))
            extractor = EXTRACTORS[_extraction(runs[part.run], part.unit)]
            points = budget.curve(part.entries, sorted(asked), tokenizer, grader, extractor)
            yield (part.name, part.run), points


def _extraction(run: Run, unit: TaskRun) -> str:
    """How the run's filter finds answers: the `extract` of `grade_math` in its configuration."""
    names = {sample.task for sample in unit.samples} or {unit.name}
    for results in reversed(run.results):
        for name in sorted(names & set(results["configs"])):
            for chain in results["configs"][name].get("filter_list") or []:
                for step in chain.get("filter", []) if chain.get("name") == unit.filter else []:
                    wanted = step.get("extract") or (step.get("kwargs") or {}).get("extract")
                    if wanted in EXTRACTORS:
                        return str(wanted)
    return "statement"
