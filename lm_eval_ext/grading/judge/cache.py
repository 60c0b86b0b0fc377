"""Replies on disk, keyed by the SHA-256 of everything they depend on."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from lm_eval_ext.grading.judge.config import ClientConfig
from lm_eval_ext.grading.judge.errors import JudgeError
from lm_eval_ext.grading.judge.usage import Reply

FILE = "replies.sqlite3"
_BUSY_S = 60.0


def cache_key(parts: dict[str, Any]) -> str:
    """Hash of everything that a reply depends on."""
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class ReplyCache:
    """Persistent cache of replies. Safe for threads and processes, even if one is killed.

    Each operation opens its own connection: that takes microseconds, and forks and threads cannot share one.
    Uses a rollback journal instead of WAL, which fails on network file systems.

    Args:
        folder: holds the file `replies.sqlite3`; created if missing.
        asked: whose settings errors name.

    Raises JudgeError if the file cannot be used.
    """

    def __init__(self, folder: Path, asked: type[ClientConfig] = ClientConfig) -> None:
        self._asked = asked
        self.path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JudgeError(
                f"{asked.role}: no cache in {folder}: {error}; choose another folder with "
                f"{asked.option('cache')}"
            ) from None
        with self._open() as database:
            database.execute("CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, opinion TEXT)")

    def get(self, keys: Iterable[str]) -> dict[str, Reply]:
        """The cached replies, by key."""
        with self._open() as database:
            database.execute("BEGIN")  # one lock for all lookups
            found = (
                database.execute("SELECT key, opinion FROM replies WHERE key = ?", [key]).fetchone()
                for key in keys
            )
            return {row[0]: _reply(json.loads(row[1])) for row in found if row is not None}

    def put(self, key: str, reply: Reply) -> None:
        """Stores a reply; it is on disk when this returns."""
        with self._open() as database:
            database.execute("INSERT OR REPLACE INTO replies VALUES (?, ?)", (key, json.dumps(asdict(reply))))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=_BUSY_S)) as database, database:
                yield database
        except sqlite3.Error as error:
            raise JudgeError(
                f"{self._asked.role}: the cache {self.path} cannot be used: {error}; move it, or choose "
                f"another folder with {self._asked.option('cache')}"
            ) from None


def _reply(row: dict[str, Any]) -> Reply:
    """Caches of earlier versions hold the usage too."""
    return Reply(row["kind"], row["text"], row["cut"])
