"""Runs as cells of a matrix: models, their labels and steps, by evaluations and their settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import lm_eval_files
from lm_eval_ext.analysis.runs import Run
from lm_eval_ext.analysis.tables import Estimate, estimate

DONE = "done"
NOT_SET = "not set"


@dataclass(frozen=True)
class Cell:
    """One model under one evaluation.

    Attributes:
        series: what the checkpoints of one training share; the model's name for any other model.
        labels: of the model and of the evaluation, such as trained_with: sft.
        settings: of the evaluation, by name.
        tasks: as evaluated, groups by their own names.
        status: DONE, or why there are no scores.
        run: None without scores.
    """

    model: str
    series: str
    step: int | None
    labels: Mapping[str, Any]
    evaluation: str
    settings: Mapping[str, Any]
    tasks: tuple[str, ...]
    folder: Path
    status: str = DONE
    run: Run | None = None

    def value(self, name: str) -> str:
        """A label or setting as text."""
        found = self.labels.get(name, self.settings.get(name))
        return NOT_SET if found is None else str(found)


@dataclass(frozen=True)
class Scored:
    """A task or group of a cell; metric and score are None without scores.

    Attributes:
        setting: how the cell was evaluated, where the matrix has a task under several settings; else empty.
    """

    cell: Cell
    setting: str
    unit: str
    metric: str | None
    score: Estimate | None


@dataclass(frozen=True)
class Matrix:
    """The cells of a report, in order.

    Attributes:
        metric: None: each task's own.
        planned: whether its contrasts are those of a plan, not by chance.
        notes: further lines on it, such as the checkpoint that a plan selects.
    """

    cells: tuple[Cell, ...]
    metric: str | None = None
    planned: bool = False
    notes: tuple[str, ...] = ()

    @cached_property
    def labels(self) -> list[str]:
        return list(dict.fromkeys(name for cell in self.cells for name in cell.labels))

    @cached_property
    def varying(self) -> list[str]:
        """The settings that are not the same in all cells."""
        return _differing(self.cells, dict.fromkeys(name for cell in self.cells for name in cell.settings))

    @cached_property
    def contrasts(self) -> list[str]:
        """The labels and settings that tell evaluations of a model on the same task apart; labels suffice."""
        pairs = [(a, b) for a, b in combinations(self.cells, 2) if a.model == b.model and _share(a, b)]
        labels, settings = (
            [name for name in names if any(a.value(name) != b.value(name) for a, b in pairs)]
            for names in (self.labels, self.varying)
        )
        told = all(any(a.value(name) != b.value(name) for name in labels) for a, b in pairs)
        return labels if told else [*labels, *settings]

    @cached_property
    def model_labels(self) -> list[str]:
        """The labels that say how a model was trained: each model has one value of them."""
        values = {name: {(c.model, c.value(name)) for c in self.cells} for name in self.labels}
        models = len({cell.model for cell in self.cells})
        return [name for name in self.labels if len(values[name]) == models]

    def setting(self, cell: Cell) -> str:
        """How a cell was evaluated, in the values of `contrasts`."""
        named = [(name, cell.value(name)) for name in self.contrasts]
        return ", ".join(value if name in self.labels else f"{name}={value}" for name, value in named)

    @cached_property
    def scored(self) -> tuple[Scored, ...]:
        """Each task of each cell."""
        return tuple(one for cell in self.cells for one in self._of(cell))

    def _of(self, cell: Cell) -> Iterator[Scored]:
        for unit in cell.tasks:
            if cell.run is None:
                yield Scored(cell, self.setting(cell), unit, None, None)
                continue
            task = cell.run.unit(unit)
            metric = task.metric(self.metric)
            yield Scored(cell, self.setting(cell), unit, metric, estimate(list(task.scored(metric).values())))

    @cached_property
    def units(self) -> list[str]:
        return list(dict.fromkeys(one.unit for one in self.scored))

    @cached_property
    def settings(self) -> list[str]:
        return list(dict.fromkeys(one.setting for one in self.scored))

    @cached_property
    def runs(self) -> dict[tuple[str, str], Run]:
        """A run per model and setting: evaluations that do not contrast are put together."""
        found: dict[tuple[str, str], Run] = {}
        for cell in self.cells:
            if cell.run is not None:
                key = (cell.model, self.setting(cell))
                run = replace(cell.run, name=", ".join(filter(None, key)))
                found[key] = _together(found[key], run) if key in found else run
        return found


def of_runs(runs: Sequence[Run]) -> list[Cell]:
    """Runs as cells, with the settings of their protocol; runs of one model have its name if these differ."""
    settings = [(run.model, str(_settings(run))) for run in runs]
    models = Counter(run.model for run in runs)
    apart = {
        model for model, times in models.items() if times == len({s for m, s in settings if m == model}) > 1
    }
    return [_of_run(run, run.model in apart) for run in runs]


def with_units(cells: Iterable[Cell]) -> list[Cell]:
    """Cells without scores get the tasks that the same evaluation has in others."""
    found = list(cells)
    units = {cell.evaluation: cell.tasks for cell in found if cell.run is not None}
    return [
        cell if cell.run else replace(cell, tasks=units.get(cell.evaluation, cell.tasks)) for cell in found
    ]


def _of_run(run: Run, as_model: bool) -> Cell:
    model = lm_eval_files.short_name(run.model) if as_model else run.name
    series, step = lm_eval_files.series_of(model)
    return Cell(model, series, step, {}, run.name, _settings(run), tuple(run.units()), run.place, run=run)


def _settings(run: Run) -> dict[str, Any]:
    """The settings that all tasks of a run share."""
    first, *rest = (task.protocol for task in run.tasks.values())
    return {name: value for name, value in first.items() if all(one.get(name) == value for one in rest)}


def _share(a: Cell, b: Cell) -> bool:
    return bool({*a.tasks} & {*b.tasks})


def _differing(cells: Sequence[Cell], names: Iterable[str]) -> list[str]:
    return [name for name in names if len({cell.value(name) for cell in cells}) > 1]


def _together(a: Run, b: Run) -> Run:
    results = (*a.results, *b.results)
    return replace(a, tasks={**a.tasks, **b.tasks}, groups={**a.groups, **b.groups}, results=results)
