"""Tables of a report as data, and their formats: text, Markdown and CSV."""

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
    """A mean score with its interval, over n scores."""

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
    """A column: its name and kind, one of KINDS. A cell is None if its value is unknown."""

    name: str
    kind: str = TEXT

    def __post_init__(self) -> None:
        assert self.kind in KINDS, f"kind is {self.kind!r}; it must be one of {KINDS}"


@dataclass(frozen=True)
class Table:
    """A table; each row has a cell per column.

    Attributes:
        key: stem of its file names.
        note: explanation of the columns, shown below the table.
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
    """The mean score with its interval; None without scores."""
    if not scores:
        return None
    return Estimate(sum(scores) / len(scores), stats.mean_interval(scores), len(scores))


def table(
    key: str, title: str, columns: Sequence[str | Column], rows: Sequence[Sequence[Any]], note: str = ""
) -> Table:
    """A table from `Column`s or strings "name:kind"; the kind defaults to text."""
    made = (c if isinstance(c, Column) else Column(*c.split(":")) for c in columns)
    return Table(key, title, tuple(made), tuple(tuple(row) for row in rows), note)


def shown(value: Any, kind: str) -> str:
    """A cell formatted for a reader."""
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
    """The table as CSV: shares between 0 and 1, an estimate in four columns."""
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
    """The table as GitHub Markdown, with its title and note."""
    numeric = ["---" if column.kind == TEXT else "---:" for column in made.columns]
    lines = [[column.name for column in made.columns], numeric]
    lines += [[shown(v, c.kind) for v, c in zip(row, made.columns, strict=True)] for row in made.rows]
    body = "\n".join("| " + " | ".join(map(_escaped, line)) + " |" for line in lines)
    note = f"\n{plain(made.note)}\n" if made.note else ""
    return f"**{plain(made.title)}**\n\n{body}\n{note}"


def as_text(made: Table) -> str:
    """The table for a terminal, with aligned columns and numbers to the right."""
    lines = [[column.name for column in made.columns]]
    lines += [[_printable(v, c.kind) for v, c in zip(row, made.columns, strict=True)] for row in made.rows]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    align = ["<" if column.kind == TEXT else ">" for column in made.columns]
    aligned = [[f"{c:{a}{w}}" for c, a, w in zip(line, align, widths, strict=True)] for line in lines]
    return "\n".join([*map("  ".join, aligned), *filter(None, [made.note])])


def _printable(value: Any, kind: str) -> str:
    """A cell without control characters, since names come from outside."""
    return "".join(c for c in shown(value, kind) if c.isprintable())


def plain(text: str) -> str:
    """Outside text as one line of Markdown that cannot start HTML markup."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")


def _escaped(cell: str) -> str:
    return plain(cell).replace("\\", "\\\\").replace("|", "\\|")


def _cells(value: Any, kind: str) -> list[Any]:
    if kind == ESTIMATE:
        return [None] * 4 if value is None else [value.value, value.low, value.high, value.n]
    return [value]
