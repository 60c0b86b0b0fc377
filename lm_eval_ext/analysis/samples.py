"""Samples as lm-eval logs them, one line per document and filter, read back."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from lm_eval_ext.grading import Verdict
from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.sources import read_rows

Key = tuple[str, str, int]
"""What pairs samples of two runs: (task, doc_hash, how many equal documents come before)."""
REFUSED = "error"
"""Field of a logged sample: why the provider gave no response. Such a sample is in no denominator."""


class RunError(DataError):
    """A run cannot be read: what was looked for, where, and what to do."""


@dataclass(frozen=True)
class Sample:
    """One document of a task and what came of it.

    Attributes:
        key: pairs it with the same document in another run.
        doc: the document's fields.
        gold: the logged target.
        prompt: what the model was asked: a text, or the JSON of a conversation.
        responses: all that the model wrote, once per repeat.
        verdicts: on each response; empty where another grader than ours wrote the samples.
        scores: the metrics that have a value for this document.
        error: why there is no response (a refusal, a provider's error); then it is not scored.
        row: the line as logged.
    """

    key: Key
    doc: Mapping[str, Any]
    gold: str
    prompt: str
    responses: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    scores: Mapping[str, float]
    error: str | None
    row: Mapping[str, Any]

    @property
    def task(self) -> str:
        return self.key[0]

    @property
    def doc_hash(self) -> str:
        return self.key[1]


class Logged(BaseModel):
    """What a row of a samples file must be, as far as anything here reads it."""

    model_config = ConfigDict(extra="ignore", strict=True)

    doc_id: int
    doc: dict[str, Any]
    resps: list[Any]
    doc_hash: str
    filter: str = "none"
    filtered_resps: list[Any] | str | None = None
    metrics: list[str] = []

    @model_validator(mode="before")
    @classmethod
    def _metrics_are_numbers(cls, row: Any) -> Any:
        names = row.get("metrics")
        for name in names if isinstance(names, list) else ():
            if isinstance(name, str) and isinstance(row.get(name), str):
                raise ValueError(f"the metric {name} is {row[name]!r}, which is no number")
        return row


def is_score(value: Any) -> TypeGuard[float]:
    """Whether a logged metric can be counted; what is not finite is as good as missing."""
    return isinstance(value, bool | int | float) and math.isfinite(value)


def _what(error: ValidationError, row: Mapping[str, Any]) -> str:
    found = error.errors()[0]
    name = ".".join(map(str, found["loc"][:1]))
    received = f", received {str(row.get(name))[:80]!r}" if name else ""
    return f"{name + ': ' if name else ''}{found['msg'].removeprefix('Value error, ')}{received}"


def doc_rows(rows: Iterable[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Logged rows by document, one row per filter in each: a document is logged once for every filter."""
    by_filter: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_filter.setdefault(row.get("filter", "none"), []).append(row)
    counts = {name: len(logged) for name, logged in by_filter.items()}
    if len(set(counts.values())) > 1:
        raise RunError(f"a task's filters have different numbers of samples, {counts}: run lm_eval again")
    return [list(same_doc) for same_doc in zip(*by_filter.values(), strict=True)]


def read_samples(file: Path) -> list[dict[str, Any]]:
    """The rows of a samples file by document. Raises RunError on a row that is none, with its number."""
    rows = list(read_rows(file))
    for number, row in enumerate(rows, 1):
        if missing := {"doc_id", "doc", "target", "resps", "doc_hash"} - set(row):
            raise RunError(
                f"{file}, row {number} is no sample of lm-eval: it has no {', '.join(sorted(missing))}"
            )
        try:
            Logged.model_validate(row)
        except ValidationError as error:
            raise RunError(f"{file}, row {number} is no sample of lm-eval: {_what(error, row)}") from None
    return sorted(rows, key=lambda row: row["doc_id"])


def check_responses(rows: Iterable[Mapping[str, Any]], file: Path) -> None:
    """Raises RunError on the first row that has no response to grade and was not refused either."""
    for row in rows:
        found = row["resps"][0] if isinstance(row["resps"], list) and row["resps"] else None
        texts = isinstance(found, list) and found and all(isinstance(r, str | None) for r in found)
        if not texts and not row.get(REFUSED):
            raise RunError(
                f"{file}, doc {row['doc_id']}: no response in 'resps', which is {str(row['resps'])[:80]}; "
                "grading needs a list of texts: run lm_eval with --log_samples again, or take the row out"
            )


def samples_of(task: str, rows: Iterable[Mapping[str, Any]]) -> tuple[Sample, ...]:
    """The samples of a task, from rows of one filter."""
    seen: Counter[str] = Counter()
    found = []
    for row in rows:
        key = (task, row["doc_hash"], seen[row["doc_hash"]])
        seen[row["doc_hash"]] += 1
        found.append(_sample(key, row))
    return tuple(found)


def answers(sample: Sample) -> list[str | None]:
    """What each response committed to: by the verdicts, else what the task's own filter made of it."""
    if sample.verdicts:
        return [verdict.answer for verdict in sample.verdicts]
    logged = sample.row.get("filtered_resps") or []
    return [str(text) for text in logged]


def _sample(key: Key, row: Mapping[str, Any]) -> Sample:
    scores = {name: row.get(name) for name in row.get("metrics", [])}
    responses = row["resps"][0] if row["resps"] else []
    responses = responses if isinstance(responses, list) else [responses]
    return Sample(
        key=key,
        doc=row["doc"],
        gold=str(row["target"]),
        prompt=_prompt(row),
        responses=tuple(str(response or "") for response in responses),
        verdicts=logged_verdicts(row),
        scores={k: float(v) for k, v in scores.items() if is_score(v)},
        error=row.get(REFUSED),
        row=row,
    )


def _prompt(row: Mapping[str, Any]) -> str:
    arguments = row.get("arguments")
    first = arguments.get("gen_args_0") if isinstance(arguments, Mapping) else None
    return str(first.get("arg_0", "")) if isinstance(first, Mapping) else ""


def logged_verdicts(row: Mapping[str, Any]) -> tuple[Verdict, ...]:
    """The verdicts that our filter logged as JSON; none where it was another filter."""
    logged = row.get("filtered_resps") or []
    texts = logged[0] if logged and isinstance(logged[0], list) else logged
    try:
        return tuple(Verdict.from_json(text) for text in texts)
    except (ValueError, TypeError, AssertionError):
        return ()
