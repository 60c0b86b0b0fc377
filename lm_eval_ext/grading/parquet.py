"""Parquet files of responses and of graded rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lm_eval_ext import atomic
from lm_eval_ext.errors import DataError

_ROWS = 1000
_BLOCK = 64 * 2**20
"""Bytes of JSON lines from which the types of columns are inferred; no row may be longer."""


def count(file: Path) -> int:
    return int(_opened(file).metadata.num_rows)


def rows(file: Path) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """(place, JSON line, values) of each row; values that JSON lacks, such as dates, become text."""
    number = 0
    for batch in _opened(file).iter_batches(_ROWS):
        for values in batch.to_pylist():
            number += 1
            line = json.dumps(values, ensure_ascii=False, default=str)
            yield f"{file}, row {number}", line.encode("utf-8"), values


def convert(lines: Path, out: Path, sources: Sequence[Path]) -> None:
    """Writes graded JSON lines as Parquet; numbers keep the types that they have in Parquet sources."""
    import pyarrow as pa
    from pyarrow.json import ParseOptions, ReadOptions, open_json
    from pyarrow.parquet import ParquetWriter

    known = [_opened(source).schema_arrow for source in sources if source.suffix == ".parquet"] or [
        pa.schema([])
    ]
    graded = [("correct", pa.bool_()), *((name, pa.string()) for name in ("layer", "answer", "reason"))]
    numbers = [
        f
        for f in pa.unify_schemas(known)
        if pa.types.is_primitive(f.type) and not pa.types.is_temporal(f.type)
    ]
    kept = [field for field in numbers if field.name not in dict(graded)]
    parsing = ParseOptions(explicit_schema=pa.schema([*kept, *(pa.field(*field) for field in graded)]))
    reader = open_json(lines, ReadOptions(block_size=_BLOCK), parsing)
    with lines.open("rb") as file:
        names = list(dict.fromkeys([*json.loads(file.readline()), *reader.schema.names]))
    schema = pa.schema([reader.schema.field(name) for name in names])
    with atomic.replacing(out) as partial, ParquetWriter(partial, schema) as writer:
        for batch in reader:
            writer.write_batch(batch.select(names))


def _opened(file: Path) -> Any:
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        return ParquetFile(file)
    except pyarrow.ArrowException as error:
        raise DataError(f"{file} is not a Parquet file: {error}") from error
