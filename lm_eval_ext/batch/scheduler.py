"""Runs the cells of a batch: submits what is missing, tries failures again, keeps the record."""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lm_eval_ext import atomic
from lm_eval_ext.batch import scores
from lm_eval_ext.batch.cells import Cell
from lm_eval_ext.batch.executors.base import Executor
from lm_eval_ext.batch.job import JOB, outcome, started
from lm_eval_ext.batch.plan import Select
from lm_eval_ext.batch.record import BatchRecord, Score
from lm_eval_ext.resume import locked, write_json

_PAUSE_S = 0.3
More = Callable[[bool], list[Cell] | None]
"""Called with whether nothing is running: further cells; None when no more will come."""


class View(Protocol):
    """Shows a batch while it runs."""

    def changed(self, cell: Cell) -> None:
        """The state of a cell changed."""

    def tick(self) -> None:
        """Time passed."""


def no_more(idle: bool) -> None:
    """For a batch whose cells are all known."""


@dataclass
class Batch:
    """The cells of a batch in its folder.

    Attributes:
        cells: all of the matrix.
        chosen: folders of those to run; the others are only recorded. None: all.
        retries: how often a failed cell is started again.
    """

    out: Path
    record: BatchRecord
    cells: list[Cell]
    executor: Executor
    view: View
    chosen: Collection[str] | None = None
    retries: int = 1
    select: Select | None = None
    _waiting: deque[Cell] = field(default_factory=deque)
    _running: dict[str, tuple[Cell, Any, int]] = field(default_factory=dict)
    _failures: dict[str, int] = field(default_factory=dict)

    def run(self, more: More = no_more) -> None:
        """Runs every chosen cell that is not done.

        Raises ResumeError if another process runs a batch in this folder, KeyboardInterrupt after SIGINT or
        SIGTERM, when the jobs are ended.
        """
        began = time.monotonic()
        with locked(self.out / "batch.lock", self.out), _terminable():
            try:
                self.add(self.cells)
                while self._step(more):
                    self.view.tick()
                    self.record.wall_seconds = round(time.monotonic() - began, 1)
                    time.sleep(_PAUSE_S)
            finally:
                self._stop()
                self.record.wall_seconds = round(time.monotonic() - began, 1)
                self._write()

    def is_done(self) -> bool:
        """Whether every chosen cell is done."""
        return all(cell.record.state == "done" for cell in self.cells if self._is_chosen(cell))

    def _is_chosen(self, cell: Cell) -> bool:
        return self.chosen is None or cell.record.folder in self.chosen

    def summary(self) -> Iterator[str]:
        """Failed cells with their logs, the best checkpoint, and the time it took."""
        for cell in self.cells:
            if cell.record.state == "failed":
                yield f"failed: {cell.record.model} | {cell.record.evaluation}: {cell.log}"
        if best := self.record.best:
            tie = "" if best.tie_score is None else f", {best.tie_score:.1%}"
            yield f"best of {best.candidates}: {best.model} ({best.score:.1%}{tie})"
        done = [cell.record.seconds or 0.0 for cell in self.cells if cell.record.state == "done"]
        wall = f"{self.record.wall_seconds:.0f} s"
        yield f"{self.out}: {len(done)} of {len(self.cells)} done, {sum(done):.0f} s of work; this run {wall}"

    def add(self, cells: list[Cell]) -> None:
        """Takes cells into the record; those that are not done wait for a slot."""
        for cell in cells:
            if not self._done(cell) and self._is_chosen(cell):
                self._waiting.append(cell)
        self._write()

    def _step(self, more: More) -> bool:
        """One round; whether there is anything left to do."""
        for cell, job, before in list(self._running.values()):
            self._look_at(cell, job, before)
        while self._waiting and len(self._running) < self.executor.slots:
            self._submit(self._waiting.popleft())
        new = more(not self._running and not self._waiting)
        if new:
            self.cells += new
            self.record.cells += [cell.record for cell in new]
            self.add(new)
        return bool(self._running or self._waiting or new is not None)

    def _submit(self, cell: Cell) -> None:
        write_json(cell.folder / JOB, cell.job.model_dump())
        before = started(cell.folder)["attempts"]
        with cell.log.open("a", encoding="utf-8") as log:
            log.write(f"\n=== {cell.record.model} | {cell.record.evaluation} | attempt {before + 1}\n")
        self._running[cell.record.folder] = (cell, self.executor.submit(cell.folder), before)
        self._set(cell, "queued")

    def _look_at(self, cell: Cell, job: Any, before: int) -> None:
        code = self.executor.poll(job)
        if cell.record.state == "queued" and (state := started(cell.folder))["attempts"] > before:
            cell.record.attempts, cell.record.host = state["attempts"], state["host"]
            self._set(cell, "running")
        if code is None:
            return
        del self._running[cell.record.folder]
        if code == 0 and self._done(cell):
            return
        failures = self._failures[cell.record.folder] = self._failures.get(cell.record.folder, 0) + 1
        cell.record.error = f"exit code {code}: {last_line(cell.log)}"
        if failures <= self.retries:
            self._set(cell, "pending")
            self._waiting.append(cell)
        else:
            self._set(cell, "failed")

    def _done(self, cell: Cell) -> bool:
        """Takes the outcome of a finished cell into the record."""
        done = outcome(cell.job, cell.folder)
        if done is None:
            return False
        record = cell.record
        record.seconds, record.host, record.error = done["seconds"], done["host"], None
        record.attempts = started(cell.folder)["attempts"]
        record.scores = {name: Score.model_validate(score) for name, score in done["scores"].items()}
        self._set(cell, "done")
        return True

    def _set(self, cell: Cell, state: Any) -> None:
        cell.record.state = state
        self._write()
        self.view.changed(cell)

    def _write(self) -> None:
        if self.select:
            self.record.best = scores.best(self.record.cells, self.select)
        self.record.write(self.out)
        atomic.write_text(self.out / scores.TABLE, scores.table(self.record.cells))

    def _stop(self) -> None:
        for cell, job, _ in self._running.values():
            if not self._done(cell):
                self.executor.cancel(job)
                cell.record.state = "pending"
        self.executor.close()


def last_line(log: Path) -> str:
    """The last line of a log that says something."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines()]
    return next((line for line in reversed(lines) if line), "")[:300]


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM interrupts like SIGINT; so does SIGINT where a shell in the background has it ignored.

    Jobs inherit what is ignored, and submitit ends its local jobs by SIGINT.
    """
    kinds = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(kind, _interrupt) for kind in kinds]
    try:
        yield
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
