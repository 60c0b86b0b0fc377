"""Questions to the index: counts, pages of samples, searches, the same problem in two runs."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lm_eval_ext import jsonl
from lm_eval_ext.analysis import runs
from lm_eval_ext.analysis.entries import OUTCOMES, Entry, entries_in
from lm_eval_ext.view.folder import natural
from lm_eval_ext.view.index import LENGTHS

FACETS = ("run", "task", "outcome", "layer", "rule", "topic", "level", "length")
"""What samples are filtered and counted by; `task` is also a group of tasks."""
ORDERED: dict[str, tuple[str, ...]] = {"outcome": OUTCOMES, "length": LENGTHS}
CELLS = {
    "flips": "a.score != b.score",
    "only_a": "a.score > b.score",
    "only_b": "a.score < b.score",
    "both": "a.score = 1 AND b.score = 1",
    "neither": "a.score = 0 AND b.score = 0",
}
"""Pairs of samples of two runs, by their scores."""
_UNTIMED = 256
"""Samples that a search reads between two looks at the clock."""
_JOINED = (
    "SELECT s.*, f.run, f.model, f.task, f.metric, f.path, f.filter, f.results "
    "FROM samples s JOIN files f ON f.id = s.file"
)
_PAIRED = (
    " FROM samples a JOIN samples b ON b.file = :b AND b.doc = a.doc AND b.nth = a.nth AND b.repeat = 0 "
    "WHERE a.file = :a AND a.repeat = 0 AND a.score IS NOT NULL AND b.score IS NOT NULL"
)


@dataclass(frozen=True)
class Shown:
    """A sample as pages show it: its row in the index, and its response, read from its file."""

    row: sqlite3.Row
    entry: Entry

    @property
    def link(self) -> dict[str, str]:
        """The query of its page."""
        row, more = self.row, {name: str(self.row[name]) for name in ("nth", "repeat") if self.row[name]}
        return {"run": row["run"], "task": row["task"], "doc": row["doc"], **more}


def shown(row: sqlite3.Row) -> Shown:
    """Reads a sample. Raises ValueError or OSError if its file has changed."""
    with open(row["path"], "rb") as file:
        file.seek(row["start"])
        read = jsonl.parse(file.read(row["size"]))
    sample = runs.sample_of((row["task"], read["doc_hash"], row["nth"]), read)
    return Shown(row, list(entries_in(sample, row["metric"]))[row["repeat"]])


def facets(db: sqlite3.Connection, given: Mapping[str, str]) -> dict[str, list[tuple[str, int]]]:
    """For each facet its values among the samples that all other filters leave, with their number."""
    found = {}
    for name in FACETS:
        where, values = _kinds({k: v for k, v in given.items() if k != name})
        column = f"{'f' if name in ('run', 'task') else 'k'}.{name}"
        query = f"SELECT {column}, sum(k.n) {where} GROUP BY {column}"
        rows = [(str(value), int(n)) for value, n in db.execute(query, values)]
        found[name] = sorted(rows, key=lambda row, name=name: _order(name, *row))  # type: ignore[misc]
    return found


def total(db: sqlite3.Connection, given: Mapping[str, str]) -> int:
    """The number of samples that the filters leave."""
    where, values = _kinds(given)
    return int(db.execute(f"SELECT coalesce(sum(k.n), 0) {where}", values).fetchone()[0])


def page(db: sqlite3.Connection, given: Mapping[str, str], start: int, most: int) -> list[sqlite3.Row]:
    """Samples in the order of the runs and their documents."""
    where, values = _samples(given)
    return db.execute(f"{_JOINED} {where} ORDER BY s.id LIMIT ? OFFSET ?", (*values, most, start)).fetchall()


def search(
    db: sqlite3.Connection,
    given: Mapping[str, str],
    words: str,
    *,
    after: int = 0,
    most: int = 25,
    seconds: float = 2.0,
    back: bool = False,
) -> tuple[list[sqlite3.Row], int | None]:
    """Samples whose problem, gold, response, answer or name has all the words, and where to go on.

    Reads the files from behind the sample `after` on (`back`: before it), for so many seconds at most. The
    second is None at the end of the samples.
    """
    wanted = words.lower().split()
    where, values = _samples(given)
    sign, order = ("<", "DESC") if back else (">", "ASC")
    deadline, found = time.monotonic() + seconds, []
    rows = db.execute(f"{_JOINED} {where} AND s.id {sign} ? ORDER BY s.id {order}", (*values, after))
    for number, (row, line) in enumerate(_lines(rows)):
        if _may_have(line, wanted) and _has(row, wanted):
            found.append(row)
        if len(found) == most or (number % _UNTIMED == 0 and time.monotonic() > deadline):
            return found, row["id"]
    return found, None


def find(db: sqlite3.Connection, given: Mapping[str, str]) -> sqlite3.Row | None:
    """The sample that a link names."""
    place = (given.get("doc", ""), int(given.get("nth") or 0), int(given.get("repeat") or 0))
    query = f"{_JOINED} WHERE s.doc = ? AND s.nth = ? AND s.repeat = ? AND f.run = ? AND f.task = ?"
    row: sqlite3.Row | None = db.execute(query, (*place, given.get("run"), given.get("task"))).fetchone()
    return row


def neighbour(
    db: sqlite3.Connection, given: Mapping[str, str], words: str, of: int, back: bool
) -> sqlite3.Row | None:
    """The next sample that the filters and the search leave, or the one before."""
    if words:
        rows, _ = search(db, given, words, after=of, most=1, back=back)
        return rows[0] if rows else None
    where, values = _samples(given)
    sign, order = ("<", "DESC") if back else (">", "ASC")
    query = f"{_JOINED} {where} AND s.id {sign} ? ORDER BY s.id {order} LIMIT 1"
    row: sqlite3.Row | None = db.execute(query, (*values, of)).fetchone()
    return row


def elsewhere(db: sqlite3.Connection, row: sqlite3.Row) -> list[sqlite3.Row]:
    """The responses of all runs and repeats to a sample's problem, with their outcomes."""
    query = (
        f"{_JOINED.replace('SELECT s.*', 'SELECT s.*, k.outcome, k.layer')} JOIN kinds k ON k.id = s.kind "
    )
    query += "WHERE f.task = ? AND s.doc = ? AND s.nth = ? ORDER BY f.place, s.repeat"
    return db.execute(query, (row["task"], row["doc"], row["nth"])).fetchall()


def crossed(db: sqlite3.Connection, a: int, b: int) -> sqlite3.Row:
    """Of the problems that two files share: their number n, the two means, and the cells of the 2x2 table."""
    cells = {"both": (1, 1), "only_a": (1, 0), "only_b": (0, 1), "neither": (0, 0)}
    sums = (f"total(a.score = {x} AND b.score = {y}) AS {name}" for name, (x, y) in cells.items())
    means = "count(*) AS n, ifnull(avg(a.score), 0) AS first, ifnull(avg(b.score), 0) AS second"
    row: sqlite3.Row = db.execute(f"SELECT {means}, {', '.join(sums)} {_PAIRED}", {"a": a, "b": b}).fetchone()
    return row


def scores(db: sqlite3.Connection, a: int, b: int) -> tuple[list[float], list[float]]:
    """The scores of the problems that two files share."""
    pairs = db.execute(f"SELECT a.score, b.score {_PAIRED}", {"a": a, "b": b}).fetchall()
    return [float(pair[0]) for pair in pairs], [float(pair[1]) for pair in pairs]


def pairs(
    db: sqlite3.Connection, a: int, b: int, cell: str, start: int, most: int
) -> list[tuple[sqlite3.Row, sqlite3.Row]]:
    """The samples of two files in a cell of CELLS."""
    query = f"SELECT a.id, b.id {_PAIRED} AND {CELLS[cell]} ORDER BY a.id LIMIT :most OFFSET :start"
    found = db.execute(query, {"a": a, "b": b, "most": most, "start": start}).fetchall()
    one = f"{_JOINED} WHERE s.id = ?"
    return [(db.execute(one, (x,)).fetchone(), db.execute(one, (y,)).fetchone()) for x, y in found]


def _kinds(given: Mapping[str, str]) -> tuple[str, list[str]]:
    where, values = ["1"], []
    for name in FACETS:
        if value := given.get(name):
            where.append("? IN (f.task, f.team)" if name == "task" else f"{name} = ?")
            values.append(value)
    return f"FROM kinds k JOIN files f ON f.id = k.file WHERE {' AND '.join(where)}", values


def _samples(given: Mapping[str, str]) -> tuple[str, list[str]]:
    where, values = _kinds(given)
    return (f"WHERE s.kind IN (SELECT k.id {where})" if values else "WHERE 1"), values


def _order(name: str, value: str, n: int) -> Any:
    if name in ORDERED:
        return ORDERED[name].index(value)
    return natural(value) if name in ("run", "task", "level") else -n


def _lines(rows: sqlite3.Cursor) -> Iterator[tuple[sqlite3.Row, str]]:
    """Each sample with its line, in lower case."""
    path, file = "", None
    try:
        for row in rows:
            if row["path"] != path:
                if file:
                    file.close()
                path, file = row["path"], open(row["path"], "rb")  # noqa: SIM115
            assert file is not None
            file.seek(row["start"])
            yield row, file.read(row["size"]).decode("utf-8", "replace").lower()
    finally:
        if file:
            file.close()


def _may_have(line: str, words: list[str]) -> bool:
    """Whether a line of JSON can have the words: a quick look, which spares reading most of them."""
    spelled = ((json.dumps(word, ensure_ascii=False)[1:-1], json.dumps(word)[1:-1]) for word in words)
    return all(plain in line or ascii in line for plain, ascii in spelled)


def _has(row: sqlite3.Row, words: list[str]) -> bool:
    entry = shown(row).entry
    sample = entry.sample
    text = "\n".join([sample.problem, sample.gold, entry.text, entry.answer or "", sample.name]).lower()
    return all(word in text for word in words)
