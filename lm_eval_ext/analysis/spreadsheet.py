"""CSV that every reader takes apart as it was put together."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

_FIGURE = re.compile(r"[-+]?[\d.,]+%?(?: to [-+]?[\d.,]+%?)?")
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV with `\\n` behind each, their texts `safe`.

    csv quotes the characters of its line terminator only, and a bare carriage return ends a row for many
    readers: rows are written with both, and the terminator is put right.
    """
    lines: list[str] = []
    to = SimpleNamespace(write=lambda line: lines.append(f"{line.removesuffix(chr(13) + chr(10))}\n"))
    csv.writer(to, lineterminator="\r\n").writerows([safe(cell) for cell in row] for row in rows)
    return "".join(lines)


def safe(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: a text that could be one gets an apostrophe."""
    if not isinstance(value, str) or _FIGURE.fullmatch(value):
        return value
    return f"'{value}" if value[:1] in _STARTS_FORMULA and value else value
