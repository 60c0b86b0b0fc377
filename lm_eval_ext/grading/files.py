"""Grades a JSON-lines file into another, which can be continued wherever it was interrupted.

Rows are appended to `OUT.partial` as they are graded, in the order of the input, and the file gets its name
when it is complete. A killed run leaves whole rows and at most one half; the next run takes it off,
compares what is there with the input row by row, and goes on behind it.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from tqdm import tqdm

from lm_eval_ext.grading.grader import Grader
from lm_eval_ext.grading.rows import ADDED, Fields, Row, RowError, count_lines, open_lines, parse, read, same
from lm_eval_ext.grading.verdict import LAYERS

Say = Callable[[str], None]
_LOG_S = 30.0


@dataclass
class Tally:
    """What came out, over all rows of the output, and how fast the rows of this run were graded."""

    outcomes: Counter[str] = field(default_factory=Counter)
    layers: Counter[str] = field(default_factory=Counter)
    graded: int = 0
    seconds: float = 0.0

    def add(self, correct: bool | None, layer: str, answer: str | None) -> None:
        wrong = "no answer" if answer is None else "wrong"
        self.outcomes["undecided" if correct is None else "correct" if correct else wrong] += 1
        self.layers[layer] += 1

    @property
    def rows(self) -> int:
        return self.outcomes.total()

    def __str__(self) -> str:
        """A few lines for people."""
        outcomes = [
            self._share(name, self.outcomes) for name in ("correct", "wrong", "no answer", "undecided")
        ]
        layers = [self._share(name, self.layers) for name in LAYERS if self.layers[name]]
        rate = f", {self.graded / self.seconds:,.0f} rows/s" if self.graded and self.seconds else ""
        return f"{self.rows} rows{rate}\n  {'  '.join(outcomes)}\n  by layer: {'  '.join(layers)}"

    def _share(self, name: str, counts: Counter[str]) -> str:
        return f"{name} {counts[name]} ({counts[name] / max(self.rows, 1):.1%})"


def grade_file(
    source: Path | None,
    out: Path | None,
    grader: Grader,
    *,
    fields: Fields | None = None,
    overwrite: bool = False,
    say: Say = lambda text: None,
) -> Tally:
    """Grades the rows of `source` into `out`, or what is left of them.

    Args:
        source: JSON lines, packed if its name ends in .gz; None for the standard input.
        out: where to; None for the standard output, which cannot be continued.
        grader: with or without a judge, who gets the rows in blocks.
        fields: where a row has what is graded.
        overwrite: start again although there is a `.partial`, and replace `out`.
        say: told, as text, where a run goes on or that nothing is left to do.

    Raises RowError on a row that cannot be graded, with all rows before it graded and kept, and on an
    output that belongs to another input; OSError where files cannot be read or written.
    """
    name = "standard input" if source is None else str(source)
    total = None if source is None else count_lines(source)
    with _input(source) as lines:
        rows = read(lines, name, fields or Fields())
        if out is None:
            return _grade(rows, sys.stdout.buffer, grader, Tally(), total)
        if source is not None and out.exists() and out.samefile(source):
            raise RowError(f"{out} is the input; --out must name another file")
        return _Output(out, name, say).fill(rows, grader, total, overwrite)


@contextmanager
def _input(source: Path | None) -> Iterator[BinaryIO]:
    if source is None:
        yield sys.stdin.buffer
    else:
        with open_lines(source) as lines:
            yield lines


def _grade(rows: Iterator[Row], to: BinaryIO, grader: Grader, tally: Tally, total: int | None) -> Tally:
    """Writes graded rows to `to`. Raises what `rows` raises, after the rows before it."""
    feed = _Feed(rows)
    start = time.monotonic()
    interval = 0.1 if sys.stderr.isatty() else _LOG_S
    with tqdm(total=total, initial=tally.rows, desc="grading", unit="row", mininterval=interval) as bar:
        for verdict in grader.stream(feed, size=lambda row: len(row.line) + len(row.response)):
            to.write(feed.awaited.popleft().graded(verdict))
            to.flush()
            tally.add(verdict.correct, verdict.layer, verdict.answer)
            tally.graded += 1
            bar.update()
    tally.seconds = time.monotonic() - start
    if feed.error is not None:
        raise feed.error
    return tally


class _Feed:
    """Rows up to the first that is broken, its error, and those that await their verdicts."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self.awaited: deque[Row] = deque()
        self.error: RowError | None = None

    def __iter__(self) -> Iterator[Row]:
        try:
            for row in self._rows:
                self.awaited.append(row)
                yield row
        except RowError as error:
            self.error = error


class _Output:
    """`out`, and `out.partial` as long as it is not complete."""

    def __init__(self, out: Path, source: str, say: Say) -> None:
        self.out = out
        self.partial = out.with_name(f"{out.name}.partial")
        self.source = source
        self.say = say

    def fill(self, rows: Iterator[Row], grader: Grader, total: int | None, overwrite: bool) -> Tally:
        """Grades what is not there yet; complete, the file gets its name."""
        tally, end = Tally(), 0
        begun = None if overwrite else next((p for p in (self.partial, self.out) if p.exists()), None)
        if begun is not None:
            end = self._pass_by(begun, rows, tally)
            following = list(islice(rows, 1))
            if begun == self.out and not following:
                self.say(f"{self.out} is complete, nothing is left to do; --overwrite grades again")
                return tally
            if begun == self.out:
                os.replace(self.out, self.partial)
            self.say(f"resuming after {tally.rows} rows")
            rows = chain(following, rows)
        with self._opened(end, overwrite or begun is None) as file:
            try:
                _grade(rows, file, grader, tally, total)
            except RowError:
                self.say(
                    f"{tally.rows} rows are graded in {self.partial}; once {self.source} is repaired, "
                    f"the same command goes on behind them"
                )
                raise
            os.fsync(file.fileno())
            os.replace(self.partial, self.out)
        return tally

    def _pass_by(self, begun: Path, rows: Iterator[Row], tally: Tally) -> int:
        """Moves `rows` behind what is graded already. Returns where the last whole row ends, in bytes."""
        end = 0
        with begun.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                graded = parse(line) if line.endswith(b"\n") else None
                if graded is None:
                    self._must_be_last(lines, begun, number)
                    break
                row = next(rows, None)
                values = None if row is None else parse(row.line.encode("utf-8"))
                if values is None or not all(a in graded for a in ADDED) or not same(graded, values):
                    raise RowError(
                        f"{begun}, line {number} is not row {number} of {self.source}: it comes from another "
                        f"input, or the input has changed; give another --out, or --overwrite to replace it"
                    )
                tally.add(graded["correct"], graded["layer"], graded["answer"])
                end += len(line)
        return end

    def _must_be_last(self, lines: BinaryIO, begun: Path, number: int) -> None:
        if lines.readline():
            raise RowError(
                f"{begun}, line {number} is no graded row although others follow; give another --out, or "
                f"--overwrite to replace it"
            )

    @contextmanager
    def _opened(self, end: int, new: bool) -> Iterator[BinaryIO]:
        """The partial file, ours alone, cut off at `end`."""
        with self.partial.open("ab" if new else "r+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RowError(f"another run is writing {self.partial}; wait for it, or end it") from None
            file.truncate(end)
            file.seek(end)
            yield file
