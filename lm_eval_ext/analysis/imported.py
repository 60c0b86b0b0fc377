"""Imported responses graded and written as runs, one per model."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import imports, records, writing
from lm_eval_ext.analysis.adapters import FILTER
from lm_eval_ext.analysis.imports import Fields, Join, Response
from lm_eval_ext.analysis.samples import REFUSED
from lm_eval_ext.grading import Grader
from lm_eval_ext.grading.golds import shown
from lm_eval_ext.harness.filters import grade_docs
from lm_eval_ext.harness.metrics import Graded, metric_list, process_results

Row = Mapping[str, Any]
BACKEND = "imported"


@dataclass(frozen=True)
class Imported:
    """One model's run.

    Attributes:
        model: its name.
        rows: samples as logged.
        scores: as under `results`; keys "metric,grade_math".
        file: the results file, if one was written.
    """

    model: str
    rows: tuple[Row, ...]
    scores: Mapping[str, Any]
    file: Path | None

    @property
    def refusals(self) -> Counter[str]:
        """How many problems have no response, by reason."""
        return Counter(row[REFUSED] for row in self.rows if row.get(REFUSED))

    def score(self, metric: str) -> Any:
        """A metric's value; None where the run has it not."""
        return self.scores.get(f"{metric},{FILTER}")


def import_responses(
    file: Path,
    grader: Grader,
    *,
    out: Path | None = None,
    fields: Fields | None = None,
    join: Join | None = None,
    task: str | None = None,
    model: str | None = None,
    extract: str = "statement",
) -> list[Imported]:
    """Grades a plain file of responses.

    Args:
        file: JSON lines, packed if the name ends in .gz.
        grader: with a judge or without.
        out: folder for the runs, `out/<model>/results_<date>.json` and samples; None: nothing is written.
        fields: where a row has what.
        join: a data set file that has the problems.
        task: name that the runs' task gets; None: the file's.
        model: name where rows have none; None: the file's.
        extract: name of the extractor.

    Raises RunError on rows that cannot be used, with their line.
    """
    stem = file.name.partition(".")[0]
    models = imports.by_model(imports.read(file, fields or Fields(), join), model or stem)
    record = records.Record(file, grader.config.judge)
    found = []
    for name, problems in models.items():
        rows = _samples(problems, grader, extract, name)
        scores = {"n_scored," + FILTER: len(rows), **writing.aggregated(rows, FILTER)}
        written = None
        if out is not None:
            results = _results(task or stem, name, rows, scores, extract, record)
            folder, date = out / writing.folder_of(name), writing.stamp()
            writing.write_samples(folder, task or stem, date, rows)
            written = writing.write_results(folder, date, results)
        found.append(Imported(name, tuple(rows), scores, written))
    return found


def _samples(problems: Sequence[Sequence[Response]], grader: Grader, extract: str, name: str) -> list[Row]:
    texts = [[text for row in rows for text in row.texts] for rows in problems]
    answered = [(resps, rows[0].doc) for resps, rows in zip(texts, problems, strict=True) if resps]
    graded = iter(grade_docs([r for r, _ in answered], [d for _, d in answered], grader, extract, name))
    return [
        _sample(i, rows, resps, next(graded) if resps else None)
        for i, (rows, resps) in enumerate(zip(problems, texts, strict=True))
    ]


def _sample(number: int, rows: Sequence[Response], resps: list[str], graded: Graded | None) -> Row:
    """One line of the samples file; where repeats were refused, the others count."""
    doc = rows[0].doc
    prompt = str(rows[0].rest.get("prompt") or doc.get("problem") or "")
    scores: dict[str, float | None] = {} if graded is None else {**process_results({**doc}, [graded])}
    labels = [row.label for row in rows if row.texts and row.label is not None]
    if graded is not None and labels:
        scores["accuracy_label"] = sum(labels) / len(labels)
    for metric in imports.COUNTED:
        if spent := [row.counted[metric] for row in rows if metric in row.counted]:
            scores[metric] = sum(spent)
    errors = {} if graded is not None else {REFUSED: rows[0].error}
    return {
        "doc_id": number,
        "doc": doc,
        "target": shown(doc["gold"]),
        "arguments": {"gen_args_0": {"arg_0": prompt, "arg_1": {}}},
        "resps": [resps],
        "filtered_resps": [[str(verdict) for verdict in graded or []]],
        "filter": FILTER,
        "metrics": list(scores),
        **writing.hashes(doc, prompt, shown(doc["gold"])),
        "imported": [{"where": row.where.rpartition(", ")[2], **row.rest} for row in rows],
        **errors,
        **scores,
    }


def _results(
    task: str, model: str, rows: Sequence[Row], scores: Row, extract: str, record: records.Record
) -> dict[str, Any]:
    """A results file as lm-eval writes it, of what is known: no prompt, no generation settings."""
    repeats = max(len(row["resps"][0]) for row in rows)
    metadata: dict[str, Any] = {"version": 1.0}
    records.into_metadata(metadata, record, {FILTER: extract} if extract != "statement" else None)
    metrics = metric_list(repeats)
    config = {
        "task": task,
        "output_type": "generate_until",
        "repeats": repeats,
        "filter_list": [{"name": FILTER, "filter": [{"function": FILTER, "extract": extract}]}],
        "metric_list": metrics,
        "metadata": metadata,
    }
    better = {entry["metric"]: entry["higher_is_better"] for entry in metrics}
    return {
        "results": {task: {"alias": task, "name": task, "sample_len": len(rows), **scores}},
        "group_subtasks": {task: []},
        "configs": {task: config},
        "versions": {task: 1.0},
        "n-shot": {},
        "higher_is_better": {task: better},
        "n-samples": {task: {"original": len(rows), "effective": len(rows)}},
        "config": {"model": BACKEND, "model_args": {}},
        "date": time.time(),
        "model_source": BACKEND,
        "model_name": model,
        "model_name_sanitized": writing.folder_of(model),
    }
