"""The data of a report: parts, comparisons, curves and warnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property

from lm_eval_ext.analysis import pairing
from lm_eval_ext.analysis.compare import RunComparison
from lm_eval_ext.analysis.report.budget import Point
from lm_eval_ext.analysis.report.entries import ERROR, Entry, outcome_counts
from lm_eval_ext.analysis.report.tokens import Tokenizer
from lm_eval_ext.analysis.runs import Run, TaskRun

FIELDS = ("topic", "level", "subject", "country", "competition")


@dataclass(frozen=True)
class Options:
    """Options of a report.

    Attributes:
        samples: responses per run on the samples page.
        response_chars: characters shown of each; mostly the end of longer ones.
        budgets: token budgets to simulate; None: see `budget.default_budgets`.
        tokenizer: cuts the responses of runs that name none; recorded token counts stay.
        metric: metric to report; None: each task's own.
        pair_on: field that identifies a problem in two runs, see `pairing.match`.
        fields: document fields by which scores are broken down.
        min_group: values with fewer problems share one row.
        workers: processes of the grader; None: one per core.
    """

    samples: int = 200
    response_chars: int = 1500
    budgets: tuple[int, ...] | None = None
    tokenizer: str | None = None
    metric: str | None = None
    pair_on: str = pairing.DOC_HASH
    fields: tuple[str, ...] = FIELDS
    min_group: int = 10
    workers: int | None = None

    def __post_init__(self) -> None:
        for name, least in {"samples": 0, "response_chars": 100, "min_group": 1}.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if self.budgets is not None and (not self.budgets or min(self.budgets) < 1):
            raise ValueError(f"budgets must be positive, got {self.budgets}")


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
    def errors(self) -> int:
        return outcome_counts(self.entries)[ERROR]

    @cached_property
    def graded(self) -> bool:
        """Whether this package's grader gave every response its verdict."""
        return all(entry.verdict is not None for entry in self.entries if entry.outcome != ERROR)


@dataclass(frozen=True)
class Report:
    """The data that all pages of a report use.

    Attributes:
        parts: units in order of appearance, each group followed by its tasks.
        comparisons: one for every two runs that share problems.
        curves: accuracy against token budget, by (unit, run number).
        warnings: one line each.
        made: time of creation.
    """

    runs: tuple[Run, ...]
    parts: tuple[Part, ...]
    comparisons: tuple[RunComparison, ...]
    curves: Mapping[tuple[str, int], tuple[Point, ...]]
    warnings: tuple[str, ...]
    options: Options
    made: str = field(default_factory=lambda: datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"))

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
