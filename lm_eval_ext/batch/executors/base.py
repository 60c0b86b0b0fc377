"""What the scheduler needs of a place where jobs run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

MANY = 1_000_000
"""Slots of a cluster, which queues by itself."""
FORWARDED = ("LM_EVAL_EXT_", "HF_", "VLLM_", "PYTHONPATH", "TOKENIZERS_", "OPENAI_", "ANTHROPIC_")
"""Beginnings of the names of environment variables that jobs on other machines get."""


class Executor(Protocol):
    """Runs cells, each by its folder, which all machines share.

    Attributes:
        name: for records.
        slots: how many cells it takes at once.
    """

    name: str
    slots: int

    def submit(self, folder: Path) -> Any:
        """Starts the job of a cell, or queues it. Returns a handle for the other methods."""
        ...

    def poll(self, job: Any) -> int | None:
        """The exit code of a job; None until it ends. A job whose machine died has one too."""
        ...

    def cancel(self, job: Any) -> None:
        """Ends a job and its children."""
        ...

    def close(self) -> None:
        """Frees what the executor holds."""
        ...


def start(folder: Path, more: Mapping[str, str], cwd: str | None = None) -> subprocess.Popen[bytes]:
    """Starts a cell's process in a session of its own; its output is added to the cell's log."""
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "lm_eval_ext.batch.job", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **more},
            cwd=cwd,
            start_new_session=True,
        )


def run_here(folder: str, more: Mapping[str, str], cwd: str) -> int:
    """Runs a cell's process to its end: the task of a cluster. `cwd` is the batch's, for relative paths."""
    return start(Path(folder), more, cwd).wait()


def forwarded() -> dict[str, str]:
    """The environment variables that a job on another machine needs."""
    return {name: value for name, value in os.environ.items() if name.startswith(FORWARDED)}
