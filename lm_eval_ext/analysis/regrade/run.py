"""A logged run graded again, without its model: new verdicts, what they change, and a run of its own.

Samples of this package's tasks are graded in place, filter by filter. To those of lm-eval's tasks rows of the
filter `grade_math` are added; their own rows and metrics stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import adapters, lm_eval_files, naming, runs
from lm_eval_ext.analysis.aggregation import aggregated
from lm_eval_ext.analysis.lm_eval_files import REFUSED, LoggedRow, RunError, RunWriter, is_score
from lm_eval_ext.analysis.regrade import metadata
from lm_eval_ext.analysis.regrade.diff import RegradeDiff, VerdictChange, merged
from lm_eval_ext.grading import Grader
from lm_eval_ext.grading.golds import shown
from lm_eval_ext.harness.filters import grade_docs
from lm_eval_ext.harness.metrics import RETIRED, Graded, process_results

BYPASS = "bypass"
"""What `--predict_only` logs in place of every metric."""
UNSCORED = "not scored"
RowsByDoc = Sequence[Sequence[LoggedRow]]
"""The rows of each document, one per filter."""


@dataclass(frozen=True)
class RegradeOptions:
    """What the user overrides; None: as the task says."""

    gold_field: str | None = None  # field of the documents with the gold
    extract: str | None = None  # extractor of all responses
    against: str | None = None  # the old metric whose changes are shown


@dataclass(frozen=True)
class RegradedRun:
    """A run graded again."""

    name: str
    model: str
    diffs: tuple[RegradeDiff, ...]  # of each task; several for a task with several filters or metrics
    groups: tuple[RegradeDiff, ...]
    skipped: tuple[str, ...]  # tasks without texts or golds, kept as they are
    files: tuple[Path, ...]  # results files written, oldest first

    @property
    def changes(self) -> list[VerdictChange]:
        return [change for diff in self.diffs for change in diff.changes]


def regrade(
    place: Path,
    grader: Grader,
    *,
    out: Path | None = None,
    options: RegradeOptions | None = None,
    name: str | None = None,
) -> RegradedRun:
    """Grades the samples of a run again.

    Args:
        place: a results file, or a folder with the runs of one model: the newest of each task.
        out: folder for the new run, `out/<model>/results_<date>.json` and samples; None: nothing is written.
        name: of the run, in tables and as its folder; None: the model's.

    Raises RunError: no such run, broken samples, no gold, or `out` would touch what is read.
    """
    options = options or RegradeOptions()
    read = lm_eval_files.read_one_model(place)
    model = lm_eval_files.model_of(read[0][1])
    folder = None if out is None else out / (name or lm_eval_files.folder_of(model))
    if folder is not None:
        _keep_apart(folder, read)
    current = metadata.newest(read)
    skipped = tuple(task for _, results, tasks in current for task in metadata.without_golds(results, tasks))
    if len(skipped) == sum(len(tasks) for *_, tasks in current):
        raise RunError(
            f"{place}: no task in it generates text and has golds ({', '.join(skipped) or 'no tasks'})"
        )
    diffs, groups, files = list[RegradeDiff](), list[RegradeDiff](), list[Path]()
    for file, results, tasks in current:
        writer = None if folder is None else RunWriter(folder)
        found = _regrade_tasks(file, results, tasks, writer, grader, options)
        diffs += found
        groups += _regrade_groups(results, found)
        files += [writer.results(results)] if writer is not None else []
    _require_metric(options.against, diffs, place)
    short = name or Path(model).name or model
    return RegradedRun(short, model, tuple(diffs), tuple(groups), skipped, tuple(files))


def _require_metric(wanted: str | None, diffs: Sequence[RegradeDiff], place: Path) -> None:
    if wanted is not None and not any(diff.is_against(wanted) for diff in diffs):
        there = dict.fromkeys(diff.against for diff in diffs)
        raise RunError(f"{place} has no metric {wanted}; it has {'; '.join(there)}")


def _regrade_tasks(
    file: Path,
    results: dict[str, Any],
    tasks: Sequence[str],
    writer: RunWriter | None,
    grader: Grader,
    options: RegradeOptions,
) -> list[RegradeDiff]:
    """Grades the tasks of a results file and writes their samples; `results` gets scores and record."""
    record = metadata.GradingRecord(file, grader.config.judge)
    left_as_is = metadata.without_golds(results, tasks)
    diffs: list[RegradeDiff] = []
    for task in tasks:
        rows = lm_eval_files.read_samples(samples_file := lm_eval_files.samples_file(file, task))
        if task not in left_as_is:
            _check_responses(rows, samples_file)
            rows, changed = grade_task(task, rows, results, grader, options, record)
            diffs += changed
        if writer is not None:
            writer.samples(task, rows)
    return diffs


def regrade_all(
    places: Sequence[Path | str],
    grader: Grader,
    *,
    out: Path | None = None,
    options: RegradeOptions | None = None,
) -> list[RegradedRun]:
    """Several runs; with `out` the changes in all of them go to `out/flips.jsonl`.

    A place may be given as `name=path`; that names its folder in `out`. Runs of one model need such names,
    for a folder has the runs of one. Raises RunError.
    """
    labelled = [naming.labelled(place) for place in places]
    models = [lm_eval_files.model_of(lm_eval_files.read_one_model(path)[0][1]) for _, path in labelled]
    folders = [name or model for (name, _), model in zip(labelled, models, strict=True)]
    twice = next((name for name in folders if folders.count(name) > 1), None)
    if twice is not None and out is not None:
        raise RunError(f"{twice} would be written twice into {out}; name the runs: before=PATH after=PATH")
    found = [regrade(path, grader, out=out, options=options, name=name) for name, path in labelled]
    if out is not None and found:
        changes = ({"run": run.name, **change.as_dict()} for run in found for change in run.changes)
        lm_eval_files.write_rows(out / "flips.jsonl", changes)
    return found


def grade_task(
    task: str,
    rows: Sequence[LoggedRow],
    results: dict[str, Any],
    grader: Grader,
    options: RegradeOptions,
    record: metadata.GradingRecord,
    progress: str | None = None,
) -> tuple[list[LoggedRow], list[RegradeDiff]]:
    """The rows of a task with new verdicts, and what changed; `results` gets its scores and the record.

    Args:
        rows: as logged, in the order of the documents.
        progress: label of the progress bar; None: the task.
    """
    extractors = adapters.extractors(task, results["configs"][task], options.extract)
    by_doc = lm_eval_files.rows_by_doc(rows)
    own = any(row.get("filter") in extractors for row in rows)
    docs = [
        None if same[0].get(REFUSED) else adapters.graded_doc(task, same[0], own, options.gold_field)
        for same in by_doc
    ]
    kept = [row for row in rows if row.get("filter") not in extractors]
    scores = {
        k: v for k, v in results["results"][task].items() if not RETIRED.match(k) and not k.startswith(BYPASS)
    }
    diffs: list[RegradeDiff] = []
    for filter, extractor in extractors.items():
        graded = _verdicts(by_doc, docs, grader, extractor, progress or task)
        new = [_new_row(*each, filter) for each in zip(by_doc, docs, graded, strict=True)]
        scores |= aggregated(new, filter)
        diffs += _diffs(task, filter, by_doc, new, graded, own)
        kept += new
    _mark_primary(diffs, own, options.against)
    results["results"][task] = scores
    metadata.update_task(results, task, extractors, record, overridden=options.extract is not None)
    return kept, diffs


def _keep_apart(folder: Path, read: Sequence[tuple[Path, object]]) -> None:
    """The new run must not become the newest of the old one's folder."""
    new = folder.resolve()
    for file, _ in read:
        old = file.resolve().parent
        if old == new or old in new.parents or new in old.parents:
            raise RunError(f"{folder} would mix with the run in {file.parent}; --out must be another folder")


def _check_responses(rows: Sequence[LoggedRow], file: Path) -> None:
    """Raises RunError on the first row that has no response to grade and was not refused either."""
    for row in rows:
        found = row["resps"][0] if row["resps"] else None
        texts = isinstance(found, list) and found and all(isinstance(r, str | None) for r in found)
        if not texts and not row.get(REFUSED):
            raise RunError(
                f"{file}, doc {row['doc_id']}: no response in 'resps', which is {str(row['resps'])[:80]}; "
                "grading needs a list of texts: run lm_eval with --log_samples again, or take the row out"
            )


def _verdicts(
    by_doc: RowsByDoc, docs: Sequence[Mapping[str, Any] | None], grader: Grader, extractor: str, progress: str
) -> list[Graded | None]:
    """The verdicts on each document; None for one that was refused."""
    asked = [(same[0]["resps"][0], doc) for same, doc in zip(by_doc, docs, strict=True) if doc is not None]
    resps, golds = [resps for resps, _ in asked], [doc for _, doc in asked]
    graded = iter(grade_docs(resps, golds, grader, extractor, progress=progress))
    return [None if doc is None else next(graded) for doc in docs]


def _new_row(
    same: Sequence[LoggedRow], doc: Mapping[str, Any] | None, graded: Graded | None, filter: str
) -> LoggedRow:
    """The row of a filter with new verdicts and metrics; metrics that grading does not make stay."""
    base = next((row for row in same if row.get("filter") == filter), None)
    old = [] if base is None else [m for m in base["metrics"] if m != BYPASS and not RETIRED.match(m)]
    base = base or same[0]
    if doc is None or graded is None:
        return {**base, "filter": filter}
    scores = process_results({**doc}, [graded])
    return {
        **{k: v for k, v in base.items() if k in old or k not in base.get("metrics", [])},
        "target": shown(doc["gold"]),
        "filtered_resps": [[str(verdict) for verdict in graded]],
        "filter": filter,
        "metrics": list(dict.fromkeys([*old, *scores])),
        **scores,
    }


def _diffs(
    task: str,
    filter: str,
    by_doc: RowsByDoc,
    new: Sequence[LoggedRow],
    graded: Sequence[Graded | None],
    own: bool,
) -> list[RegradeDiff]:
    """A diff for each old metric that the new rows of a filter are compared with."""
    diffs: dict[str, RegradeDiff] = {}
    for same, row, verdicts in zip(by_doc, new, graded, strict=True):
        if verdicts is None:
            continue
        scored = [(old, *score) for old in same for score in _old_scores(old, filter, own).items()]
        unscored = next((old for old in same if old.get("filter") == filter), same[0])
        compared: list[tuple[LoggedRow, str, float | None]] = [*scored] or [(unscored, UNSCORED, None)]
        for old, against, score in compared:
            diffs.setdefault(against, RegradeDiff(task, against, filter)).add(old, score, row, verdicts)
    return list(diffs.values())


def _old_scores(row: LoggedRow, filter: str, own: bool) -> dict[str, float]:
    """This package's accuracy under the same filter; of another grader's rows all metrics."""
    if own:
        names = ["accuracy"] if row.get("filter") == filter else []
    else:
        names = [name for name in row.get("metrics", []) if name != BYPASS]
    return {f"{n},{row.get('filter', 'none')}": float(row[n]) for n in names if is_score(row.get(n))}


def _mark_primary(diffs: Sequence[RegradeDiff], own: bool, against: str | None) -> None:
    """Marks those whose changes are shown: the metric asked for, this package's filters, the task's score."""
    ranked = {f"{m},{f}": rank for rank, (f, m) in enumerate(product(runs.FILTERS, runs.METRICS))}
    by_rank = sorted(diffs, key=lambda diff: ranked.get(diff.against, len(ranked)))
    asked = [diff for diff in diffs if diff.is_against(against)]
    for diff in asked or (diffs if own else by_rank[:1]):
        diff.primary = True


def _regrade_groups(results: dict[str, Any], diffs: Sequence[RegradeDiff]) -> list[RegradeDiff]:
    """The groups of a results file: merges their tasks' diffs and updates their scores."""
    by_task: dict[str, list[RegradeDiff]] = {}
    for diff in diffs:
        by_task.setdefault(diff.name, []).append(diff)
    found: list[RegradeDiff] = []
    members = lm_eval_files.groups_of(results)
    for group in members:
        tasks = lm_eval_files.leaves(group, members, by_task)
        if tasks:
            first = by_task[tasks[0]]
            metadata.update_group(results, group, tasks, {diff.filter for diff in first})
            alike = [[d for task in tasks for d in by_task[task] if d.against == f.against] for f in first]
            found += [merged(group, parts) for parts in alike if len(parts) == len(tasks)]
    return found
