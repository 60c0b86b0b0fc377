"""Read and write JSON lines; errors name the line."""

from __future__ import annotations

import gzip
import json
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from lm_eval_ext.errors import DataError

_SHOWN = 80


def open_lines(path: Path) -> BinaryIO:
    """Opens a file, decompressed if its name ends in .gz."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def read_objects(lines: Iterable[bytes], name: str) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """(place, line, JSON object) for each line of the file `name` that is not empty.

    Raises DataError for the first line that is not a JSON object, and for damaged compression.
    """
    try:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            place, line = f"{name}, line {number}", line.removeprefix(BOM_UTF8) if number == 1 else line
            try:
                values = parse(line)
            except ValueError as error:
                raise DataError(
                    f"{place} is not a JSON object in UTF-8: {error}; each line must be one"
                ) from error
            yield place, line, values
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{name} cannot be decompressed: {error}; compress it again") from error


def parse(line: bytes) -> dict[str, Any]:
    """The JSON object in a line. Raises ValueError with the reason and the start of the line."""
    start = repr(line[:_SHOWN].decode("utf-8", "replace"))
    try:
        values = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # also an integer too long, nesting too deep
        raise ValueError(f"{getattr(error, 'msg', None) or error}: {start}") from error
    if not isinstance(values, dict):
        raise ValueError(f"a {type(values).__name__}: {start}")
    return values


def json_line(fields: Mapping[str, Any], indent: int | None = None) -> bytes:
    """JSON in UTF-8, with a newline at the end."""
    try:
        text = json.dumps(fields, ensure_ascii=False, indent=indent).encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate, which UTF-8 cannot encode
        text = json.dumps(fields, indent=indent).encode("utf-8")
    return text + b"\n"
