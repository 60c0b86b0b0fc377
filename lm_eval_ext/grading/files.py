"""Grade a JSON-lines file into another; an interrupted run resumes.

Graded rows are appended to `OUT.partial` in input order; the complete file is renamed to `OUT`. A resumed
run checks the existing rows against the input and grades the rest. `OUT.settings.json` records the settings
that the verdicts depend on; a run with other settings is refused. If the judge could not be asked about a
row, that row and all after it are graded again; the judge's earlier replies are in its cache.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

from tqdm import tqdm

from lm_eval_ext import __version__, jsonl, resume
from lm_eval_ext.errors import DataError
from lm_eval_ext.grading import inputs, parquet
from lm_eval_ext.grading.config import GraderConfig
from lm_eval_ext.grading.inputs import Sources
from lm_eval_ext.grading.rows import ADDED, Fields, FileItem, read, same
from lm_eval_ext.grading.types import LAYERS, Verdict

Say = Callable[[str], None]


class StreamGrader(Protocol):
    """What grades a file: a `Grader`, or a `RayGrader`."""

    @property
    def config(self) -> GraderConfig: ...

    def stream(self, items: Iterable[FileItem], *, size: Callable[[FileItem], int]) -> Iterator[Verdict]:
        """Yields one verdict per item, in order."""
        ...


@dataclass
class Tally:
    """Counts over all rows of the output, and the speed of this run."""

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
        """A summary of three lines."""
        outcomes = [
            self._share(name, self.outcomes) for name in ("correct", "wrong", "no answer", "undecided")
        ]
        layers = [self._share(name, self.layers) for name in LAYERS if self.layers[name]]
        rate = f", {self.graded / self.seconds:,.0f} rows/s" if self.graded and self.seconds else ""
        return f"{self.rows} rows{rate}\n  {'  '.join(outcomes)}\n  by layer: {'  '.join(layers)}"

    def _share(self, name: str, counts: Counter[str]) -> str:
        return f"{name} {counts[name]} ({counts[name] / max(self.rows, 1):.1%})"


def grade_file(
    source: Path | Sources | None,
    out: Path | None,
    grader: StreamGrader,
    *,
    fields: Fields | None = None,
    overwrite: bool = False,
    say: Say = lambda text: None,
) -> Tally:
    """Grades the rows of `source` into `out`; resumes an interrupted run.

    Args:
        source: files: JSON lines, gzipped if the name ends in .gz, or Parquet; None: standard input.
        out: JSON lines, or Parquet by its name; None: standard output, which cannot be resumed.
        grader: with or without a judge.
        fields: names of the fields to read.
        overwrite: ignore what earlier runs wrote.
        say: prints a message.

    Raises:
        DataError: a row cannot be graded; the rows before it are graded and kept.
        ResumeError: `out` belongs to another input or other settings, or another process is writing it.
        OSError: a file cannot be read or written.
    """
    fields = fields or Fields()
    sources = () if source is None else (source,) if isinstance(source, Path) else tuple(source)
    rows, total = read(sources, fields), inputs.count(sources)
    if out is None:
        return _grade(rows, _print, grader, Tally(), total)
    _check_place(out, sources)
    lines = out.with_suffix(".jsonl") if out.suffix == ".parquet" else out
    output = _Output(lines, inputs.name_of(sources), say, verdict_settings(grader, fields))
    tally = output.fill(rows, grader, total, overwrite)
    if lines != out:
        parquet.convert(lines, out, sources)
    return tally


def verdict_settings(grader: StreamGrader, fields: Fields) -> dict[str, Any]:
    """The settings that the verdicts depend on, as JSON."""
    judge = grader.config.judge
    record = getattr(judge, "record", None)
    judged = None if judge is None else record() if record else {"judge": type(judge).__name__}
    return {
        **{f"{name}_field": field for name, field in vars(fields).items()},
        "timeout": grader.config.timeout_s,
        "judge": judged and {name: value for name, value in judged.items() if name != "usage"},
    }


def _check_place(out: Path, sources: Sources) -> None:
    """Raises DataError if `out` cannot be the output, before anything is graded."""
    if out.is_dir():
        raise DataError(f"{out} is a folder; --out must name a file, {out / 'graded.jsonl'} for example")
    if out.exists() and any(out.samefile(source) for source in sources):
        raise DataError(f"{out} is the input; --out must name another file")
    out.parent.mkdir(parents=True, exist_ok=True)


def _grade(
    rows: Iterator[FileItem],
    write: Callable[[bytes], object],
    grader: StreamGrader,
    tally: Tally,
    total: int | None,
) -> Tally:
    """Writes graded rows. An error in `rows` is raised after the rows before it are written."""
    feed = _Feed(rows)
    start = time.monotonic()
    with tqdm(total=total, initial=tally.rows, desc="grading", unit="row") as bar:
        for verdict in grader.stream(feed, size=lambda row: len(row.line) + len(row.response)):
            write(feed.awaited.popleft().graded(verdict))
            tally.add(verdict.correct, verdict.layer, verdict.answer)
            tally.graded += 1
            bar.update()
    tally.seconds = time.monotonic() - start
    if feed.error is not None:
        raise feed.error
    return tally


def _print(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


class _Feed:
    """Rows up to the first invalid one, its error, and the rows that await a verdict."""

    def __init__(self, rows: Iterator[FileItem]) -> None:
        self._rows = rows
        self.awaited: deque[FileItem] = deque()
        self.error: DataError | None = None

    def __iter__(self) -> Iterator[FileItem]:
        try:
            for row in self._rows:
                self.awaited.append(row)
                yield row
        except DataError as error:
            self.error = error


class _Output:
    """`out`, written as `OUT.partial` until it is complete."""

    def __init__(self, out: Path, source: str, say: Say, settings: dict[str, Any]) -> None:
        self.out = out
        self.partial = out.with_name(f"{out.name}.partial")
        self.record = out.with_name(f"{out.name}.settings.json")
        self.source = source
        self.say = say
        self.settings = settings

    def fill(
        self, rows: Iterator[FileItem], grader: StreamGrader, total: int | None, overwrite: bool
    ) -> Tally:
        """Grades the rows that are not yet in the output."""
        tally = Tally()
        with resume.locked(self.out.with_name(f"{self.out.name}.lock"), self.out):
            begun = None if overwrite else next((p for p in (self.partial, self.out) if p.exists()), None)
            with resume.Journal(begun or self.partial) as journal:
                if begun is not None:
                    again = self._skip_graded(journal, rows, tally)
                    following = again or list(islice(rows, 1))
                    if begun == self.out and not following:
                        self.say(f"{self.out} is complete; nothing to do (--overwrite grades it again)")
                        return tally
                    self.say(f"resuming after {tally.rows} rows")
                    rows = chain(following, rows)
                journal.rename(self.partial)
                self._grade(journal, rows, grader, tally, total)
                journal.rename(self.out)
        return tally

    def _grade(
        self,
        journal: resume.Journal,
        rows: Iterator[FileItem],
        grader: StreamGrader,
        tally: Tally,
        total: int | None,
    ) -> None:
        resume.write_json(self.record, {**self.settings, "version": __version__})
        try:
            _grade(rows, journal.append, grader, tally, total)
        except DataError:
            if tally.rows:
                self.say(
                    f"{tally.rows} rows are graded in {self.partial}; fix {self.source} and rerun the same "
                    "command to resume"
                )
            else:
                self.partial.unlink()
                self.record.unlink()
            raise

    def _skip_graded(self, journal: resume.Journal, rows: Iterator[FileItem], tally: Tally) -> list[FileItem]:
        """Skips the `rows` that are in the journal; returns the row to grade again, if any."""
        for number, line in enumerate(journal, 1):
            if number == 1:
                self._check_settings(journal.path)
            row = next(rows, None)
            graded = _graded(line, row) if row else None
            if row is None or graded is None:
                raise resume.ResumeError(
                    f"{journal.path}, line {number} is not row {number} of {self.source}: the output belongs "
                    "to another input, or the input has changed; use another --out, or --overwrite"
                )
            if self.settings["judge"] and _was_not_asked(str(graded["reason"])):
                self.say(f"row {number}: the judge could not be asked; asking again from there")
                return [row]
            tally.add(graded["correct"], graded["layer"], graded["answer"])
        return []

    def _check_settings(self, begun: Path) -> None:
        before = resume.read_json(self.record)
        if before is None:
            self.say(f"{begun}: its settings are not known; assuming the same")
            return
        if (version := before.pop("version", None)) != __version__:
            self.say(f"{begun}: graded by version {version}; this is version {__version__}")
        resume.require_same(
            self.settings, before, begun, "Use the same settings, another --out, or --overwrite"
        )


def _was_not_asked(reason: str) -> bool:
    """Whether the judge could not be asked; called only with a judge, whose import takes 0.1 s."""
    from lm_eval_ext.grading.judge.usage import OVER_BUDGET, UNREACHABLE

    return reason.startswith((UNREACHABLE, OVER_BUDGET))


def _graded(line: bytes, row: FileItem) -> dict[str, Any] | None:
    """Parses a line of the output; None if it does not match this row of the input."""
    try:
        graded = jsonl.parse(line)
    except ValueError:
        return None
    complete = all(name in graded for name in ADDED)
    return graded if complete and same(graded, jsonl.parse(row.line.encode("utf-8"))) else None
