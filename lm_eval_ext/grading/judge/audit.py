"""Sample the layers' verdicts for the judge to check, and log disagreements."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from lm_eval_ext.grading.judge.errors import JudgeError


def sampled(share: float, seed: int, *texts: str | None) -> bool:
    """Whether a question is in the sample: the same in every run, independent of other questions."""
    digest = sha256(json.dumps([seed, *texts]).encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


class DisagreementLog:
    """One JSON line per question on which the layers and the judge disagree.

    Each line is appended in one system call, so several processes can share a file.

    Raises JudgeError if the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._logged = self._read()

    def write(self, key: str, fields: Mapping[str, Any]) -> None:
        """Logs the question `key` unless it is already logged."""
        with self._lock:
            if key in self._logged:
                return
            self._logged.add(key)
            self._append(json.dumps({"key": key, **fields}) + "\n")

    def _read(self) -> set[str]:
        """The logged keys. Ends a partial last line that a killed process left."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            text = self.path.read_text("utf-8") if self.path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise JudgeError(f"judge: cannot append to the log {self.path}: {error}") from None
        if text and not text.endswith("\n"):
            self._append("\n")
        return {key for line in text.splitlines() if (key := _key(line)) is not None}

    def _append(self, text: str) -> None:
        try:
            with self.path.open("ab", buffering=0) as file:
                file.write(text.encode())
        except OSError as error:
            raise JudgeError(f"judge: {self.path} cannot be written: {error}") from None


def _key(line: str) -> str | None:
    try:
        row = json.loads(line)
    except ValueError:  # a partial line
        return None
    return row.get("key") if isinstance(row, dict) else None
