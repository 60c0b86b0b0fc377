"""What preflight found, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from lm_eval_ext.atomic import write_text

from .registry import Outcome, Row, Severity

Status = Literal["passed", "failed", "warned", "not checked", "does not apply"]
STATUSES: tuple[Status, ...] = ("passed", "failed", "warned", "not checked", "does not apply")
STYLES = {"passed": "green", "failed": "bold red", "warned": "yellow", "not checked": "magenta"}
WIDTH = 140
"""Of a table that goes to a file."""
OPEN, CLOSE = "⟦", "⟧"


@dataclass(frozen=True)
class Finding:
    """One row of the report; `accepted` where the recipe breaks it on purpose."""

    row: int
    name: str
    severity: Severity
    status: Status
    accepted: bool
    seen: str

    @classmethod
    def of(cls, row: Row, outcome: Outcome, accepted: frozenset[int]) -> Finding:
        """A broken row fails or warns, as its severity says."""
        status: Status
        severity = outcome.severity or row.severity
        if outcome.verdict == "broken":
            status = "failed" if severity == "error" else "warned"
        else:
            status = outcome.verdict
        is_accepted = outcome.verdict == "broken" and row.number in accepted
        return cls(row.number, row.name, severity, status, is_accepted, outcome.seen)

    @property
    def mark(self) -> str:
        """The status as the table shows it."""
        shown = "FAILED" if self.status == "failed" else self.status
        return f"{shown} (accepted)" if self.accepted else shown


@dataclass(frozen=True)
class Sample:
    """A decoded training sample: its pieces in order, each with whether the loss is on it."""

    pieces: tuple[tuple[str, bool], ...]

    @classmethod
    def of(cls, ids: Sequence[int], labels: Sequence[int], tokenizer: Any) -> Sample:
        """The pieces that neighbouring tokens of the same kind make."""
        marked = zip(ids, (label != -100 for label in labels), strict=True)
        runs = [(key, [i for i, _ in run]) for key, run in groupby(marked, key=lambda pair: pair[1])]
        return cls(tuple((str(tokenizer.decode(run)), key) for key, run in runs))

    def text(self) -> str:
        """Plain text; what the loss is on stands in ⟦ ⟧."""
        return "".join(f"{OPEN}{text}{CLOSE}" if on else text for text, on in self.pieces)

    def rich(self) -> Any:
        """For a terminal: what the loss is on is green."""
        from rich.text import Text

        return Text.assemble(*((text, "bold green" if on else "dim") for text, on in self.pieces))


@dataclass(frozen=True)
class Report:
    """Every finding, in the order of the rows.

    Attributes:
        findings: one per row.
        sample: as the trainer sees it; None where there is none.
        note: what the sample is.
    """

    findings: tuple[Finding, ...]
    sample: Sample | None = None
    note: str = ""

    def rows(self, *statuses: Status) -> list[int]:
        """Numbers of the rows with one of these statuses; accepted ones too."""
        return [f.row for f in self.findings if f.status in statuses]

    @property
    def stopping(self) -> list[Finding]:
        """The findings for which a run must not start."""
        return [f for f in self.findings if f.status == "failed" and not f.accepted]

    @property
    def code(self) -> int:
        """Exit status: 1, an error row failed that is not accepted; 3, a row could not be checked; else 0."""
        return 1 if self.stopping else 3 if self.rows("not checked") else 0

    def as_json(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "exit": self.code,
            "failed": self.rows("failed"),
            "warned": self.rows("warned"),
            "not_checked": self.rows("not checked"),
            "accepted": [f.row for f in self.findings if f.accepted],
            "rows": [vars(finding) for finding in self.findings],
            "sample": None if self.sample is None else self.sample.text(),
            "sample_note": self.note,
        }

    def write(self, file: Path) -> None:
        """The JSON, whole or not at all."""
        write_text(file, json.dumps(self.as_json(), indent=2, ensure_ascii=False) + "\n")

    def show(self, file: Any = None, width: int | None = None) -> None:
        """The table and the sample, on the standard output or another stream."""
        from rich.console import Console

        console = Console(file=file, width=width, highlight=False)
        if width is None and not console.is_terminal:
            console.width = WIDTH
        console.print(table(self.findings))
        if self.sample is not None:
            console.print(f"\n{self.note}", markup=False)
            console.print(self.sample.rich() if console.is_terminal else self.sample.text(), markup=False)
        console.print(f"\n{self.summary()}", markup=False)

    def summary(self) -> str:
        """One line: how many of each status, and what follows."""
        counts = ", ".join(f"{len(self.rows(status))} {status}" for status in STATUSES if self.rows(status))
        stopping = ", ".join(str(f.row) for f in self.stopping)
        ends = f"; rows {stopping} stop the run (mend them, or accept them in the recipe)" if stopping else ""
        return f"preflight: {counts}{ends}"


def table(findings: Iterable[Finding]) -> Any:
    """A rich table of the findings."""
    from rich.markup import escape
    from rich.table import Table

    made = Table(title="preflight", show_lines=False, expand=False)
    for name in ("row", "pitfall", "severity", "", "what was seen, and what mends it"):
        made.add_column(name, overflow="fold")
    for f in findings:
        style = STYLES.get(f.status, "dim")
        made.add_row(str(f.row), escape(f.name), f.severity, f"[{style}]{f.mark}[/]", escape(f.seen))
    return made
