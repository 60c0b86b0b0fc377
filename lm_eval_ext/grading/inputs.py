"""The rows of input files: JSON lines (.gz allowed), Parquet, standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lm_eval_ext import jsonl
from lm_eval_ext.grading import parquet

Sources = Sequence[Path]
"""Files, read one after the other; none: standard input."""
Located = tuple[str, bytes, dict[str, Any]]
"""The place of a row, its JSON line, its object."""


def name_of(sources: Sources) -> str:
    return ", ".join(map(str, sources)) or "standard input"


def count(sources: Sources) -> int | None:
    """Number of rows; None if it is not known: of standard input, of a compressed file.

    Raises OSError if a file cannot be read.
    """
    counts = [_count(source) for source in sources]
    return None if not counts or None in counts else sum(n for n in counts if n is not None)


def _count(source: Path) -> int | None:
    if source.suffix == ".parquet":
        return parquet.count(source)
    with source.open("rb") as file:
        return None if source.suffix == ".gz" else sum(1 for _ in file)


def rows(sources: Sources) -> Iterator[Located]:
    """Every row, in order. Raises DataError at the first one that cannot be read."""
    if not sources:
        yield from jsonl.read_objects(sys.stdin.buffer, name_of(sources))
    for source in sources:
        yield from parquet.rows(source) if source.suffix == ".parquet" else _json_rows(source)


def _json_rows(source: Path) -> Iterator[Located]:
    with jsonl.open_lines(source) as lines:
        yield from jsonl.read_objects(lines, str(source))
