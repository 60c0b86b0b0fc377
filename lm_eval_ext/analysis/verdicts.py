"""Stored responses with the verdicts recorded on them: a change of the grader shows at once.

`baselines/verdicts/*.jsonl`, a line::

    {"id": "arith_words test-0003", "gold": "15", "extract": "statement", "response": "3 * 8 = 24. ...",
     "problem": "A train has ...", "correct": true, "layer": "exact", "answer": "15"}

`python -m lm_eval_ext.analysis.verdicts` grades them again, prints what came out otherwise, and exits with 1
if anything did; with `--accept` the new verdicts are written, for the change to be read in the diff.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from lm_eval_ext.analysis import baselines
from lm_eval_ext.analysis.runs import TaskRun
from lm_eval_ext.analysis.samples import RunError
from lm_eval_ext.atomic import write_text
from lm_eval_ext.grading import EXTRACTORS, Grader, GraderConfig, Item, Verdict
from lm_eval_ext.harness.sources import read_rows

TIMEOUT_S = 20.0
"""Far more than a comparison takes: a slow machine must not look like a changed grader."""


@dataclass(frozen=True)
class Stored:
    """A response and its verdict; the fields of `Item` and `Verdict`, and how the answer is extracted."""

    id: str
    gold: str
    extract: str
    response: str
    problem: str | None
    correct: bool | None
    layer: str
    answer: str | None

    def __post_init__(self) -> None:
        if self.extract not in EXTRACTORS:
            raise RunError(f"{self.id}: extract is {self.extract!r}, not one of {sorted(EXTRACTORS)}")

    def under(self, verdict: Verdict) -> Stored:
        """The same response with another verdict."""
        return replace(self, correct=verdict.correct, layer=verdict.layer, answer=verdict.answer)


@dataclass(frozen=True)
class Change:
    """A verdict that is no longer what was recorded; `reason` is the grader's now."""

    before: Stored
    after: Stored
    reason: str | None

    def __str__(self) -> str:
        return (
            f"{self.before.id}: gold {self.before.gold!r}\n"
            f"  - {_shown(self.before)}\n  + {_shown(self.after)}: {self.reason}"
        )


def read(file: Path) -> list[Stored]:
    """The rows of a file. Raises RunError on a row with other fields."""
    wanted, rows = {field.name for field in fields(Stored)}, list(read_rows(file))
    for number, row in enumerate(rows, 1):
        if set(row) != wanted:
            raise RunError(f"{file}, row {number}: fields {sorted(row)}; expected {sorted(wanted)}")
    return [Stored(**row) for row in rows]


def write(file: Path, rows: Sequence[Stored]) -> None:
    """The rows as a file, whole or not at all."""
    write_text(file, "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows))


def of_run(task: TaskRun, extract: str) -> list[Stored]:
    """The responses of a run's task with the verdicts logged on them; those that timed out are left out."""
    return [
        Stored(
            f"{s.task} {s.doc.get('id', number)}",
            s.doc.get("gold", s.gold),
            extract,
            response,
            s.doc.get("problem"),
            *decided,
        )
        for number, s in enumerate(task.samples)
        for response, verdict in zip(s.responses, s.verdicts, strict=True)
        if "timed out" not in (verdict.reason or "")
        for decided in [(verdict.correct, verdict.layer, verdict.answer)]
    ]


def graded(rows: Sequence[Stored], grader: Grader) -> list[Verdict]:
    """The verdicts of today, in the order of the rows."""
    found: dict[int, Verdict] = {}
    for name in dict.fromkeys(row.extract for row in rows):
        chosen = [i for i, row in enumerate(rows) if row.extract == name]
        items = [Item(rows[i].response, rows[i].gold, rows[i].problem) for i in chosen]
        found |= dict(zip(chosen, grader.grade(items, extractor=EXTRACTORS[name]), strict=True))
    return [found[i] for i in range(len(rows))]


def changes(rows: Sequence[Stored], verdicts: Sequence[Verdict]) -> list[Change]:
    """What came out otherwise: in `correct`, `layer` or `answer`."""
    return [
        Change(row, now, verdict.reason)
        for row, verdict in zip(rows, verdicts, strict=True)
        if (now := row.under(verdict)) != row
    ]


def main(arguments: Sequence[str]) -> int:
    """Checks the files named, else all of `baselines/verdicts`; `--accept` writes what came out."""
    accept = "--accept" in arguments
    named = [Path(a) for a in arguments if a != "--accept"]
    files = named or sorted((baselines.folder() / "verdicts").glob("*.jsonl"))
    total = 0
    with Grader(GraderConfig(timeout_s=TIMEOUT_S)) as grader:
        for file in files:
            rows = read(file)
            verdicts = graded(rows, grader)
            found = changes(rows, verdicts)
            total += len(found)
            print(f"{file.name}: {len(rows)} verdicts, {len(found)} changed", *found, sep="\n")
            if accept and found:
                write(file, [row.under(v) for row, v in zip(rows, verdicts, strict=True)])
    if total and not accept:
        print("If every change above is right: python -m lm_eval_ext.analysis.verdicts --accept")
    return int(bool(total) and not accept)


def _shown(row: Stored) -> str:
    word = {True: "right", False: "wrong", None: "undecided"}[row.correct]
    return f"{word} ({row.layer}), answer {row.answer!r}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
