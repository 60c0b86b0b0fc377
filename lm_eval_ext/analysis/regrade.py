"""A logged run graded again, without its model: new verdicts, what they change, and a run of its own.

Samples of this package's tasks are graded again in place, filter by filter. To those of lm-eval's tasks
rows of the filter `grade_math` are added; their own rows and metrics stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import adapters, records, runs, writing
from lm_eval_ext.analysis.flips import Comparison, Flip, all_flips, merged
from lm_eval_ext.analysis.samples import REFUSED, RunError, check_responses, doc_rows, is_score, read_samples
from lm_eval_ext.grading import Grader
from lm_eval_ext.grading.golds import shown
from lm_eval_ext.harness.filters import grade_docs
from lm_eval_ext.harness.metrics import RETIRED, Graded, process_results

Row = Mapping[str, Any]
BYPASS = "bypass"
"""What `--predict_only` logs in place of every metric."""
UNSCORED = "not scored"
Docs = Sequence[Sequence[Row]]
"""The rows of each document, one per filter."""


@dataclass(frozen=True)
class Options:
    """What the user overrides.

    Attributes:
        gold_field: field of the documents that has the gold; None: see `adapters`.
        extract: extractor of all responses; None: the task's own.
        against: the old metric whose flips are shown; None: the task's score, see `runs.METRICS`.
    """

    gold_field: str | None = None
    extract: str | None = None
    against: str | None = None


@dataclass(frozen=True)
class Regraded:
    """A run graded again.

    Attributes:
        name, model: of the run.
        comparisons: by task; several for a task with several filters or metrics.
        groups: those of the groups.
        passed_by: tasks that generate no text, which are kept as they are.
        files: results files written, oldest first.
    """

    name: str
    model: str
    comparisons: tuple[Comparison, ...]
    groups: tuple[Comparison, ...]
    passed_by: tuple[str, ...]
    files: tuple[Path, ...]

    @property
    def flips(self) -> list[Flip]:
        return list(all_flips(self.comparisons))


def regrade(
    place: Path,
    grader: Grader,
    *,
    out: Path | None = None,
    options: Options | None = None,
    name: str | None = None,
) -> Regraded:
    """Grades the samples of a run again.

    Args:
        place: a results file, or a folder with the runs of one model: the newest of each task.
        grader: with a judge or without.
        out: folder for the new run, `out/<model>/results_<date>.json` and samples; None: nothing is written.
        options: what to read otherwise than the tasks say.
        name: of the run, in tables and as its folder; None: the model's.

    Raises RunError: no such run, broken samples, no gold, or `out` would touch what is read.
    """
    read = runs.one_model(place)
    model = runs.model_of(read[0][1])
    folder = None if out is None else out / (name or writing.folder_of(model))
    if folder is not None:
        _keep_apart(folder, [file for file, _ in read])
    done, groups, written = list[Comparison](), list[Comparison](), list[Path]()
    current = list(_newest(read))
    configs = {task: results["configs"][task] for _, results, tasks in current for task in tasks}
    passed_by = tuple(task for task, config in configs.items() if not _generates(config))
    if len(passed_by) == len(configs):
        raise RunError(f"{place}: no task in it generates text ({', '.join(passed_by) or 'no tasks'})")
    for file, results, tasks in current:
        record = records.Record(file, grader.config.judge)
        new, date = records.only(results, tasks), writing.stamp()
        to = None if folder is None else (folder, date)
        found = [
            c for task in tasks for c in _task(task, file, new, grader, options or Options(), record, to)
        ]
        groups += _groups(new, found)
        done += found
        if folder is not None:
            written.append(writing.write_results(folder, date, new))
    _check_against((options or Options()).against, done, place)
    short = name or Path(model).name or model
    return Regraded(short, model, tuple(done), tuple(groups), passed_by, tuple(written))


def regrade_all(
    places: Sequence[Path | str],
    grader: Grader,
    *,
    out: Path | None = None,
    options: Options | None = None,
) -> list[Regraded]:
    """Several runs; with `out` all flips of all of them go to `out/flips.jsonl`.

    A place may be given as `name=path`; that names its folder in `out`. Runs of one model need such names,
    for a folder has the runs of one. Raises RunError.
    """
    labelled = [runs.labelled(place) for place in places]
    models = [runs.model_of(runs.one_model(path)[0][1]) for _, path in labelled]
    folders = [name or model for (name, _), model in zip(labelled, models, strict=True)]
    twice = next((name for name in folders if folders.count(name) > 1), None)
    if twice is not None and out is not None:
        raise RunError(f"{twice} would be written twice into {out}; name the runs: before=PATH after=PATH")
    found = [regrade(path, grader, out=out, options=options, name=name) for name, path in labelled]
    if out is not None and found:
        flips = ({"run": run.name, **flip.as_dict()} for run in found for flip in run.flips)
        writing.write_rows(out / "flips.jsonl", flips)
    return found


def _keep_apart(folder: Path, files: Sequence[Path]) -> None:
    """The new run must not become the newest of the old one's folder."""
    new = folder.resolve()
    for file in files:
        old = file.resolve().parent
        if old == new or old in new.parents or new in old.parents:
            raise RunError(f"{folder} would mix with the run in {file.parent}; --out must be another folder")


def _newest(
    read: Sequence[tuple[Path, dict[str, Any]]],
) -> Iterator[tuple[Path, dict[str, Any], list[str]]]:
    """Results files with those of their tasks that no later file has again."""
    for i, (file, results) in enumerate(read):
        later = {task for _, newer in read[i + 1 :] for task in runs.logged_tasks(newer)}
        if current := [task for task in runs.logged_tasks(results) if task not in later]:
            yield file, results, current


def _generates(config: Row) -> bool:
    return bool(config.get("output_type", "generate_until") == "generate_until")


def _task(
    name: str,
    file: Path,
    results: dict[str, Any],
    grader: Grader,
    options: Options,
    record: records.Record,
    written: tuple[Path, str] | None,
) -> list[Comparison]:
    """Grades a task, writes its samples to (folder, date), puts its scores and the record into `results`."""
    rows: list[Row] = [*read_samples(samples_file := runs.samples_file(file, name))]
    config, found = results["configs"][name], list[Comparison]()
    if _generates(config):
        check_responses(rows, samples_file)
        extractors = adapters.extractors(name, config, options.extract)
        rows, scores, found = _grade(name, rows, extractors, grader, options)
        kept = {
            k: v
            for k, v in results["results"][name].items()
            if not (RETIRED.match(k) or k.startswith(BYPASS))
        }
        results["results"][name] = {**kept, **scores}
        records.into_config(results, name, extractors, record, overridden=options.extract is not None)
    if written is not None:
        writing.write_samples(written[0], name, written[1], rows)
    return found


def _grade(
    name: str, rows: Sequence[Row], extractors: Mapping[str, str], grader: Grader, options: Options
) -> tuple[list[Row], dict[str, Any], list[Comparison]]:
    """All rows of a task, its new scores and what they are compared with; each document once a filter."""
    by_doc = doc_rows(rows)
    own = any(row.get("filter") in extractors for row in rows)
    docs = [
        None if same[0].get(REFUSED) else adapters.graded_doc(name, same[0], own, options.gold_field)
        for same in by_doc
    ]
    kept: list[Row] = [row for row in rows if row.get("filter") not in extractors]
    scores: dict[str, Any] = {}
    comparisons: list[Comparison] = []
    for filter, extractor in extractors.items():
        graded = _verdicts(name, by_doc, docs, grader, extractor)
        new = [_row(*each, filter) for each in zip(by_doc, docs, graded, strict=True)]
        scores |= writing.aggregated(new, filter)
        comparisons += _compared(Comparison(name, "", filter), by_doc, new, graded, own)
        kept += new
    _choose(comparisons, own, options.against)
    return kept, scores, comparisons


def _verdicts(
    name: str, by_doc: Docs, docs: Sequence[Row | None], grader: Grader, extractor: str
) -> list[Graded | None]:
    """The verdicts on each document; None for one that was refused."""
    asked = [(same[0]["resps"][0], doc) for same, doc in zip(by_doc, docs, strict=True) if doc is not None]
    resps, golds = [resps for resps, _ in asked], [doc for _, doc in asked]
    graded = iter(grade_docs(resps, golds, grader, extractor, progress=name))
    return [None if doc is None else next(graded) for doc in docs]


def _row(same: Sequence[Row], doc: Row | None, graded: Graded | None, filter: str) -> Row:
    """The row of a filter with new verdicts and metrics; metrics that grading does not make stay."""
    base = next((row for row in same if row.get("filter") == filter), None)
    old = [] if base is None else [m for m in base["metrics"] if m != BYPASS and not RETIRED.match(m)]
    base = base or same[0]
    if doc is None or graded is None:
        return {**base, "filter": filter}
    scores = process_results({**doc}, [graded])
    fields = {k: v for k, v in base.items() if k in old or k not in base.get("metrics", [])}
    return {
        **fields,
        "target": shown(doc["gold"]),
        "filtered_resps": [[str(verdict) for verdict in graded]],
        "filter": filter,
        "metrics": list(dict.fromkeys([*old, *scores])),
        **scores,
    }


def _compared(
    table: Comparison, by_doc: Docs, new: Sequence[Row], graded: Sequence[Graded | None], own: bool
) -> list[Comparison]:
    """A comparison for each old metric that the new rows of a filter stand beside."""
    tables: dict[str, Comparison] = {}
    for same, row, verdicts in zip(by_doc, new, graded, strict=True):
        if verdicts is None:
            continue
        for old in same:
            for against, score in _old_scores(old, table.filter, own).items():
                to = tables.setdefault(against, Comparison(table.name, against, table.filter))
                to.add(row["target"], old, score, verdicts, row)
        if not any(_old_scores(old, table.filter, own) for old in same):
            to = tables.setdefault(UNSCORED, Comparison(table.name, UNSCORED, table.filter))
            before = next((old for old in same if old.get("filter") == table.filter), same[0])
            to.add(row["target"], before, None, verdicts, row)
    return list(tables.values())


def _old_scores(row: Row, filter: str, own: bool) -> dict[str, float]:
    """This package's accuracy under the same filter; of another grader's rows all metrics."""
    if own:
        names = ["accuracy"] if row.get("filter") == filter and is_score(row.get("accuracy")) else []
    else:
        names = [m for m in row.get("metrics", []) if is_score(row.get(m)) and m != BYPASS]
    return {f"{name},{row.get('filter', 'none')}": float(row[name]) for name in names}


def _choose(comparisons: Sequence[Comparison], own: bool, against: str | None) -> None:
    """Marks those whose flips are shown: what was asked for, this package's filters, the task's own score."""
    chosen = [c for c in comparisons if against in (c.against, c.against.partition(",")[0])]
    if not chosen and own:
        chosen = list(comparisons)
    if not chosen:
        ranked = [f"{m},{f}" for f in runs.FILTERS for m in runs.METRICS]
        places = {key: place for place, key in enumerate(ranked)}
        chosen = sorted(comparisons, key=lambda c: places.get(c.against, len(ranked)))[:1]
    for comparison in chosen:
        comparison.primary = True


def _check_against(wanted: str | None, comparisons: Sequence[Comparison], place: Path) -> None:
    there = dict.fromkeys(c.against for c in comparisons)
    if wanted is not None and not any(wanted in (key, key.partition(",")[0]) for key in there):
        raise RunError(f"{place} has no metric {wanted}; it has {'; '.join(there)}")


def _groups(results: dict[str, Any], comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The groups of a results file: compared, and their scores put into it."""
    by_task: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        by_task.setdefault(comparison.name, []).append(comparison)
    found: list[Comparison] = []
    members = {g: tuple(m) for g, m in (results.get("group_subtasks") or {}).items() if m}
    for group in members:
        leaves = runs.leaves(group, members, by_task)
        if leaves and all(leaf in by_task for leaf in leaves):
            records.into_group(results, group, leaves, {c.filter for c in by_task[leaves[0]]})
            against = [c.against for c in by_task[leaves[0]]]
            alike = [[c for leaf in leaves for c in by_task[leaf] if c.against == key] for key in against]
            found += [merged(group, parts) for parts in alike if len(parts) == len(leaves)]
    return found
