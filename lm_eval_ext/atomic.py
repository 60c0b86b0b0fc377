"""Files that are there whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Writes `text` under a temporary name beside `path`, then gives it its name; folders are made."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> None:
    """`write_text` for bytes."""
    write_lines(path, (data,))


def write_lines(path: Path, lines: Iterable[bytes]) -> None:
    """`write_bytes`, for lines that need not be in memory together; each brings its own end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}")
    try:
        with temporary.open("xb") as file:  # readable as the user's umask says, from its first byte on
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
