"""Plain files of responses, one JSON object a line.

    {"id": "007c", "model": "m", "response": "... Final answer: 9", "gold": "9", "label": "yes"}

Rows of one id (or a list of responses in one row) are repeats. A provider's refusal or error (`error`,
`refusal`, a failed `status`, or a null response) stays in the run and out of every denominator. The documents
come from the rows, or from a data set file joined to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lm_eval_ext import jsonl
from lm_eval_ext.analysis.lm_eval_files import TOTALLED, RunError
from lm_eval_ext.errors import DataError
from lm_eval_ext.grading.golds import KINDS, is_gold, plain
from lm_eval_ext.grading.rows import named_field
from lm_eval_ext.harness.docs import mathnet
from lm_eval_ext.harness.sources import Row

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


@dataclass(frozen=True)
class ResponseFields:
    """Names of the fields of a row."""

    response: str = "response"  # all that the model wrote, or a list of such: repeats
    gold: str = "gold"  # the reference answer; a joined document may have it instead
    problem: str = "problem"
    id: str = "id"  # of the problem; without one each row is a problem of its own
    model: str = "model"
    label: str | None = None  # a person's judgement, see LABELS; it becomes the metric `accuracy_label`
    error: str = "error"  # why the provider gave no response


@dataclass(frozen=True)
class DatasetJoin:
    """A data set file whose rows belong to the responses' rows with the same `on`."""

    file: Path
    on: str = "id"


@dataclass(frozen=True)
class Response:
    """One row as read."""

    where: str
    model: str | None
    id: str
    doc: Row
    texts: tuple[str, ...]  # empty if `error` says why there is none
    error: str | None
    label: float | None  # its score
    totalled: Mapping[str, float]
    rest: Row  # the fields without a meaning here


def read(file: Path, fields: ResponseFields, join: DatasetJoin | None = None) -> list[Response]:
    """The rows of a file of responses. Raises RunError on the first that cannot be used, with its line."""
    if file.name.startswith("samples_"):
        raise RunError(f"{file} is part of a run: name the results_*.json beside it, or their folder")
    found: list[Response] = []
    try:
        joined = {} if join is None else _joined(join)
        for where, row in _rows(file):
            known = {} if join is None else _partner(row, join, joined, where)
            found.append(_response(row, known, fields, where, len(found)))
    except DataError as error:
        raise RunError(str(error)) from error
    if not found:
        raise RunError(f"{file} has no rows; expected one JSON object a line, with a response each")
    return found


def _rows(file: Path) -> Iterable[tuple[str, Row]]:
    with jsonl.open_lines(file) as lines:
        for where, _, row in jsonl.read_objects(lines, str(file)):
            yield where, row


def _joined(join: DatasetJoin) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for where, row in _rows(join.file):
        if (key := _join_key(row, join, where)) in found:
            raise RunError(f"{where}: {join.on} {key!r} is there twice; it must tell rows apart")
        found[key] = row
    return found


def _partner(row: Row, join: DatasetJoin, joined: Mapping[str, Row], where: str) -> Row:
    if (key := _join_key(row, join, where)) not in joined:
        raise RunError(f"{where}: {join.on} {key!r} is not in {join.file}")
    return joined[key]


def _join_key(row: Row, join: DatasetJoin, where: str) -> str:
    if join.on not in row:
        raise RunError(f"{where} has no field {join.on!r}, only {', '.join(row)}; --join-on names it")
    return str(row[join.on])


def _response(row: Row, known: Row, fields: ResponseFields, where: str, number: int) -> Response:
    error = _error(row, fields)
    used = {*(getattr(fields, name) for name in vars(fields) if name != "label"), *TOTALLED, *OF_DOC}
    id, model = str(row.get(fields.id, number)), row.get(fields.model)
    return Response(
        where=where,
        model=None if model is None else str(model),
        id=id,
        doc=_doc(row, known, fields, where, id),
        texts=() if error else _texts(row, fields, where),
        error=error,
        label=None if fields.label is None else _label(row, fields.label, where),
        totalled={name: float(row[name]) for name in TOTALLED if isinstance(row.get(name), int | float)},
        rest={k: v for k, v in row.items() if k not in used},
    )


def _error(row: Row, fields: ResponseFields) -> str | None:
    """Why there is no response; None if there is one."""
    status, refusal = row.get("status"), row.get("refusal")
    if row.get(fields.error):
        return str(row[fields.error])
    if refusal:
        return "refused" if refusal is True else f"refused: {refusal}"
    if status >= 400 if isinstance(status, int) else str(status).lower() in FAILED:
        return f"status {status}"
    return "no response" if row.get(fields.response, "") is None else None


def _texts(row: Row, fields: ResponseFields, where: str) -> tuple[str, ...]:
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


def _doc(row: Row, known: Row, fields: ResponseFields, where: str, id: str) -> Row:
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
