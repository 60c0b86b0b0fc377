"""Rows of a JSON-lines file: read them with errors that name the line, write them with verdicts."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from lm_eval_ext.grading import golds
from lm_eval_ext.grading.types import Item, Verdict

ADDED = ("correct", "layer", "answer", "reason")
"""Fields that grading adds to a row; if the input has them, from an earlier grading, they are replaced."""
_BOM = b"\xef\xbb\xbf"
_SHOWN = 120
_BLOCK = 2**20


class RowError(ValueError):
    """A row that cannot be graded: file and line, what was received, what to do."""


@dataclass(frozen=True)
class Fields:
    """Names of the fields to grade. Raises RowError for a name that grading itself writes."""

    response: str = "response"
    gold: str = "gold"
    problem: str = "problem"

    def __post_init__(self) -> None:
        for option, name in vars(self).items():
            if name in ADDED:
                raise RowError(
                    f"--{option}-field is {name!r}, which grading writes ({', '.join(ADDED)}); "
                    f"rename the field in the input, to {name}_{option} for example"
                )


@dataclass(frozen=True)
class FileItem(Item):
    """An item and its line of the input; `graded_before`: the line has fields of an earlier grading."""

    line: str = ""
    graded_before: bool = False

    def graded(self, verdict: Verdict) -> bytes:
        """The line of the output; the input's fields stay exactly as they were written."""
        added = {name: getattr(verdict, name) for name in ADDED}
        if self.graded_before:
            return utf8_line({**kept(json.loads(self.line)), **added})
        return self.line.removesuffix("}").encode("utf-8") + b", " + utf8_line(added).removeprefix(b"{")


def utf8_line(fields: Mapping[str, Any], indent: int | None = None) -> bytes:
    """JSON in UTF-8, with its line end."""
    try:
        text = json.dumps(fields, ensure_ascii=False, indent=indent).encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate, which UTF-8 cannot encode
        text = json.dumps(fields, indent=indent).encode("utf-8")
    return text + b"\n"


def kept(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that grading does not replace."""
    return {name: value for name, value in fields.items() if name not in ADDED}


def same(left: dict[str, Any], right: dict[str, Any]) -> bool:
    """Whether two rows are equal except for the fields that grading adds; NaN equals NaN."""
    left, right = kept(left), kept(right)
    return left == right or json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def open_lines(path: Path) -> BinaryIO:
    """Opens a file, decompressed if its name ends in .gz."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def count_lines(path: Path) -> int | None:
    """Number of lines, with or without a final newline; None for a compressed file: too slow."""
    if path.suffix == ".gz":
        return None
    ends, last = 0, b"\n"
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            ends, last = ends + block.count(b"\n"), block
    return ends + (not last.endswith(b"\n"))


def read(lines: Iterable[bytes], name: str, fields: Fields) -> Iterator[FileItem]:
    """The rows of the file `name`; skips empty lines. Raises RowError for the first that cannot be graded."""
    with unpacked(name):
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _item(
                    line.removeprefix(_BOM) if number == 1 else line, f"{name}, line {number}", fields
                )


@contextmanager
def unpacked(name: str) -> Iterator[None]:
    """Raises RowError if a compressed file is damaged or truncated."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise RowError(f"{name} cannot be decompressed: {error}; compress it again") from error


def _item(line: bytes, where: str, fields: Fields) -> FileItem:
    values = parse(line)
    if values is None:
        raise RowError(
            f"{where} is not a JSON object: {_shown(line)}; every line must be one, like {_EXAMPLE}"
        )
    if {"doc", "resps", "target"} <= set(values):
        raise RowError(f"{where} is a sample of lm-eval; to grade its run: lm-eval-ext regrade FOLDER")
    response = named_field(values, fields.response, "response", where)
    if not isinstance(response, str):
        raise RowError(f"{where}: {fields.response!r} must be text, received {_shown(response)}")
    gold = named_field(values, fields.gold, "gold", where)
    if not golds.is_gold(gold):
        raise RowError(f"{where}: {fields.gold!r} must be {golds.KINDS}, received {_shown(gold)}")
    problem = values.get(fields.problem)
    return FileItem(
        response,
        gold,
        problem if isinstance(problem, str) else None,
        line=line.decode("utf-8").strip(),
        graded_before=any(name in values for name in ADDED),
    )


_EXAMPLE = '{"response": "... Final answer: 1/2", "gold": "0.5"}'


def parse(line: bytes) -> dict[str, Any] | None:
    """The line as a JSON object, None if it is anything else."""
    try:
        values = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):  # not JSON, not UTF-8, an integer too long, nested too deep
        return None
    return values if isinstance(values, dict) else None


def named_field(values: dict[str, Any], name: str, option: str, where: str) -> Any:
    """The field of a row. Raises RowError if it is missing; `--OPTION-field` selects another."""
    if name not in values:
        raise RowError(
            f"{where} has no field {name!r}, only {_shown(', '.join(values))}; "
            f"--{option}-field names the field to read"
        )
    return values[name]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
