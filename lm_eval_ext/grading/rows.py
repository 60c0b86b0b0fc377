"""Rows of input files as items, and as output lines with verdicts; errors name the line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lm_eval_ext import jsonl
from lm_eval_ext.errors import DataError, shown
from lm_eval_ext.grading import golds, inputs
from lm_eval_ext.grading.inputs import Sources
from lm_eval_ext.grading.types import Item, Verdict

ADDED = ("correct", "layer", "answer", "reason")
"""Fields that grading adds to a row; those of an earlier grading are replaced."""


@dataclass(frozen=True)
class Fields:
    """Names of the fields to read. Raises DataError for a name in `ADDED`."""

    response: str = "response"
    gold: str = "gold"
    problem: str = "problem"

    def __post_init__(self) -> None:
        for option, name in vars(self).items():
            if name in ADDED:
                raise DataError(
                    f"--{option}-field is {name!r}, which grading writes ({', '.join(ADDED)}); "
                    f"rename the field in the input, to {name}_{option} for example"
                )


@dataclass(frozen=True)
class FileItem(Item):
    """An item and its input line; `graded_before`: the line has fields of an earlier grading."""

    line: str = ""
    graded_before: bool = False

    def graded(self, verdict: Verdict) -> bytes:
        """The output line; the input's fields keep their exact text."""
        added = {name: getattr(verdict, name) for name in ADDED}
        if self.graded_before:
            return jsonl.json_line({**kept(json.loads(self.line)), **added})
        return self.line.removesuffix("}").encode("utf-8") + b", " + jsonl.json_line(added).removeprefix(b"{")


def kept(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that grading does not replace."""
    return {name: value for name, value in fields.items() if name not in ADDED}


def same(left: dict[str, Any], right: dict[str, Any]) -> bool:
    """Whether two rows are equal except for the fields that grading adds; NaN equals NaN."""
    left, right = kept(left), kept(right)
    return left == right or json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def read(sources: Sources, fields: Fields) -> Iterator[FileItem]:
    """The rows of the inputs. Raises DataError at the first row that cannot be graded."""
    empty = True
    for where, line, values in inputs.rows(sources):
        empty = False
        yield _item(line, values, where, fields)
    if empty:
        raise DataError(f"{inputs.name_of(sources)} has no rows: nothing to grade; check the file")


def _item(line: bytes, values: dict[str, Any], where: str, fields: Fields) -> FileItem:
    if {"doc", "resps", "target"} <= set(values):
        raise DataError(f"{where} is a sample of lm-eval; to grade its run: lm-eval-ext regrade FOLDER")
    response = named_field(values, fields.response, "response", where)
    if not isinstance(response, str):
        raise DataError(f"{where}: {fields.response!r} must be text, received {shown(response)}")
    gold = named_field(values, fields.gold, "gold", where)
    if not golds.is_gold(gold):
        raise DataError(f"{where}: {fields.gold!r} must be {golds.KINDS}, received {shown(gold)}")
    problem = values.get(fields.problem)
    return FileItem(
        response,
        gold,
        problem if isinstance(problem, str) else None,
        line=line.decode("utf-8").strip(),
        graded_before=any(name in values for name in ADDED),
    )


def named_field(values: dict[str, Any], name: str, option: str, where: str) -> Any:
    """The field of a row. Raises DataError if it is missing; `--OPTION-field` selects another."""
    if name not in values:
        raise DataError(
            f"{where} has no field {name!r}, only {shown(', '.join(values))}; "
            f"--{option}-field names the field to read"
        )
    return values[name]
