"""Plain files of responses, one JSON object a line, graded and written as runs, one per model.

    {"id": "007c", "model": "m", "response": "... Final answer: 9", "gold": "9", "label": "yes"}

Rows of one id (or a list of responses in one row) are repeats. A provider's refusal or error (`error`,
`refusal`, a failed `status`, or a null response) stays in the run and out of every denominator. The documents
come from the rows, or from a data set file joined to them.
"""

from __future__ import annotations

import time
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import lm_eval_files
from lm_eval_ext.analysis.lm_eval_files import REFUSED, TOTALLED, LoggedRow, RunError, RunWriter
from lm_eval_ext.analysis.regrade.adapters import FILTER
from lm_eval_ext.analysis.regrade.diff import RegradeDiff
from lm_eval_ext.analysis.regrade.metadata import GradingRecord
from lm_eval_ext.analysis.regrade.run import RegradeOptions, grade_task
from lm_eval_ext.grading import Grader
from lm_eval_ext.grading.golds import KINDS, is_gold, plain, shown
from lm_eval_ext.grading.rows import RowError, named_field, open_lines, parse, unpacked
from lm_eval_ext.harness.docs import mathnet

LABELS: Mapping[Any, float | None] = {
    "yes": 1.0, "no": 0.0, "none": 0.0, "unsure": None, None: None, True: 1.0, False: 0.0,
}  # fmt: skip
"""The score of a person's label; None: no score. 1 and 0 count as True and False."""
FAILED = {
    "error", "failed", "failure", "refused", "refusal", "blocked", "content_filter", "timeout", "cancelled",
}  # fmt: skip
"""Values of `status` without a response; as a number, HTTP's from 400 on."""
OF_DOC = ("country", "competition", "language", "level", "subject", "topics", "topics_flat", "topic")
"""Fields of a row of responses that belong to its problem."""
BACKEND = "imported"
Row = dict[str, Any]


@dataclass(frozen=True)
class Fields:
    """Names of the fields of a row; None: there is none.

    Attributes:
        response: all that the model wrote, or a list of such: repeats.
        gold: the reference answer; a joined document may have it instead.
        id: of the problem. Without one each row is a problem of its own.
        label: a person's judgement, see LABELS; it becomes the metric `accuracy_label`.
        error: why the provider gave no response.
    """

    response: str = "response"
    gold: str = "gold"
    problem: str = "problem"
    id: str = "id"
    model: str = "model"
    label: str | None = None
    error: str = "error"


@dataclass(frozen=True)
class Join:
    """A data set file whose rows belong to the responses' rows with the same `on`."""

    file: Path
    on: str = "id"


@dataclass(frozen=True)
class Response:
    """One row as read.

    Attributes:
        texts: what the model wrote; empty if `error` says why there is none.
        label: the score of its label; None: no score.
        rest: the fields without a meaning here.
    """

    where: str
    model: str | None
    id: str
    doc: Row
    texts: tuple[str, ...]
    error: str | None
    label: float | None
    totalled: Mapping[str, float]
    rest: Row


@dataclass(frozen=True)
class ImportedRun:
    """One model's run.

    Attributes:
        rows: samples as logged.
        scores: as under `results`; keys "metric,grade_math".
        file: the results file, if one was written.
    """

    model: str
    rows: Sequence[LoggedRow]
    scores: Mapping[str, Any]
    diffs: Sequence[RegradeDiff]
    file: Path | None

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
    fields: Fields | None = None,
    join: Join | None = None,
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
    for name, problems in _by_model(read(file, fields or Fields(), join), model or stem).items():
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


def read(file: Path, fields: Fields, join: Join | None = None) -> list[Response]:
    """The rows of a file of responses. Raises RunError on the first that cannot be used, with its line."""
    if file.name.startswith("samples_"):
        raise RunError(f"{file} is part of a run: name the results_*.json beside it, or their folder")
    joined = None if join is None else _joined(join)
    found: list[Response] = []
    try:
        for where, row in _rows(file):
            known = None if join is None or joined is None else _partner(row, join, joined, where)
            found.append(_response(row, known, fields, where, len(found)))
    except RowError as error:
        raise RunError(str(error)) from error
    if not found:
        raise RunError(f"{file} has no rows; expected one JSON object a line, with a response each")
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


def _rows(file: Path) -> Iterable[tuple[str, Row]]:
    with open_lines(file) as lines, unpacked(str(file)):
        for number, line in enumerate(lines, 1):
            if line.strip():
                where = f"{file}, line {number}"
                row = parse(line.removeprefix(BOM_UTF8))
                if row is None:
                    raise RunError(f"{where} is no JSON object: {line[:80].decode('utf-8', 'replace')!r}")
                yield where, row


def _joined(join: Join) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for where, row in _rows(join.file):
        if join.on not in row:
            raise RunError(f"{where} has no field {join.on!r}, only {', '.join(row)}; --join-on names it")
        if str(row[join.on]) in found:
            raise RunError(f"{where}: {join.on} {row[join.on]!r} is there twice; it must tell rows apart")
        found[str(row[join.on])] = row
    return found


def _partner(row: Row, join: Join, joined: Mapping[str, Row], where: str) -> Row:
    if join.on not in row:
        raise RunError(f"{where} has no field {join.on!r} to join on, only {', '.join(row)}")
    if (known := joined.get(str(row[join.on]))) is None:
        raise RunError(f"{where}: {join.on} {row[join.on]!r} is not in {join.file}")
    return known


def _response(row: Row, known: Row | None, fields: Fields, where: str, number: int) -> Response:
    error = _error(row, fields)
    used = {*(getattr(fields, name) for name in vars(fields) if name != "label"), *TOTALLED, *OF_DOC}
    id, model = str(row.get(fields.id, number)), row.get(fields.model)
    return Response(
        where=where,
        model=None if model is None else str(model),
        id=id,
        doc=_doc(row, known or {}, fields, where, id),
        texts=() if error else _texts(row, fields, where),
        error=error,
        label=None if fields.label is None else _label(row, fields.label, where),
        totalled={name: float(row[name]) for name in TOTALLED if isinstance(row.get(name), int | float)},
        rest={k: v for k, v in row.items() if k not in used},
    )


def _error(row: Row, fields: Fields) -> str | None:
    """Why there is no response; None if there is one."""
    status = row.get("status")
    failed = status >= 400 if isinstance(status, int) else str(status).lower() in FAILED
    if row.get(fields.error):
        return str(row[fields.error])
    if row.get("refusal"):
        return "refused" if row["refusal"] is True else f"refused: {row['refusal']}"
    if failed:
        return f"status {status}"
    return "no response" if row.get(fields.response, "") is None else None


def _texts(row: Row, fields: Fields, where: str) -> tuple[str, ...]:
    found = named_field(row, fields.response, "response", where)
    texts = found if isinstance(found, list) else [found]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise RunError(
            f"{where}: {fields.response!r} must be text (or a list of texts), received {str(found)[:80]}"
        )
    return tuple(texts)


def _label(row: Row, field: str, where: str) -> float | None:
    label = row.get(field)
    if isinstance(label, list | dict) or label not in LABELS:
        raise RunError(f"{where}: {field!r} is {label!r}; it must be yes, no, none, unsure, true or false")
    return LABELS[label]


def _doc(row: Row, known: Row, fields: Fields, where: str, id: str) -> Row:
    """The document; a MathNet problem's as its task has it, so that the task's own runs pair with it."""
    source = {**row, **known}
    doc = None
    if "competition" in source and {"final_answer", "answers_markdown"} & set(source):
        doc = mathnet.to_doc({"language": "unknown", "id": id, **source})
    if doc is None:
        problem = source.get(fields.problem) or source.get("problem_markdown")
        rest = {k: v for k, v in known.items() if k not in ("id", "problem", "gold")}
        doc = {"id": id, "problem": problem, **{k: row[k] for k in OF_DOC if k in row}, **rest}
    own = row.get(fields.gold, doc.get("gold", known.get(fields.gold)))
    if own is None:
        named_field(row, fields.gold, "gold", where)
    if not is_gold(own, blank=False):
        raise RunError(f"{where}: {fields.gold!r} must be {KINDS}, received {str(own)[:80]!r}")
    return {**doc, "gold": plain(own)}


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
