"""Tables as data, and their formats: HTML (in a template), Markdown, CSV and the terminal."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

TEXT, COUNT, SHARE, ESTIMATE, NUMBER, P, USD = KINDS = (
    "text", "count", "share", "estimate", "number", "p", "usd",
)  # fmt: skip
_NOTHING = "–"
_FIGURE = re.compile(r"[-+]?[\d.,]+%?(?: to [-+]?[\d.,]+%?)?")
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Estimate:
    """A mean score with its interval, over n scores."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.1%} [{self.low:.1%}, {self.high:.1%}]"


@dataclass(frozen=True)
class Column:
    """A column: its name and kind, one of KINDS. A cell is None if its value is unknown.

    A cell of estimates may be a text that says why there is none.
    """

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

    @property
    def lines(self) -> list[list[str]]:
        """The names of the columns and the rows, as a reader sees them."""
        rows = [[shown(v, c.kind) for v, c in zip(row, self.columns, strict=True)] for row in self.rows]
        return [[column.name for column in self.columns], *rows]


def estimate(scores: Sequence[float]) -> Estimate | None:
    """The mean score with its interval; None without scores."""
    from lm_eval_ext.analysis import stats

    if not scores:
        return None
    interval = stats.mean_interval(scores)
    return Estimate(sum(scores) / len(scores), interval.low, interval.high, len(scores))


def table(
    key: str, title: str, columns: Sequence[str | Column], rows: Iterable[Sequence[Any]], note: str = ""
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


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV with `\\n` behind each, their texts `safe`.

    csv quotes the characters of its line terminator only, and a bare carriage return ends a row for many
    readers: rows are written with both, and the terminator is put right.
    """
    lines: list[str] = []
    to = SimpleNamespace(write=lambda line: lines.append(f"{line.removesuffix(chr(13) + chr(10))}\n"))
    csv.writer(to, lineterminator="\r\n").writerows([safe(cell) for cell in row] for row in rows)
    return "".join(lines)


def safe(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: a text that could be one gets an apostrophe."""
    if not isinstance(value, str) or _FIGURE.fullmatch(value):
        return value
    return f"'{value}" if value[:1] in _STARTS_FORMULA and value else value


def as_markdown(made: Table) -> str:
    """The table as GitHub Markdown, with its title and note."""
    head, *rows = [[_escaped(cell) for cell in line] for line in made.lines]
    rule = ["---" if column.kind == TEXT else "---:" for column in made.columns]
    body = "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *rows))
    note = f"\n{plain(made.note)}\n" if made.note else ""
    return f"**{plain(made.title)}**\n\n{body}\n{note}"


def as_text(made: Table) -> str:
    """The table for a terminal, with aligned columns and numbers to the right."""
    lines = [["".join(filter(str.isprintable, cell)) for cell in line] for line in made.lines]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    align = ["<" if column.kind == TEXT else ">" for column in made.columns]
    aligned = [[f"{c:{a}{w}}" for c, a, w in zip(line, align, widths, strict=True)] for line in lines]
    return "\n".join([*map("  ".join, aligned), *filter(None, [made.note])])


def plain(text: str) -> str:
    """Outside text as one line of Markdown that cannot start HTML markup."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")


def _escaped(cell: str) -> str:
    return plain(cell).replace("\\", "\\\\").replace("|", "\\|")


def _cells(value: Any, kind: str) -> list[Any]:
    if kind == ESTIMATE:
        return (
            [None] * 4 if not isinstance(value, Estimate) else [value.value, value.low, value.high, value.n]
        )
    return [value]
