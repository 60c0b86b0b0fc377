"""An index of logged samples in SQLite: where each one is, and what it is counted by.

The texts stay in their files. Of a sample the index has its place there, and of all samples that share
outcome, layer, rule, topic, level and length their number: a million are counted as fast as a thousand.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from lm_eval_ext import jsonl
from lm_eval_ext.analysis import lm_eval_files, runs
from lm_eval_ext.analysis.entries import Entry, entries_in
from lm_eval_ext.analysis.pairing import doc_field
from lm_eval_ext.analysis.runs import Sample
from lm_eval_ext.view.folder import Source

UNKNOWN = "not known"
_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE files (
    id INTEGER PRIMARY KEY, run TEXT, model TEXT, task TEXT, team TEXT, path TEXT, filter TEXT, metric TEXT,
    results TEXT, place INTEGER, bytes INTEGER DEFAULT 0, line INTEGER DEFAULT 0, size INTEGER DEFAULT 0,
    scored INTEGER DEFAULT 0, total REAL DEFAULT 0, squares REAL DEFAULT 0);
CREATE TABLE kinds (
    id INTEGER PRIMARY KEY, file INTEGER, outcome TEXT, layer TEXT, rule TEXT, topic TEXT, level TEXT,
    length TEXT, n INTEGER DEFAULT 0);
CREATE TABLE samples (
    id INTEGER PRIMARY KEY, file INTEGER, kind INTEGER, start INTEGER, size INTEGER, doc TEXT, nth INTEGER,
    repeat INTEGER, score REAL);
CREATE INDEX docs ON samples (file, doc, nth);
CREATE TABLE faults (file INTEGER, text TEXT);
"""
_INSERT = """
INSERT INTO samples (file, kind, start, size, doc, nth, repeat, score)
VALUES (:file, :kind, :start, :size, :doc,
    (SELECT count(*) FROM samples WHERE file = :file AND doc = :doc AND repeat = :repeat), :repeat, :score)
"""
_AT_ONCE = 1_000
_MOST_KINDS = 50_000
_MOST_FAULTS = 20
LENGTHS = ("under 500", "500 to 2k", "2k to 8k", "8k to 32k", "32k and more")
"""Lengths of responses, in characters."""
TOPICS = ("topic", "subject", "competition", "hazard")
"""Document fields; the first that a document has is its topic."""


class Index:
    """The index of some files, in a folder of its own. One thread writes, any may read.

    Attributes:
        version: grows with every change.
        share: of the files' bytes, how much is read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kinds: dict[tuple[Any, ...], int] = {}
        self.version, self.share = 0, 0.0
        with closing(self.open()) as db:
            db.executescript(_SCHEMA)

    def open(self) -> sqlite3.Connection:
        """A connection for one thread, to be closed."""
        db = sqlite3.connect(self.folder / "samples.sqlite", timeout=30)
        db.row_factory = sqlite3.Row
        return db

    def update(self, sources: Iterable[Source], seconds: float = 1.0) -> bool:
        """Reads more of the files for about so long; those no longer among them are dropped.

        Returns whether there is more to read.
        """
        deadline, late = time.monotonic() + seconds, False
        with closing(self.open()) as db:
            self._register(db, sources)
            for file in db.execute("SELECT * FROM files ORDER BY place").fetchall():
                for rows in () if late else _grown(file):
                    with db:
                        self._add(db, file["id"], rows)
                    if late := time.monotonic() > deadline:
                        break
            done, size = db.execute("SELECT total(bytes), total(size) FROM files").fetchone()
        self.share = done / size if size else 1.0
        return late

    def _register(self, db: sqlite3.Connection, sources: Iterable[Source]) -> None:
        wanted = {str(source.path): (place, source) for place, source in enumerate(sources)}
        known = {row["path"]: row for row in db.execute("SELECT * FROM files")}
        with db:
            for path, row in list(known.items()):
                if path not in wanted or _size(path) < row["bytes"]:
                    self._drop(db, row["id"])
                    del known[path]
            for path, (place, one) in wanted.items():
                size = _size(path)
                if path in known:
                    db.execute("UPDATE files SET place = ?, size = ? WHERE path = ?", (place, size, path))
                    continue
                new = (
                    one.run,
                    one.model,
                    one.task,
                    one.group,
                    path,
                    one.filter,
                    one.metric,
                    str(one.results),
                )
                db.execute(
                    "INSERT INTO files (run, model, task, team, path, filter, metric, results, place, size) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (*new, place, size),
                )
                self.version += 1

    def _drop(self, db: sqlite3.Connection, file: int) -> None:
        db.execute("DELETE FROM files WHERE id = ?", (file,))
        for table in ("kinds", "samples", "faults"):
            db.execute(f"DELETE FROM {table} WHERE file = ?", (file,))
        self._kinds = {key: kind for key, kind in self._kinds.items() if key[0] != file}
        self.version += 1

    def _add(self, db: sqlite3.Connection, file: int, rows: _Rows) -> None:
        counts: Counter[int] = Counter()
        for row in rows.samples:
            row["kind"] = self._kind(db, (file, *row.pop("counted")))
            counts[row["kind"]] += 1
        db.executemany(_INSERT, rows.samples)
        db.executemany("UPDATE kinds SET n = n + ? WHERE id = ?", [(n, kind) for kind, n in counts.items()])
        scores = [row["score"] for row in rows.samples if row["score"] is not None and row["repeat"] == 0]
        db.execute(
            "UPDATE files SET bytes = ?, line = ?, scored = scored + ?, total = total + ?, "
            "squares = squares + ? WHERE id = ?",
            (rows.bytes, rows.line, len(scores), sum(scores), sum(s * s for s in scores), file),
        )
        (known,) = db.execute("SELECT count(*) FROM faults WHERE file = ?", (file,)).fetchone()
        db.executemany(
            "INSERT INTO faults VALUES (?, ?)", [(file, text) for text in rows.faults[: _MOST_FAULTS - known]]
        )
        self.version += 1

    def _kind(self, db: sqlite3.Connection, key: tuple[Any, ...]) -> int:
        if key not in self._kinds and len(self._kinds) > _MOST_KINDS:
            key = (*key[:4], "other topics", "", key[6])
        if key not in self._kinds:
            made = db.execute(
                "INSERT INTO kinds (file, outcome, layer, rule, topic, level, length) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                key,
            )
            self._kinds[key] = int(made.lastrowid or 0)
        return self._kinds[key]


class _Rows:
    """Some more lines of a file, read.

    Attributes:
        bytes, line: how far the file is read with them.
    """

    def __init__(self) -> None:
        self.samples: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.bytes = self.line = 0


def _grown(file: sqlite3.Row) -> Iterator[_Rows]:
    """The lines of a file that are not read yet; the last one waits until it is whole."""
    start, number, rows = file["bytes"], file["line"], _Rows()
    if _size(file["path"]) <= start:
        return
    with open(file["path"], "rb") as lines:
        lines.seek(start)
        for line in lines:
            try:
                samples = _samples(file, line, start, number + 1)
            except ValueError as error:
                if not line.endswith(b"\n"):
                    break
                rows.faults.append(str(error))
            else:
                rows.samples += samples
            start, number = start + len(line), number + 1
            rows.bytes, rows.line = start, number
            if number % _AT_ONCE == 0:
                yield rows
                rows = _Rows()
    if rows.line:
        yield rows


def _samples(file: sqlite3.Row, line: bytes, start: int, number: int) -> list[dict[str, Any]]:
    """A line's rows of the table `samples`. Raises ValueError that names a broken line."""
    if not line.strip():
        return []
    try:
        row = jsonl.parse(line)
    except ValueError as error:
        raise ValueError(f"{file['path']}, line {number} is not a JSON object: {error}") from None
    lm_eval_files.check_sample(row, f"{file['path']}, line {number}")
    if row.get("filter", "none") != file["filter"]:
        return []
    sample = runs.sample_of((file["task"], row["doc_hash"], 0), row)
    score = sample.scores.get(file["metric"]) if sample.error is None else None
    place = {
        "file": file["id"],
        "start": start,
        "size": len(line),
        "doc": sample.doc_hash[:16],
        "score": score,
    }
    return [
        {**place, "repeat": entry.repeat, "counted": _counted(sample, entry)}
        for entry in entries_in(sample, file["metric"])
    ]


def _counted(sample: Sample, entry: Entry) -> tuple[str, str, str, str, str, str]:
    """What a response is counted by: outcome, layer, rule, topic, level, length."""
    rule = (entry.verdict.rule if entry.verdict else None) or UNKNOWN
    topic = next((str(found) for name in TOPICS if (found := doc_field(sample.doc, name)) is not None), "")
    level = doc_field(sample.doc, "level")
    length = LENGTHS[sum(len(entry.text) >= limit for limit in (500, 2_000, 8_000, 32_000))]
    level = "" if level is None else str(level)
    return entry.outcome, entry.layer or UNKNOWN, rule, topic[:80], level[:80], length


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
