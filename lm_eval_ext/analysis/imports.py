"""Plain files of responses, one JSON object a line, as runs that everything here reads.

    {"id": "007c", "model": "m", "response": "... Final answer: 9", "gold": "9", "label": "yes"}

Rows of one model make one run; rows of one id (or a list of responses in one row) are repeats. A provider's
refusal or error (`error`, `refusal`, a `status` that says so, or a null response) stays in the run and out
of every denominator. The documents come from the rows, or from a data set file joined to them.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis.samples import RunError
from lm_eval_ext.grading.golds import KINDS, is_gold, plain
from lm_eval_ext.grading.rows import RowError, named_field, open_lines, parse, unpacked
from lm_eval_ext.harness.docs import mathnet

Row = Mapping[str, Any]

LABELS: Mapping[Any, float | None] = {
    "yes": 1.0, "no": 0.0, "none": 0.0, "unsure": None, None: None, True: 1.0, False: 0.0,
}  # fmt: skip
"""What a person's label counts; None: no score. 1 and 0 count as True and False."""
FAILED = {
    "error", "failed", "failure", "refused", "refusal", "blocked", "content_filter", "timeout", "cancelled",
}  # fmt: skip
"""What `status` says where there is no response; as a number, HTTP's from 400 on."""
OF_DOC = ("country", "competition", "language", "level", "subject", "topics", "topics_flat", "topic")
"""Fields of a row of responses that belong to its problem."""
COUNTED = ("output_tokens", "cost_usd")
"""Fields of a row that become sample metrics."""


@dataclass(frozen=True)
class Fields:
    """Where a row has what; None: nowhere.

    Attributes:
        response: all that the model wrote, or a list of such: repeats.
        gold: the reference answer; a joined document may have it instead.
        problem, id, model: of the row. Without an id each row is a problem of its own.
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
        texts: what the model wrote; empty where it did not, then `error` says why.
        label: of each text; None: no score.
        counted: `output_tokens` and `cost_usd`, where the row has them.
        rest: fields that are nothing of the above.
    """

    where: str
    model: str | None
    id: str
    doc: Row
    texts: tuple[str, ...]
    error: str | None
    label: float | None
    counted: Mapping[str, float]
    rest: Row


def read(file: Path, fields: Fields, join: Join | None = None) -> list[Response]:
    """The rows of a file of responses. Raises RunError on the first that cannot be used, with its line."""
    joined = None if join is None else _joined(join)
    found: list[Response] = []
    if file.name.startswith("samples_"):
        raise RunError(f"{file} is part of a run: name the results_*.json beside it, or their folder")
    try:
        for where, row in _rows(file):
            known = None if join is None or joined is None else _partner(row, join, joined, where)
            found.append(_response(row, known, fields, where, len(found)))
    except RowError as error:
        raise RunError(str(error)) from error
    if not found:
        raise RunError(f"{file} has no rows; expected one JSON object a line, with a response each")
    return found


def by_model(responses: Sequence[Response], model: str | None = None) -> dict[str, list[list[Response]]]:
    """Responses by model and problem, in the order of the file.

    Args:
        responses: of a whole file.
        model: name for rows that have none.

    Raises RunError where the problems of a model do not all have the same number of rows: an id that
    appears twice by mistake must not pass for a repeat.
    """
    found: dict[str, dict[str, list[Response]]] = {}
    for response in responses:
        name = response.model or model or "unknown"
        found.setdefault(name, {}).setdefault(response.id, []).append(response)
    for name, problems in found.items():
        counts = Counter(len(rows) for rows in problems.values())
        usual = counts.most_common(1)[0][0]
        odd = next((rows for rows in problems.values() if len(rows) != usual), None)
        if odd is not None:
            raise RunError(
                f"{odd[-1].where}: {name} has {len(odd)} rows with id {odd[0].id!r} and {usual} with most "
                "others; every problem needs the same number of repeats (--id-field and --model-field say "
                "what a row belongs to)"
            )
    return {name: list(problems.values()) for name, problems in found.items()}


def _rows(file: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    with open_lines(file) as lines, unpacked(str(file)):
        for number, line in enumerate(lines, 1):
            if line.strip():
                row = parse(line.removeprefix(BOM_UTF8))
                if row is None:
                    raise RunError(
                        f"{file}, line {number} is no JSON object: {line[:80].decode('utf-8', 'replace')!r}"
                    )
                yield f"{file}, line {number}", row


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


def _response(row: dict[str, Any], known: Row | None, fields: Fields, where: str, number: int) -> Response:
    error = _error(row, fields)
    texts = () if error else _texts(row, fields, where)
    read = {getattr(fields, name) for name in vars(fields) if name != "label"}
    rest = {k: v for k, v in row.items() if k not in read and k not in COUNTED and k not in OF_DOC}
    id = str(row.get(fields.id, number))
    model = row.get(fields.model)
    return Response(
        where=where,
        model=None if model is None else str(model),
        id=id,
        doc=_doc(row, known, fields, where, id),
        texts=texts,
        error=error,
        label=None if fields.label is None else _label(row, fields.label, where),
        counted={name: float(row[name]) for name in COUNTED if isinstance(row.get(name), int | float)},
        rest=rest,
    )


def _error(row: Row, fields: Fields) -> str | None:
    """Why there is no response; None where there is one."""
    status = row.get("status")
    failed = status >= 400 if isinstance(status, int) else str(status).lower() in FAILED
    if row.get(fields.error):
        return str(row[fields.error])
    if row.get("refusal"):
        return "refused" if row["refusal"] is True else f"refused: {row['refusal']}"
    if failed:
        return f"status {status}"
    return "no response" if row.get(fields.response, "") is None else None


def _texts(row: dict[str, Any], fields: Fields, where: str) -> tuple[str, ...]:
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


def _doc(row: dict[str, Any], known: Row | None, fields: Fields, where: str, id: str) -> Row:
    """The document; a MathNet problem's as its task has it, so that the task's own runs pair with it."""
    source = {**row, **(known or {})}
    doc = None
    if "competition" in source and {"final_answer", "answers_markdown"} & set(source):
        doc = mathnet.to_doc({"language": "unknown", "id": id, **source})
    if doc is None:
        problem = source.get(fields.problem) or source.get("problem_markdown")
        rest = {k: v for k, v in (known or {}).items() if k not in ("id", "problem", "gold")}
        doc = {"id": id, "problem": problem, **{k: row[k] for k in OF_DOC if k in row}, **rest}
    own = row.get(fields.gold, doc.get("gold", (known or {}).get(fields.gold)))
    if own is None:
        named_field(row, fields.gold, "gold", where)
    if not is_gold(own, blank=False):
        raise RunError(f"{where}: {fields.gold!r} must be {KINDS}, received {str(own)[:80]!r}")
    return {**doc, "gold": plain(own)}
