"""The results of a batch as cells of a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import lm_eval_files, naming, runs
from lm_eval_ext.analysis.cells import DONE, Cell, Matrix, of_runs, with_units
from lm_eval_ext.analysis.lm_eval_files import RunError
from lm_eval_ext.analysis.runs import Run
from lm_eval_ext.batch.record import FILE, CellRecord, read


def read_places(
    places: Sequence[str], filter: str | None = None, metric: str | None = None
) -> tuple[list[Run], Matrix | None]:
    """The runs in folders, and if some are of batches, the matrix of all; `filter` as in `runs.load`.

    Raises DataError: a folder that cannot be read, no result in any.
    """
    labelled = list(map(naming.labelled, places))
    batches = [(name, path) for name, path in labelled if (path / FILE).is_file()]
    plain = [place for place, (_, path) in zip(places, labelled, strict=True) if not (path / FILE).is_file()]
    found = naming.named(plain, filter=filter)
    if not batches:
        return found, None
    cells = [
        cell
        for name, path in batches
        for cell in cells_in(path, filter, f"{name or path.name}: " if len(batches) > 1 else "")
    ]
    notes = tuple(note for _, path in batches for note in notes_on(path))
    matrix = Matrix((*cells, *of_runs(found)), metric, planned=True, notes=notes)
    if not matrix.runs:
        raise RunError(f"no job of {', '.join(places)} has results yet: see its log.txt, or run the batch")
    return list(matrix.runs.values()), matrix


def cells_in(out: Path, filter: str | None = None, prefix: str = "") -> list[Cell]:
    """The cells of a batch's folder; those without results have their status. Raises DataError.

    Args:
        prefix: before the names of models.
    """
    return with_units(_cell(out, one, filter, prefix) for one in read(out).cells)


def notes_on(out: Path) -> list[str]:
    """What a report says of the batch: the checkpoint that its plan selects."""
    if (best := read(out).best) is None:
        return []
    return [f"The plan of {out} selects {best.model} ({best.score:.1%}, best of {best.candidates})."]


def _cell(out: Path, record: CellRecord, filter: str | None, prefix: str) -> Cell:
    run, status = _run(out / record.folder, record, filter)
    return Cell(
        model=prefix + record.model,
        series=prefix + record.series,
        step=record.step,
        labels=record.labels,
        evaluation=record.evaluation,
        settings=dict(_flat({k: v for k, v in record.settings.items() if k != "tasks"})),
        tasks=tuple(run.units() if run else record.settings.get("tasks", ())),
        folder=out / record.folder,
        status=status,
        run=run,
    )


def _run(folder: Path, record: CellRecord, filter: str | None) -> tuple[Run | None, str]:
    """The run of a cell with its newest results, and the status."""
    if record.state != DONE:
        return None, ": ".join([record.state, *([record.error] if record.error else [])])
    try:
        return runs.load(lm_eval_files.results_files(folder)[-1], filter=filter), DONE
    except RunError as error:
        return None, f"missing: {error}"


def _flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings by names such as gen_kwargs.temperature."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
