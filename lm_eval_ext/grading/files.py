"""Grades a JSON-lines file into another, which can be continued wherever it was interrupted.

Rows are appended to `OUT.partial` as they are graded, in the order of the input, and the file gets its name
when it is complete. A killed run leaves whole rows and at most one half; the next run takes it off,
compares what is there with the input row by row, and goes on behind it. `OUT.settings.json` keeps what the
verdicts depend on: rows made with other settings are not continued. Rows that a judge was to be asked about
and could not be are graded again, with all behind them; what it did say is in its cache.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

from tqdm import tqdm

from lm_eval_ext import __version__, atomic
from lm_eval_ext.grading.grader import Grader
from lm_eval_ext.grading.judge.usage import OVER_BUDGET, UNREACHABLE
from lm_eval_ext.grading.rows import ADDED, Fields, Row, RowError, count_lines, open_lines, parse, read, same
from lm_eval_ext.grading.types import LAYERS

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
    if out is not None:
        _check_place(out, source)
    with _input(source) as lines:
        rows = _at_least_one(read(lines, name, fields or Fields()), name)
        if out is None:
            return _grade(rows, sys.stdout.buffer, grader, Tally(), total)
        output = _Output(out, name, say, settings_of(grader, fields or Fields()))
        return output.fill(rows, grader, total, overwrite)


def settings_of(grader: Grader, fields: Fields) -> dict[str, Any]:
    """What the verdicts on a file depend on, besides the file and the version; as JSON."""
    judge = grader.config.judge
    record = getattr(judge, "record", None)
    judged = None if judge is None else record() if record else {"judge": type(judge).__name__}
    return {
        **{f"{name}_field": field for name, field in vars(fields).items()},
        "timeout": grader.config.timeout_s,
        "judge": judged and {name: value for name, value in judged.items() if name != "usage"},
    }


def _check_place(out: Path, source: Path | None) -> None:
    """Before anything is graded: a place that cannot be written must not show when all is done."""
    if out.is_dir():
        raise RowError(f"{out} is a folder; --out must name a file, {out / 'graded.jsonl'} for example")
    if source is not None and out.exists() and out.samefile(source):
        raise RowError(f"{out} is the input; --out must name another file")
    out.parent.mkdir(parents=True, exist_ok=True)


def _at_least_one(rows: Iterator[Row], name: str) -> Iterator[Row]:
    """The rows. Raises RowError where there is none."""
    number = -1
    for number, row in enumerate(rows):  # noqa: B007
        yield row
    if number < 0:
        raise RowError(f"{name} has no rows: nothing to grade; check the file")


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


def _setting(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {inner}" for name, inner in value.items())
    return "not given" if value is None else repr(value)


class _Output:
    """`out`, and `out.partial` as long as it is not complete."""

    def __init__(self, out: Path, source: str, say: Say, settings: dict[str, Any]) -> None:
        self.out = out
        self.settings = settings
        self.remembered = out.with_name(f"{out.name}.settings.json")
        self.partial = out.with_name(f"{out.name}.partial")
        self.source = source
        self.say = say

    def fill(self, rows: Iterator[Row], grader: Grader, total: int | None, overwrite: bool) -> Tally:
        """Grades what is not there yet; complete, the file gets its name."""
        tally, end = Tally(), 0
        begun = None if overwrite else next((p for p in (self.partial, self.out) if p.exists()), None)
        if begun is not None and begun.stat().st_size:
            self._compare_settings(begun)
        if begun is not None:
            end, again = self._pass_by(begun, rows, tally)
            following = again or list(islice(rows, 1))
            if begun == self.out and not following:
                self.say(f"{self.out} is complete, nothing is left to do; --overwrite grades again")
                return tally
            if begun == self.out:
                os.replace(self.out, self.partial)
            self.say(f"resuming after {tally.rows} rows")
            rows = chain(following, rows)
        with self._opened(end, overwrite or begun is None) as file:
            self._remember()
            try:
                _grade(rows, file, grader, tally, total)
            except RowError:
                if not tally.rows:
                    self.partial.unlink()
                    self.remembered.unlink(missing_ok=True)
                    raise
                self.say(
                    f"{tally.rows} rows are graded in {self.partial}; once {self.source} is repaired, "
                    f"the same command goes on behind them"
                )
                raise
            os.fsync(file.fileno())
            os.replace(self.partial, self.out)
        return tally

    def _compare_settings(self, begun: Path) -> None:
        """Raises RowError where what is there was made with other settings; says so where none are known."""
        if not self.remembered.exists():
            self.say(f"{begun}: it is not known with which settings; taken for the same")
            return
        kept = parse(self.remembered.read_bytes()) or {}
        version = kept.pop("version", None)
        names = [n for n in sorted({*kept, *self.settings}) if kept.get(n) != self.settings.get(n)]
        if names:
            what = "; ".join(
                f"{n} was {_setting(kept.get(n))} and is {_setting(self.settings.get(n))}" for n in names
            )
            raise RowError(
                f"{begun} was graded with other settings: {what}; give those, another --out, or --overwrite "
                f"to grade again"
            )
        if version != __version__:
            self.say(f"{begun}: its rows were graded by version {version}, this is {__version__}")

    def _remember(self) -> None:
        text = json.dumps({**self.settings, "version": __version__}, indent=1, ensure_ascii=False)
        atomic.write_text(self.remembered, text + "\n")

    def _pass_by(self, begun: Path, rows: Iterator[Row], tally: Tally) -> tuple[int, list[Row]]:
        """Moves `rows` behind what is graded already.

        Returns where that ends, in bytes, and the row moved past if it is to be graded again.
        """
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
                if self.settings["judge"] and str(graded["reason"]).startswith((UNREACHABLE, OVER_BUDGET)):
                    self.say(f"row {number}: the judge could not be asked; it is asked again from there")
                    return end, [row] if row else []
                tally.add(graded["correct"], graded["layer"], graded["answer"])
                end += len(line)
        return end, []

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
