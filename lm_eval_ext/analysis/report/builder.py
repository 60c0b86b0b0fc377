"""Build a report's data from runs: parts, comparisons, curves and warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from tqdm import tqdm

from lm_eval_ext.analysis import protocols
from lm_eval_ext.analysis.adapters import extractors
from lm_eval_ext.analysis.cells import Matrix, of_runs
from lm_eval_ext.analysis.compare import RunComparison, compare, corrected
from lm_eval_ext.analysis.entries import entries_of
from lm_eval_ext.analysis.lm_eval_files import RunError
from lm_eval_ext.analysis.report import budget
from lm_eval_ext.analysis.report.budget import Point
from lm_eval_ext.analysis.report.model import MANY, Options, Part, Report
from lm_eval_ext.analysis.report.tokens import Tokenizer, tokenizer_of
from lm_eval_ext.analysis.report.warnings import warnings
from lm_eval_ext.analysis.runs import Run, TaskRun
from lm_eval_ext.grading import EXTRACTORS, Grader, GraderConfig


def build(
    runs: Sequence[Run],
    options: Options | None = None,
    *,
    matrix: Matrix | None = None,
    progress: bool = False,
) -> Report:
    """Builds the data of a report on one or more runs.

    Args:
        matrix: the cells that the runs are made of; None: each run is one.
        progress: show progress bars on stderr.

    Raises RunError if there is no run, or a task lacks the requested metric.
    """
    if not runs:
        raise RunError("a report needs at least one run: give a results_*.json or its folder")
    options = options or Options()
    matrix = matrix or Matrix(tuple(of_runs(runs)), options.metric)
    parts = _ordered([part for i, run in enumerate(runs) for part in _parts(i, run, options, progress)])
    comparisons, remarks = _comparisons(runs, matrix, options, progress)
    curves = dict(_curves([part for part in parts if part.group is None], runs, options, progress))
    report = Report(tuple(runs), matrix, parts, comparisons, curves, (), options)
    return replace(report, warnings=(*warnings(report), *remarks))


def _parts(number: int, run: Run, options: Options, progress: bool) -> Iterator[Part]:
    parts: dict[str, Part] = {}
    loaded: dict[str, Tokenizer | str] = {}
    for name, task in tqdm(run.tasks.items(), f"{run.name}: tokens", disable=not progress, unit="task"):
        args = protocols.model_args(results_of(run, name))
        wanted = str((args.get("tokenizer"), args.get("pretrained")))
        if wanted not in loaded:
            loaded[wanted] = tokenizer_of(args)
        tokenizer, metric = loaded[wanted], task.metric(options.metric)
        entries = entries_of(task, metric, tokenizer if isinstance(tokenizer, Tokenizer) else None)
        parts[name] = Part(number, run.name, task, None, metric, entries, tokenizer)
    for unit in run.units():
        members = [parts[name] for name in run.groups.get(unit, (unit,))]
        if unit in run.groups:
            whole, together = run.unit(unit), tuple(entry for part in members for entry in part.entries)
            metric = whole.metric(options.metric)
            yield replace(members[0], unit=whole, metric=metric, entries=together)
            members = [replace(part, group=unit) for part in members]
        yield from members


def results_of(run: Run, task: str) -> Mapping[str, Any]:
    """The newest results file with a task, else the newest."""
    return next((results for results in reversed(run.results) if task in results["configs"]), run.results[-1])


def _ordered(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Sorts by unit and task in order of appearance, then by run."""
    units = list(dict.fromkeys(part.group or part.name for part in parts))
    names = list(dict.fromkeys(part.name for part in parts))

    def place(part: Part) -> tuple[int, bool, int, int]:
        unit = units.index(part.group or part.name)
        return unit, part.group is not None, names.index(part.name), part.run

    return tuple(sorted(parts, key=place))


def _comparisons(
    runs: Sequence[Run], matrix: Matrix, options: Options, progress: bool
) -> tuple[tuple[RunComparison, ...], list[str]]:
    places = {run.name: key for key, run in matrix.runs.items()} if matrix.planned else {}
    every, remarks = _pairs(runs, places)
    made = []
    for a, b in tqdm(every, "comparing", disable=not progress or not every, unit="pair"):
        try:
            found = compare(a, b, metric=options.metric, pair_on=options.pair_on, force=True)
        except RunError as error:
            remarks.append(f"{a.name} and {b.name} are not compared: {error}")
            continue
        planned = _place(a, places)[1] != _place(b, places)[1]
        made.append(_as_planned(found) if planned else found)
    return corrected(made), remarks


def _place(run: Run, places: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    """The model and the setting of a run."""
    return places.get(run.name, (run.name, ""))


def _pairs(
    runs: Sequence[Run], places: Mapping[str, tuple[str, str]]
) -> tuple[list[tuple[Run, Run]], list[str]]:
    """The pairs of one model, or of one setting; of many runs only those with the first of the setting."""
    of = {run.name: _place(run, places) for run in runs}
    alike = [
        (a, b)
        for a, b in combinations(runs, 2)
        if of[a.name][0] == of[b.name][0] or of[a.name][1] == of[b.name][1]
    ]
    if len(runs) <= MANY:
        return alike, []
    first = {setting: name for name, (_, setting) in reversed(of.items())}
    same = [(a, b) for a, b in alike if of[a.name][0] == of[b.name][0] or first[of[a.name][1]] == a.name]
    return same, [
        f"{len(runs)} runs: models are compared with the first of their setting only; "
        "lm-eval-ext compare takes any others"
    ]


def _as_planned(found: RunComparison) -> RunComparison:
    """With the settings that differ as the experiment: a plan says so."""
    units = [replace(u, experiment=(*u.experiment, *u.settings), settings=()) for u in found.units]
    return replace(found, units=tuple(units))


def _curves(
    parts: Sequence[Part], runs: Sequence[Run], options: Options, progress: bool
) -> Iterator[tuple[tuple[str, int], tuple[Point, ...]]]:
    if len(runs) > MANY and options.budgets is None:
        return
    given = tokenizer_of({"tokenizer": options.tokenizer}) if options.tokenizer else None
    if isinstance(given, str):
        raise RunError(f"--tokenizer {options.tokenizer}: {given}")
    with Grader(GraderConfig(workers=options.workers)) as grader:
        for part in tqdm(parts, "grading at smaller budgets", disable=not progress, unit="unit"):
            tokenizer = part.tokenizer if isinstance(part.tokenizer, Tokenizer) else given
            limits = [entry.budget for entry in part.entries if entry.budget]
            if tokenizer is None or not (part.asked and part.graded) or not (limits or options.budgets):
                continue
            asked = options.budgets or budget.default_budgets(max(limits))
            extractor = EXTRACTORS[_extraction(runs[part.run], part.unit)]
            points = budget.curve(part.asked, sorted(asked), tokenizer, grader, extractor)
            yield (part.name, part.run), points


def _extraction(run: Run, unit: TaskRun) -> str:
    """The extractor of the run, as its tasks configure the filter."""
    task = min(sample.task for sample in unit.samples)
    found = extractors(task, results_of(run, task)["configs"].get(task, {}))
    return found.get(unit.filter, "statement")
