"""Recorded verdicts on stored responses: every change of the grader shows.

`baselines/verdicts/*.jsonl`, a line::

    {"id": "arith_words test-0003", "gold": "15", "extract": "statement", "response": "3 * 8 = 24. ...",
     "problem": "A train has ...", "correct": true, "layer": "exact", "answer": "15"}

`python -m lm_eval_ext.analysis.verdicts` grades them again, prints every difference, and exits with 1
if there is one; with `--accept` it records the new verdicts, to be reviewed in the diff.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, field_validator

from lm_eval_ext.analysis import baselines, lm_eval_files
from lm_eval_ext.analysis.lm_eval_files import validated
from lm_eval_ext.grading import EXTRACTORS, Grader, GraderConfig, Item, Verdict
from lm_eval_ext.harness.sources import read_rows

TIMEOUT_S = 20.0
"""Far more than a comparison takes: a slow machine must not look like a changed grader."""


class RecordedVerdict(BaseModel):
    """A response and its verdict; the fields of `Item` and `Verdict`, and how the answer is extracted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: str
    gold: str
    extract: str
    response: str
    problem: str | None
    correct: bool | None
    layer: str
    answer: str | None

    @field_validator("extract")
    @classmethod
    def _is_known(cls, extract: str) -> str:
        if extract not in EXTRACTORS:
            raise ValueError(f"not one of {sorted(EXTRACTORS)}")
        return extract

    def updated(self, verdict: Verdict) -> RecordedVerdict:
        """The same response with another verdict."""
        found = {"correct": verdict.correct, "layer": verdict.layer, "answer": verdict.answer}
        return self.model_copy(update=found)

    def __str__(self) -> str:
        word = {True: "right", False: "wrong", None: "undecided"}[self.correct]
        return f"{word} ({self.layer}), answer {self.answer!r}"


def read(file: Path) -> list[RecordedVerdict]:
    """The rows of a file. Raises RunError on a row with other fields."""
    rows = enumerate(read_rows(file), 1)
    return [validated(RecordedVerdict, row, f"{file}, row {number}", show=True) for number, row in rows]


def grade(rows: Sequence[RecordedVerdict], grader: Grader) -> list[Verdict]:
    """The verdicts of today, in the order of the rows."""
    found: dict[int, Verdict] = {}
    for name in dict.fromkeys(row.extract for row in rows):
        chosen = [i for i, row in enumerate(rows) if row.extract == name]
        items = [Item(rows[i].response, rows[i].gold, rows[i].problem) for i in chosen]
        found |= dict(zip(chosen, grader.grade(items, extractor=EXTRACTORS[name]), strict=True))
    return [found[i] for i in range(len(rows))]


def main(arguments: Sequence[str]) -> int:
    """Checks the files named, else all of `baselines/verdicts`; `--accept` records the new verdicts."""
    accept = "--accept" in arguments
    named = [Path(a) for a in arguments if a != "--accept"]
    files = named or sorted((baselines.folder() / "verdicts").glob("*.jsonl"))
    total = 0
    with Grader(GraderConfig(timeout_s=TIMEOUT_S)) as grader:
        for file in files:
            rows = read(file)
            verdicts = grade(rows, grader)
            updated = [row.updated(verdict) for row, verdict in zip(rows, verdicts, strict=True)]
            changes = [
                f"{row.id}: gold {row.gold!r}\n  - {row}\n  + {now}: {verdict.reason}"
                for row, now, verdict in zip(rows, updated, verdicts, strict=True)
                if now != row
            ]
            total += len(changes)
            print(f"{file.name}: {len(rows)} verdicts, {len(changes)} changed", *changes, sep="\n")
            if accept and changes:
                lm_eval_files.write_rows(file, map(RecordedVerdict.model_dump, updated))
    if total and not accept:
        print("If every change above is right: python -m lm_eval_ext.analysis.verdicts --accept")
    return int(bool(total) and not accept)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
