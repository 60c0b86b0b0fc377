"""What a folder of runs holds: samples of finished tasks, and what has no results yet."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import lm_eval_files, runs
from lm_eval_ext.batch import record as batches
from lm_eval_ext.batch.record import CellRecord
from lm_eval_ext.errors import DataError
from lm_eval_ext.resume import read_json

MANIFEST = "manifest.json"
_SKIPPED = ("store", "tables", "figures")


@dataclass(frozen=True)
class Source:
    """The samples of a task in a run.

    Attributes:
        run: the folder, relative to the one that is viewed; without the part that lm-eval adds for the model
            if there is one model.
        group: the scored group that has the task, or "".
        filter: the rows with this filter count.
        metric: the task's score.
        results: the results file beside the samples.
    """

    run: str
    model: str
    task: str
    group: str
    path: Path
    filter: str
    metric: str | None
    results: Path


@dataclass(frozen=True)
class Unfinished:
    """A run or a cell of a batch without results.

    Attributes:
        state: "running", "interrupted", or the state of a cell; see `batch.record`.
        done, total: responses; total is 0 where it is not known yet.
        store: with the responses so far; None before the first.
        error: why a cell failed.
        seconds: that the missing responses will take; None where that is not known.
    """

    run: str
    state: str
    done: int = 0
    total: int = 0
    model: str = ""
    store: Path | None = None
    error: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class Batch:
    """The cells of a batch by model and evaluation; `runs`: what each is called, by the same."""

    name: str
    cells: dict[tuple[str, str], CellRecord]
    runs: dict[tuple[str, str], str]

    @property
    def models(self) -> list[str]:
        return list(dict.fromkeys(model for model, _ in self.cells))

    @property
    def evaluations(self) -> list[str]:
        return list(dict.fromkeys(evaluation for _, evaluation in self.cells))

    def shown(self, model: str, evaluation: str) -> str:
        """The score of a cell, or its state."""
        from lm_eval_ext.batch.view import score

        cell = self.cells.get((model, evaluation))
        return "" if cell is None else score(cell) if cell.state == "done" else cell.state


@dataclass(frozen=True)
class Found:
    """One look at the folder; `faults`: files that cannot be read."""

    sources: tuple[Source, ...] = ()
    unfinished: tuple[Unfinished, ...] = ()
    faults: tuple[str, ...] = ()
    batches: tuple[Batch, ...] = ()


@dataclass
class Folder:
    """A folder of runs. Results files are read again only if they changed."""

    root: Path
    _read: dict[Path, tuple[int, list[Source]]] = field(default_factory=dict)
    _cells: set[Path] = field(default_factory=set)
    _beside: Counter[Path] = field(default_factory=Counter)

    def look(self) -> Found:
        """What is there now. The newest results of a task in a folder count."""
        faults: list[str] = []
        found: list[Batch] = []
        newest: dict[tuple[str, str], Source] = {}
        unfinished: dict[Path, Unfinished] = {}
        results: list[Path] = []
        for path in self.files():
            if path.name == batches.FILE:
                unfinished |= self._batch(path.parent, found, faults)
            elif path.name == MANIFEST:
                unfinished = self._run(path) | unfinished  # a batch knows more than its cell
            else:
                results.append(path)
        self._beside = Counter(folder.parent for folder in {path.parent for path in results})
        hidden = [folder for folder, one in unfinished.items() if one.state != "running"]
        for path in sorted(results, key=lambda file: (file.name, file)):
            if not any(folder in path.parents for folder in hidden):
                newest |= {(source.run, source.task): source for source in self._sources(path, faults)}
        sources = sorted(newest.values(), key=lambda one: (natural(one.run), one.group))
        without = sorted(unfinished.values(), key=lambda one: natural(one.run))
        return Found(tuple(sources), tuple(without), tuple(faults), tuple(found))

    def files(self) -> Iterator[Path]:
        """The files that tell of a run or a batch."""
        for place, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if name not in _SKIPPED and name[0] != ".")
            for name in names:
                if name in (batches.FILE, MANIFEST) or re.fullmatch(r"results_.*\.json", name):
                    yield Path(place, name)

    def _batch(self, out: Path, found: list[Batch], faults: list[str]) -> dict[Path, Unfinished]:
        """The cells of a batch that are not done."""
        try:
            cells = batches.read(out).cells
        except DataError as error:
            faults.append(str(error))
            return {}
        self._cells |= {out / cell.folder for cell in cells}
        by_name = {(cell.model, cell.evaluation): cell for cell in cells}
        names = {key: self._name(out / cell.folder) for key, cell in by_name.items()}
        found.append(Batch(self._name(out), by_name, names))
        return {
            out / cell.folder: Unfinished(
                self._name(out / cell.folder),
                cell.state,
                **_progress(out / cell.folder, read_json(out / cell.folder / MANIFEST) or {}),
                error=cell.error or "",
            )
            for cell in cells
            if cell.state != "done"
        }

    def _run(self, manifest: Path) -> dict[Path, Unfinished]:
        """A resumable run that is not finished."""
        read = read_json(manifest) or {}
        if (state := read.get("state")) not in ("running", "interrupted"):
            return {}
        folder = manifest.parent
        return {folder: Unfinished(self._name(folder), state, **_progress(folder, read))}

    def _sources(self, path: Path, faults: list[str]) -> list[Source]:
        try:
            changed = path.stat().st_mtime_ns
            if self._read.get(path, (0, []))[0] != changed:
                self._read[path] = changed, list(self._tasks(path))
        except (DataError, OSError) as error:
            faults.append(str(error))
            return []
        return self._read[path][1]

    def _tasks(self, path: Path) -> Iterator[Source]:
        read = lm_eval_files.read_results(path)
        model, groups = lm_eval_files.model_of(read), lm_eval_files.groups_of(read)
        tasks = lm_eval_files.logged_tasks(read)
        group_of = {
            task: group
            for group in groups
            if lm_eval_files.is_scored(group, read)
            for task in lm_eval_files.leaves(group, groups, tasks)
        }
        for task in tasks:
            filter, metric, _ = runs.reported(read, task)
            samples = lm_eval_files.samples_file(path, task)
            name = self._name(path.parent, model)
            yield Source(name, model, task, group_of.get(task, ""), samples, filter, metric, path)

    def _name(self, folder: Path, model: str = "") -> str:
        """What a run is called: its folder or its cell's; directly in the folder that is viewed its model."""
        if cell := next((place for place in (folder, *folder.parents) if place in self._cells), None):
            folder = cell
        elif (
            self._beside[folder.parent] == 1 and folder != self.root and _plain(folder.name) == _plain(model)
        ):
            folder = folder.parent
        if folder == self.root:
            return lm_eval_files.short_name(model) if model else folder.name
        return folder.relative_to(self.root).as_posix()


def natural(text: str) -> list[tuple[int, str]]:
    """A key by which checkpoint-9 comes before checkpoint-10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name)


def _progress(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The responses that a run has and needs, by its manifest, and where they are."""
    tasks = list((manifest.get("tasks") or {}).values())
    total = sum(task.get("requests") or 0 for task in tasks)
    generated = sum(task["generated"] for task in tasks)
    done = sum(task["reused"] for task in tasks) + generated
    spent = sum(task["seconds"] for task in tasks)
    seconds = spent / generated * (total - done) if generated and total > done else None
    store = folder / "store" / manifest["fingerprint"][:16] if "fingerprint" in manifest else None
    model = str((manifest.get("model") or {}).get("pretrained", ""))
    return {"done": done, "total": total, "seconds": seconds, "store": store, "model": model}
