"""What preflight found, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from lm_eval_ext.atomic import write_text

from .check import Check, Outcome, Severity

Status = Literal["passed", "failed", "warned", "not checked", "does not apply"]
STYLES: dict[Status, str] = {
    "failed": "bold red",
    "not checked": "magenta",
    "warned": "yellow",
    "passed": "green",
    "does not apply": "dim",
}
"""The most urgent first."""
FILE_WIDTH = 140


@dataclass(frozen=True)
class CheckResult:
    """One row of the report; `accepted` where the recipe has the pitfall on purpose."""

    row: int
    name: str
    severity: Severity
    status: Status
    accepted: bool
    seen: str

    @classmethod
    def of(cls, check: Check, outcome: Outcome, accepted: frozenset[int]) -> CheckResult:
        """A failed check of severity "warn" warns."""
        severity, has_failed = outcome.severity or check.severity, outcome.verdict == "failed"
        status: Status = "warned" if has_failed and severity == "warn" else outcome.verdict
        is_accepted = has_failed and check.id in accepted
        return cls(check.id, check.title, severity, status, is_accepted, outcome.seen)

    @property
    def mark(self) -> str:
        """The status as the table shows it."""
        shown = "FAILED" if self.status == "failed" else self.status
        return f"{shown} (accepted)" if self.accepted else shown


def marked(ids: Sequence[int], labels: Sequence[int], tokenizer: Any) -> str:
    """A decoded training sample; what the loss is on stands in ⟦ ⟧."""
    runs = groupby(zip(ids, labels, strict=True), key=lambda pair: pair[1] != -100)
    pieces = ((tokenizer.decode([i for i, _ in run]), on) for on, run in runs)
    return "".join(f"⟦{text}⟧" if on else text for text, on in pieces)


@dataclass(frozen=True)
class Report:
    """The results in the order of the checks, and a sample as the trainer sees it, with what it is."""

    results: tuple[CheckResult, ...]
    sample: str | None = None
    note: str = ""

    def rows(self, *statuses: Status) -> list[int]:
        """Ids of the checks with one of these statuses, accepted ones included."""
        return [r.row for r in self.results if r.status in statuses]

    @property
    def stopping(self) -> list[CheckResult]:
        """The results for which a run must not start."""
        return [r for r in self.results if r.status == "failed" and not r.accepted]

    @property
    def code(self) -> int:
        """Exit status: 1 if an error is not accepted; 3 if something could not be checked; else 0."""
        return 1 if self.stopping else 3 if self.rows("not checked") else 0

    def as_json(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "exit": self.code,
            "failed": self.rows("failed"),
            "warned": self.rows("warned"),
            "not_checked": self.rows("not checked"),
            "accepted": [r.row for r in self.results if r.accepted],
            "rows": [vars(result) for result in self.results],
            "sample": self.sample,
            "sample_note": self.note,
        }

    def write(self, file: Path) -> None:
        """Writes the JSON atomically."""
        write_text(file, json.dumps(self.as_json(), indent=2, ensure_ascii=False) + "\n")

    def show(self, file: Any = None, verbose: bool = False, rest: str = "--verbose shows every row") -> None:
        """Prints the rows to look at, the sample and a summary, on the standard output or another stream.

        Args:
            file: the stream.
            verbose: whether rows that passed or do not apply are shown, too.
            rest: otherwise, where they are.
        """
        console = Console(file=file, highlight=False)
        if not console.is_terminal:
            console.width = FILE_WIDTH
        rows = sorted(self.results, key=lambda r: (r.accepted, [*STYLES].index(r.status)))
        if shown := [r for r in rows if verbose or r.status not in ("passed", "does not apply")]:
            console.print(_table(shown))
        if self.sample is not None:
            console.print(f"\n{self.note}", markup=False)
            sample = Text(self.sample)
            sample.highlight_regex(r"(?s)⟦.*?⟧", "bold green")
            console.print(sample)
        console.print(f"\n{self.summary()}" + f"; {rest}" * (not verbose), markup=False)

    def summary(self) -> str:
        """One line: how many of each status, and what follows."""
        counts = ", ".join(f"{len(self.rows(status))} {status}" for status in STYLES if self.rows(status))
        stopping = " ".join(str(r.row) for r in self.stopping)
        ends = f'; fix before a run: {stopping} (or in the recipe, accept: "{stopping}")' if stopping else ""
        return f"preflight: {counts}{ends}"


def _table(rows: Sequence[CheckResult]) -> Table:
    table = Table(title="preflight")
    for name in ("row", "pitfall", "", "what was seen, and what fixes it"):
        table.add_column(name, overflow="fold")
    for r in rows:
        table.add_row(str(r.row), escape(r.name), Text(r.mark, STYLES[r.status]), escape(r.seen))
    return table
