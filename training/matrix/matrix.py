"""A matrix in its folder: trainings, then a batch of each model with each evaluation, then the report."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue

from tqdm import tqdm

from lm_eval_ext.atomic import write_text
from lm_eval_ext.batch.cells import Cell, cells_of, selected
from lm_eval_ext.batch.executors.base import Executor
from lm_eval_ext.batch.job import LAUNCHER, outcome
from lm_eval_ext.batch.models import Model, models_of
from lm_eval_ext.batch.plan import Labels, ModelEntry
from lm_eval_ext.batch.record import BatchRecord
from lm_eval_ext.batch.scheduler import Batch
from lm_eval_ext.batch.view import BatchView
from lm_eval_ext.errors import UserError

from .plan import MatrixPlan
from .training import Training, prepared

BASE = "base"


@dataclass
class Matrix:
    """The trainings and evaluations of a plan.

    Attributes:
        out: folder of everything.
        only: names of the trainings, models and evaluations to run; empty: all.
    """

    plan: MatrixPlan
    out: Path
    only: Sequence[str] = ()

    @cached_property
    def trainings(self) -> list[Training]:
        """All of the plan."""
        return [prepared(self.plan, entry, self.out) for entry in self.plan.trainings]

    def cells(self) -> list[Cell]:
        """All cells, with what the training of their model logged among their settings.

        A model that is not trained has the folder of its training in place of its path.
        """
        bases = [] if self.plan.base is None else [self._model(BASE, str(self.plan.model), self.plan.base)]
        trained = [
            self._model(each.name, str(each.trained if each.is_done else each.folder.resolve()), each.labels)
            for each in self.trainings
        ]
        found = cells_of(self.plan, self.out, models=[*models_of(self.plan.models), *bases, *trained])
        logged = {each.name: each.logged for each in self.trainings}
        for cell in found:
            cell.record.settings.update(logged.get(cell.record.model, {}))
        return found

    def chosen(self) -> list[Training]:
        """The trainings that `only` names. Raises UserError for an unknown name."""
        wanted = {cell.record.model for cell in selected(self.cells(), self.only)}
        return [training for training in self.trainings if training.name in wanted]

    def missing(self) -> list[str]:
        """The chosen trainings that are not done."""
        return [training.name for training in self.chosen() if not training.is_done]

    def require_trained(self) -> None:
        """Raises UserError if the model of a chosen training is missing."""
        if missing := self.missing():
            raise UserError(
                f"{self.out}: not trained: {', '.join(missing)}. Leave out --only-eval, or name others with "
                "--only"
            )

    def train(self, gpus: Sequence[str]) -> None:
        """Runs the chosen trainings, one per GPU at a time; without GPUs one after the other."""
        free: SimpleQueue[str] = SimpleQueue()
        for gpu in gpus or [""]:
            free.put(gpu)

        def run(training: Training) -> None:
            gpu = free.get()
            try:
                training.run({"CUDA_VISIBLE_DEVICES": gpu} if gpu else {})
            finally:
                free.put(gpu)

        with ThreadPoolExecutor(max(1, len(gpus))) as pool:
            try:
                chosen = self.chosen()
                list(tqdm(pool.map(run, chosen), "trainings", len(chosen), unit="training"))
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def evaluate(self, name: str, executor: Executor, retries: int) -> Batch:
        """Runs the chosen cells that are not done; those whose training is missing are recorded as failed."""
        missing = {each.name: each.error or "not trained" for each in self.trainings if not each.is_done}
        found = self.cells()
        chosen = selected(found, self.only)
        for cell in chosen:
            if error := missing.get(cell.record.model):
                cell.record.state, cell.record.error = "failed", error
                write_text(cell.log, f"{error}\n")
        folders = {cell.record.folder for cell in chosen if cell.record.model not in missing}
        record = BatchRecord(plan=name, on=executor.name, cells=[cell.record for cell in found])
        with BatchView(record, folders) as view:
            work = Batch(self.out, record, found, executor, view, folders, retries, self.plan.select)
            work.run()
        return work

    def report(self) -> int:
        """Writes OUT/report; returns the exit code of `lm-eval-ext report`."""
        arguments = ["report", str(self.out), "--out", str(self.out / "report")]
        return subprocess.run([*LAUNCHER, *arguments], check=False).returncode

    def states(self) -> Iterator[str]:
        """A line for each chosen training and cell: done or not."""
        for training in self.chosen():
            yield f"{'done' if training.is_done else 'to train'}: {training.name} ({training.config})"
        for cell in selected(self.cells(), self.only):
            state = "done" if outcome(cell.job, cell.folder) else "to evaluate"
            yield f"{state}: {cell.record.model} | {cell.record.evaluation}"

    def _model(self, name: str, path: str, labels: Labels) -> Model:
        return Model(self.plan.with_defaults(ModelEntry(path=path, name=name, labels=labels)), path, name)
