"""Files that are there whole or not at all, and the folder of what can be made again."""

from __future__ import annotations

import os
from pathlib import Path

UNFINISHED = ".tmp"


def write(path: Path, content: str) -> None:
    """Puts `content` at `path` in one step: a killed writer leaves the old file, or none.

    Both the file and its name are on disk once this returns.
    """
    unfinished = path.with_name(f"{path.name}.{os.getpid()}{UNFINISHED}")
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def cache_folder() -> Path:
    """`$LM_EVAL_EXT_CACHE`, else `lm-eval-ext` in the user's cache folder."""
    given = os.environ.get("LM_EVAL_EXT_CACHE")
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(given) if given else home / "lm-eval-ext"
