"""The data of a report: parts, comparisons, curves and warnings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from lm_eval_ext.analysis import pairing
from lm_eval_ext.analysis.cells import Matrix
from lm_eval_ext.analysis.compare import RunComparison
from lm_eval_ext.analysis.entries import ERROR, Entry
from lm_eval_ext.analysis.report.budget import Point
from lm_eval_ext.analysis.report.tokens import Tokenizer
from lm_eval_ext.analysis.runs import Run, TaskRun

MANY = 12
"""Reports on more runs leave out what grows with their number: histograms, budget curves, most pairs."""
FIELDS = ("topic", "level", "subject", "country", "competition", "hazard")


class Options(BaseModel):
    """Options of a report."""

    model_config = ConfigDict(frozen=True)

    samples: int = Field(default=200, ge=0)  # responses per run on the samples page
    response_chars: int = Field(default=1500, ge=100)  # shown of each; mostly the end of longer ones
    budgets: tuple[Annotated[int, Field(ge=1)], ...] | None = None  # None: `budget.default_budgets`
    tokenizer: str | None = None  # of runs that name none; recorded token counts stay
    metric: str | None = None  # None: each task's own
    pair_on: str = pairing.DOC_HASH  # field that identifies a problem in two runs, see `pairing.match`
    fields: tuple[str, ...] = FIELDS  # document fields by which scores are broken down
    min_group: int = Field(default=10, ge=1)  # values with fewer problems share one row
    baselines: Path | None = None  # folder; None: the packaged ones
    workers: int | None = None  # processes of the grader; None: one per core


@dataclass(frozen=True)
class Part:
    """A task or group in one run.

    Attributes:
        run: number of the run in the report.
        unit: the task, or the group's tasks together.
        group: the group of the task, if any.
        tokenizer: tokenizer that counts tokens, or why there is none.
    """

    run: int
    run_name: str
    unit: TaskRun
    group: str | None
    metric: str
    entries: tuple[Entry, ...]
    tokenizer: Tokenizer | str

    @property
    def name(self) -> str:
        return self.unit.name

    @cached_property
    def scores(self) -> list[float]:
        return list(self.unit.scored(self.metric).values())

    @cached_property
    def asked(self) -> list[Entry]:
        """The entries that are responses: all but errors."""
        return [entry for entry in self.entries if entry.outcome != ERROR]

    @property
    def errors(self) -> int:
        return len(self.entries) - len(self.asked)

    @cached_property
    def graded(self) -> bool:
        """Whether this package's grader gave every response its verdict."""
        return all(entry.verdict is not None for entry in self.asked)

    def share(self, holds: Callable[[Entry], bool]) -> float | None:
        """Share of the responses for which it holds; None without responses."""
        return sum(map(holds, self.asked)) / len(self.asked) if self.asked else None


@dataclass(frozen=True)
class Report:
    """The data that all pages of a report use.

    Attributes:
        matrix: models by evaluations.
        parts: units in order of appearance, each group followed by its tasks.
        comparisons: of two runs that share problems, with a model or a setting in common.
        curves: accuracy against token budget, by (unit, run number).
        warnings: one line each.
        made: time of creation.
    """

    runs: tuple[Run, ...]
    matrix: Matrix
    parts: tuple[Part, ...]
    comparisons: tuple[RunComparison, ...]
    curves: Mapping[tuple[str, int], tuple[Point, ...]]
    warnings: tuple[str, ...]
    options: Options
    made: str = field(default_factory=lambda: datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"))

    @property
    def units(self) -> tuple[Part, ...]:
        """The parts that are not tasks of a group."""
        return tuple(part for part in self.parts if part.group is None)

    @cached_property
    def unit_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part.name for part in self.units))

    def of(self, unit: str) -> list[Part]:
        """The parts of a unit, one per run that has it."""
        return [part for part in self.units if part.name == unit]
