"""Every table of a report as data: rows of values, which page, Markdown and CSV each write in their way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lm_eval_ext.analysis import stats
from lm_eval_ext.analysis.spreadsheet import csv_text

TEXT, COUNT, SHARE, ESTIMATE, NUMBER, P, USD = KINDS = (
    "text", "count", "share", "estimate", "number", "p", "usd",
)  # fmt: skip
_NOTHING = "–"


@dataclass(frozen=True)
class Estimate:
    """A share with its interval, of n."""

    value: float
    interval: stats.Interval
    n: int

    @property
    def low(self) -> float:
        return self.interval.low

    @property
    def high(self) -> float:
        return self.interval.high


@dataclass(frozen=True)
class Column:
    """A column: its name, and which of KINDS its cells are; None is a cell where nothing is known."""

    name: str
    kind: str = TEXT

    def __post_init__(self) -> None:
        assert self.kind in KINDS, f"kind is {self.kind!r}; it must be one of {KINDS}"


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        key: the stem of its files.
        title: over it.
        columns, rows: rows have a cell for every column.
        note: below it: what the columns mean.
    """

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        wrong = next((row for row in self.rows if len(row) != len(self.columns)), None)
        assert wrong is None, f"{self.key}: {len(self.columns)} columns, and a row of {wrong}"


def estimate(scores: Sequence[float]) -> Estimate | None:
    """A mean score with its interval; None of nothing."""
    if not scores:
        return None
    return Estimate(sum(scores) / len(scores), stats.mean_interval(scores), len(scores))


def table(
    key: str, title: str, columns: Sequence[str | Column], rows: Sequence[Sequence[Any]], note: str = ""
) -> Table:
    """A table from columns written "name:kind" (without a kind: text), or given as such: names from runs."""
    made = (c if isinstance(c, Column) else Column(*c.split(":")) for c in columns)
    return Table(key, title, tuple(made), tuple(tuple(row) for row in rows), note)


def shown(value: Any, kind: str) -> str:
    """A cell as a reader sees it."""
    if value is None:
        return _NOTHING
    if kind == SHARE:
        return f"{value:.1%}"
    if kind == ESTIMATE:
        return f"{value.value:.1%} [{value.low:.1%}, {value.high:.1%}]"
    if kind == P:
        return "<0.0001" if value < 0.0001 else f"{value:.4f}"
    if kind == USD:
        return f"${value:,.4f}" if value < 1 else f"${value:,.2f}"
    if kind == COUNT:
        return f"{value:,.0f}"
    return f"{value:,.3g}" if isinstance(value, float) else str(value)


def as_csv(made: Table) -> str:
    """For a program or a spreadsheet: shares between 0 and 1, an estimate in four columns."""
    header: list[str] = []
    for column in made.columns:
        extra = ("low", "high", "n") if column.kind == ESTIMATE else ()
        header += [column.name, *(f"{column.name} {name}" for name in extra)]
    rows = (
        [cell for column, value in zip(made.columns, row, strict=True) for cell in _cells(value, column.kind)]
        for row in made.rows
    )
    return csv_text([header, *rows])


def as_markdown(made: Table) -> str:
    """A table for GitHub's Markdown, its title and note around it."""
    numeric = ["---" if column.kind == TEXT else "---:" for column in made.columns]
    lines = [[column.name for column in made.columns], numeric]
    lines += [[shown(v, c.kind) for v, c in zip(row, made.columns, strict=True)] for row in made.rows]
    body = "\n".join("| " + " | ".join(map(_escaped, line)) + " |" for line in lines)
    note = f"\n{plain(made.note)}\n" if made.note else ""
    return f"**{plain(made.title)}**\n\n{body}\n{note}"


def as_text(made: Table) -> str:
    """A table for a terminal: columns aligned, figures to the right."""
    lines = [[column.name for column in made.columns]]
    lines += [[_printable(v, c.kind) for v, c in zip(row, made.columns, strict=True)] for row in made.rows]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    align = ["<" if column.kind == TEXT else ">" for column in made.columns]
    aligned = [[f"{c:{a}{w}}" for c, a, w in zip(line, align, widths, strict=True)] for line in lines]
    return "\n".join([*map("  ".join, aligned), *filter(None, [made.note])])


def _printable(value: Any, kind: str) -> str:
    """A cell that cannot steer the terminal: names come from elsewhere."""
    return "".join(c for c in shown(value, kind) if c.isprintable())


def plain(text: str) -> str:
    """A text from elsewhere on one line of Markdown, where it can start no markup of HTML."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")


def _escaped(cell: str) -> str:
    return plain(cell).replace("\\", "\\\\").replace("|", "\\|")


def _cells(value: Any, kind: str) -> list[Any]:
    if kind == ESTIMATE:
        return [None] * 4 if value is None else [value.value, value.low, value.high, value.n]
    return [value]
