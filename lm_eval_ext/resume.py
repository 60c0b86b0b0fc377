"""Resume interrupted work: one writer, unchanged settings, and only whole lines on disk.

    with locked(out.with_name("out.lock"), out):
        record = out.with_name("out.settings.json")
        require_same(settings, read_json(record), out, "give the same settings, or another --out")
        write_json(record, settings)
        with Journal(out.with_name("out.partial")) as journal:
            done = [json.loads(line) for line in journal]
            for item in items[len(done):]:
                journal.append(jsonl.json_line(work(item)))
            journal.rename(out)

Output that is not a list of lines is written at once instead (`write_json`, `atomic.write_text`): a file per
chunk, or one small record that is rewritten after every step.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from lm_eval_ext import atomic
from lm_eval_ext.errors import UserError


class ResumeError(UserError):
    """Work cannot be resumed: another process is doing it, or its settings have changed."""


@contextmanager
def locked(lock: Path, output: Path) -> Iterator[None]:
    """Holds the lock file of `output`; the system frees it when the process ends, however it ends.

    Raises ResumeError if another process holds it, OSError if it cannot be written.
    """
    from filelock import FileLock, Timeout  # 0.2 s

    lock.parent.mkdir(parents=True, exist_ok=True)
    holder = lock.read_text("utf-8").strip() if lock.exists() else ""  # older releases empty it when they try
    try:
        held = FileLock(lock).acquire(timeout=0)
    except Timeout:
        in_use = f"{output} is in use by {holder or 'another process'}"
        raise ResumeError(f"{in_use}: wait until it ends, or name another output") from None
    with held:
        try:
            lock.write_text(f"process {os.getpid()} on {socket.gethostname()}\n", "utf-8")
            yield
        finally:
            lock.unlink(missing_ok=True)


@contextmanager
def locked_when_free(lock: Path, output: Path) -> Iterator[None]:
    """`locked`, but waits for the process that holds the lock, and says so once on stderr."""
    with ExitStack() as held:
        said = False
        while True:
            try:
                held.enter_context(locked(lock, output))
                break
            except ResumeError as error:
                if not said:
                    print(f"waiting: {str(error).partition(':')[0]}", file=sys.stderr, flush=True)
                said = True
                time.sleep(0.5)
        yield


def require_same(now: Mapping[str, Any], before: Mapping[str, Any] | None, output: Path, advice: str) -> None:
    """Raises ResumeError if `output` was begun with other settings; None: it was not begun."""
    if before is not None and (changed := differences(now, before)):
        raise ResumeError(f"{output} was begun with other settings: {'; '.join(changed)}. {advice}")


def differences(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """`["seed is 2 and was 1", "judge.model is a and was b", ...]`, of values that JSON can hold."""
    return list(_differences(json.loads(json.dumps(now)), json.loads(json.dumps(before)), ""))


def _differences(now: dict[str, Any], before: dict[str, Any], prefix: str) -> Iterator[str]:
    for name in sorted({*now, *before}):
        new, old = now.get(name), before.get(name)
        if isinstance(new, dict) and isinstance(old, dict):
            yield from _differences(new, old, f"{prefix}{name}.")
        elif new != old:
            yield f"{prefix}{name} is {_shown(new)} and was {_shown(old)}"


def _shown(value: Any) -> str:
    return "not given" if value is None else str(value)


def read_json(file: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None if there is no such file, or it holds anything else."""
    try:
        return dict(json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_json(file: Path, values: Mapping[str, Any]) -> None:
    """Writes a JSON object at once."""
    atomic.write_text(file, json.dumps(values, indent=2) + "\n")


class Journal:
    """A file of lines that is only appended to: read what earlier runs left, then append.

    `append` continues behind the last line that was read and drops the rest: the torn last line of a killed
    run, which is never yielded, or every line from the one at which a loop is left.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._end = 0
        self._file: BinaryIO | None = None

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file, if it was written."""
        if self._file is not None:
            self._file.close()

    def __iter__(self) -> Iterator[bytes]:
        self._end = 0
        if not self.path.exists():
            return
        with self.path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                yield line
                self._end += len(line)

    def append(self, line: bytes) -> None:
        """Writes a line, which brings its own end; the line survives this process once this returns."""
        file = self._opened()
        file.write(line)
        file.flush()

    def rename(self, path: Path) -> None:
        """Gives the file another name, with everything on disk."""
        os.fsync(self._opened().fileno())
        os.replace(self.path, path)
        self.path = path

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("r+b" if self.path.exists() else "w+b")
            self._file.truncate(self._end)
            self._file.seek(self._end)
        return self._file
