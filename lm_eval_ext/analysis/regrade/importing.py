"""A plain file of responses graded and written as runs, one per model."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import lm_eval_files
from lm_eval_ext.analysis.adapters import FILTER
from lm_eval_ext.analysis.lm_eval_files import REFUSED, TOTALLED, LoggedRow, RunError, RunWriter
from lm_eval_ext.analysis.regrade.diff import RegradeDiff
from lm_eval_ext.analysis.regrade.metadata import GradingRecord
from lm_eval_ext.analysis.regrade.responses import DatasetJoin, Response, ResponseFields, read
from lm_eval_ext.analysis.regrade.run import RegradeOptions, grade_task
from lm_eval_ext.grading import Grader
from lm_eval_ext.grading.golds import shown

BACKEND = "imported"


@dataclass(frozen=True)
class ImportedRun:
    """One model's run."""

    model: str
    rows: Sequence[LoggedRow]
    scores: Mapping[str, Any]  # as under `results`: "accuracy,grade_math"
    diffs: Sequence[RegradeDiff]
    file: Path | None  # the results file, if one was written

    @property
    def refusals(self) -> Counter[str]:
        """How many problems have no response, by reason."""
        return Counter(row[REFUSED] for row in self.rows if row.get(REFUSED))

    def score(self, metric: str) -> Any:
        """A metric's value; None if the run lacks it."""
        return self.scores.get(f"{metric},{FILTER}")


def import_responses(
    file: Path,
    grader: Grader,
    *,
    out: Path | None = None,
    fields: ResponseFields | None = None,
    join: DatasetJoin | None = None,
    task: str | None = None,
    model: str | None = None,
    extract: str = "statement",
) -> list[ImportedRun]:
    """Grades a plain file of responses.

    Args:
        file: JSON lines, gzipped if the name ends in .gz.
        out: folder for the runs, `out/<model>/results_<date>.json` and samples; None: nothing is written.
        task: name of the runs' task; None: the file's.
        model: name for rows without one; None: the file's.
        extract: name of the extractor.

    Raises RunError on rows that cannot be used, with their line.
    """
    stem = file.name.partition(".")[0]
    task = task or stem
    record = GradingRecord(file, grader.config.judge)
    options = RegradeOptions(extract=extract if extract != "statement" else None)
    found = []
    for name, problems in _by_model(read(file, fields or ResponseFields(), join), model or stem).items():
        ungraded = [_logged(number, rows) for number, rows in enumerate(problems)]
        results = _results(task, name, ungraded)
        rows, diffs = grade_task(task, ungraded, results, grader, options, record, progress=name)
        written = None
        if out is not None:
            writer = RunWriter(out / lm_eval_files.folder_of(name))
            writer.samples(task, rows)
            written = writer.results(results)
        found.append(ImportedRun(name, rows, results["results"][task], diffs, written))
    return found


def _by_model(responses: Sequence[Response], default: str) -> dict[str, list[list[Response]]]:
    """Responses by model and problem, in the order of the file.

    Raises RunError if the problems of a model differ in their number of rows: an id that appears twice by
    mistake must not pass for a repeat.
    """
    found: dict[str, dict[str, list[Response]]] = {}
    for response in responses:
        found.setdefault(response.model or default, {}).setdefault(response.id, []).append(response)
    for name, problems in found.items():
        usual = Counter(map(len, problems.values())).most_common(1)[0][0]
        odd = next((rows for rows in problems.values() if len(rows) != usual), None)
        if odd is not None:
            raise RunError(
                f"{odd[-1].where}: {name} has {len(odd)} rows with id {odd[0].id!r} and {usual} with most "
                "others; every problem needs the same number of repeats (--id-field and --model-field say "
                "what a row belongs to)"
            )
    return {name: list(problems.values()) for name, problems in found.items()}


def _logged(number: int, rows: Sequence[Response]) -> LoggedRow:
    """A problem as a line of a samples file, not graded yet; where repeats were refused, the others count."""
    doc, texts = rows[0].doc, [text for row in rows for text in row.texts]
    prompt, target = str(rows[0].rest.get("prompt") or doc.get("problem") or ""), shown(doc["gold"])
    scores: dict[str, float] = {}
    if labels := [row.label for row in rows if row.texts and row.label is not None]:
        scores["accuracy_label"] = sum(labels) / len(labels)
    for metric in TOTALLED:
        if spent := [row.totalled[metric] for row in rows if metric in row.totalled]:
            scores[metric] = sum(spent)
    return {
        "doc_id": number,
        "doc": doc,
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": prompt, "arg_1": {}}},
        "resps": [texts],
        "filtered_resps": [[]],
        "filter": FILTER,
        "metrics": list(scores),
        **lm_eval_files.hashes(doc, prompt, target),
        "imported": [{"where": row.where.rpartition(", ")[2], **row.rest} for row in rows],
        **({} if texts else {REFUSED: rows[0].error}),
        **scores,
    }


def _results(task: str, model: str, rows: Sequence[LoggedRow]) -> dict[str, Any]:
    """A results file as lm-eval writes it, of what is known: no prompt, no settings, no scores yet."""
    config = {
        "task": task,
        "output_type": "generate_until",
        "repeats": max(len(row["resps"][0]) for row in rows),
        "filter_list": [{"name": FILTER, "filter": [{"function": FILTER, "extract": "statement"}]}],
        "metadata": {"version": 1.0},
    }
    scores = {"alias": task, "name": task, "sample_len": len(rows), f"n_scored,{FILTER}": len(rows)}
    return {
        "results": {task: scores},
        "group_subtasks": {task: []},
        "configs": {task: config},
        "versions": {task: 1.0},
        "n-shot": {},
        "n-samples": {task: {"original": len(rows), "effective": len(rows)}},
        "config": {"model": BACKEND, "model_args": {}},
        "date": time.time(),
        "model_source": BACKEND,
        "model_name": model,
        "model_name_sanitized": lm_eval_files.folder_of(model),
    }
