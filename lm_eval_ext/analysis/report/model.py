"""The data of a report: every run's parts, what is compared, and what a reader must be warned of."""

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
    """What a report shows.

    Attributes:
        samples: responses of each run on the samples page.
        response_chars: of each of these responses; of longer ones the beginning and, mostly, the end.
        budgets: tokens at which responses are cut; None: see `budget.default_budgets`.
        tokenizer: for runs that name none; it cuts, but does not count what was recorded.
        metric: None: each task's own.
        pair_on: what tells the same problem in two runs, see `pairing.match`.
        fields: of documents, by which scores are broken down where they are present.
        min_group: values with fewer problems are folded into one row.
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
        run: its number in the report; `run_name` is its name.
        unit: the task, or the group's tasks together.
        group: of which group it is a task; None for what stands alone.
        metric: what its score is.
        entries: its responses.
        tokenizer: whose tokens they are counted in; a text says why they are not.
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
        """Whether our grader wrote its verdicts, on every response."""
        return all(entry.verdict is not None for entry in self.entries if entry.outcome != ERROR)


@dataclass(frozen=True)
class Report:
    """All that the pages of a report are made from.

    Attributes:
        runs: in the order given.
        parts: units in the order of the first run that has them, each followed by a group's tasks.
        comparisons: every two runs that share problems.
        curves: accuracy against token budget, by (unit, run number).
        warnings: one line each.
        options: what was asked for.
        made: when.
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
        """The parts that are no task of a group."""
        return tuple(part for part in self.parts if part.group is None)

    @cached_property
    def unit_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part.name for part in self.units))

    def of(self, unit: str) -> list[Part]:
        """A unit in each run that has it."""
        return [part for part in self.units if part.name == unit]
