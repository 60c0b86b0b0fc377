"""A batch on the terminal: one live table, or a line per change where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from datetime import timedelta
from statistics import mean

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from lm_eval_ext.batch.cells import Cell
from lm_eval_ext.batch.record import BatchRecord, CellRecord

_STYLES = {"done": "green", "failed": "bold red", "running": "cyan", "queued": "yellow", "pending": "dim"}
LOG_EVERY_S = 60


def score(record: CellRecord) -> str:
    """The score of a cell's first task or group."""
    first = next(iter(record.scores.values()), None)
    return "no score" if first is None else f"{first.value:.1%}"


def table(records: Iterable[CellRecord], since: dict[str, float] | None = None) -> Table:
    """Models x evaluations, each with its score or its state; `since`: folder -> start of its state."""
    records = list(records)
    order = list(dict.fromkeys(record.series for record in records))
    records.sort(key=lambda record: (order.index(record.series), record.step or 0))
    evaluations = list(dict.fromkeys(record.evaluation for record in records))
    made = Table("model", *evaluations)
    cells = {(record.model, record.evaluation): record for record in records}
    for model in dict.fromkeys(record.model for record in records):
        made.add_row(model, *(_shown(cells.get((model, name)), since or {}) for name in evaluations))
    return made


def _shown(record: CellRecord | None, since: dict[str, float]) -> str:
    if record is None:
        return ""
    elapsed = time.monotonic() - since[record.folder] if record.folder in since else 0
    timed = f"{record.state} {elapsed:.0f} s"
    text = {"done": score(record), "running": timed, "queued": timed}.get(record.state, record.state)
    return f"[{_STYLES[record.state]}]{text}[/]"


def progress(records: Iterable[CellRecord]) -> str:
    """How many are done, and how long the others take if each takes as long, as many at once as now."""
    states: dict[str, list[CellRecord]] = {}
    for record in records:
        states.setdefault(record.state, []).append(record)
    ended, failed = (states.pop(state, []) for state in ("done", "failed"))
    left = sum(map(len, states.values()))
    total, seconds = left + len(ended) + len(failed), [r.seconds for r in ended if r.seconds is not None]
    said = f"{len(ended)} of {total} done" + f", {len(failed)} failed" * bool(failed)
    if not left or not seconds:
        return said
    rest = mean(seconds) * left / max(1, len(states.get("running", [])))
    return f"{said}, about {timedelta(seconds=round(rest))} left"


class BatchView:
    """Follows the cells of a batch; a context manager.

    Args:
        folders: of the cells that are run; None: all.
    """

    def __init__(
        self, record: BatchRecord, folders: Collection[str] | None = None, console: Console | None = None
    ) -> None:
        self._record, self._folders, self._console = record, folders, console or Console()
        self._logged, self._said = time.monotonic(), ""
        self._since: dict[str, float] = {}
        self._live = Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None

    def __enter__(self) -> BatchView:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._live:
            self.tick()
            self._live.stop()
        elif kind is None:
            self._console.print(table(self._record.cells))

    def changed(self, cell: Cell) -> None:
        """Prints a line about a cell that started, ended or is tried again."""
        record = cell.record
        self._since[record.folder] = time.monotonic()
        silent = record.state == "queued" or (record.state == "pending" and not record.error)
        if self._live is None and not silent:
            what = {"done": f"{score(record)}, {record.seconds or 0:.0f} s", "running": f"on {record.host}"}
            again = "tried again" if record.state == "pending" else record.state
            more = what.get(record.state) or f"{record.error}; log: {cell.log}"
            self._console.print(
                f"{again}: {record.model} | {record.evaluation}: {more}", soft_wrap=True, markup=False
            )

    def tick(self) -> None:
        """Draws the table again; in a log a line once a minute while jobs run, if it has news."""
        cells = self._record.cells
        said = progress(cell for cell in cells if self._folders is None or cell.folder in self._folders)
        if self._live:
            self._live.update(Group(table(cells, self._since), said), refresh=True)
        elif self._is_busy() and time.monotonic() - self._logged >= LOG_EVERY_S:
            self._logged = time.monotonic()
            if said != self._said:
                self._console.print(said)
            self._said = said

    def _is_busy(self) -> bool:
        return any(cell.state in ("queued", "running") for cell in self._record.cells)
