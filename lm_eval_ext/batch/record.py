"""`OUT/batch.json`: what a batch consists of and how far it is. Reports read it; `read` gives its model."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from lm_eval_ext import atomic
from lm_eval_ext.batch.plan import Labels
from lm_eval_ext.errors import DataError

FILE = "batch.json"
State = Literal["pending", "queued", "running", "done", "failed"]


class Score(BaseModel):
    """The scores of a task or a group.

    Attributes:
        metric: the one that is its score.
        values: of all metrics, with their `_stderr`.
        n: number of problems; None where lm-eval does not record it.
    """

    metric: str
    values: dict[str, float]
    n: int | None = None

    @property
    def value(self) -> float:
        return self.values[self.metric]


class CellRecord(BaseModel):
    """One model with one evaluation.

    Attributes:
        model: unique name of the model; the row of a table.
        series: shared by the checkpoints of one training; the model's name for any other model.
        step: of a checkpoint.
        path: of the model, as given or as a pattern matched it.
        labels: of the plan's model and evaluation.
        evaluation: name of the evaluation; the column of a table.
        settings: of model and evaluation, as the plan and its defaults have them.
        folder: relative to the batch's folder; has lm-eval's results and samples, `store/`, and `log.txt`.
        state: queued: submitted, and not started on any machine.
        attempts: how often it was started, in all runs of this batch.
        seconds: wall time of the attempt that succeeded.
        scores: of each task that is in no group, and each group.
        error: why it failed, in one line.
    """

    model: str
    series: str
    step: int | None
    path: str
    labels: Labels
    evaluation: str
    settings: dict[str, Any]
    folder: str
    state: State = "pending"
    attempts: int = 0
    seconds: float | None = None
    host: str | None = None
    scores: dict[str, Score] = {}
    error: str | None = None


class Best(BaseModel):
    """The checkpoint chosen by the plan's `select`, among `candidates` with a score."""

    model: str
    step: int | None
    score: float
    tie_score: float | None
    candidates: int


class BatchRecord(BaseModel):
    """A batch.

    Attributes:
        on: where jobs run: local, ray or slurm.
        wall_seconds: of the last run of the batch.
        cells: in the order of the plan, model by model.
    """

    version: Literal[1] = 1
    plan: str
    on: str
    wall_seconds: float = 0.0
    cells: list[CellRecord]
    best: Best | None = None

    def write(self, out: Path) -> None:
        """Writes `OUT/batch.json` at once."""
        atomic.write_text(out / FILE, self.model_dump_json(indent=1) + "\n")


def read(out: Path) -> BatchRecord:
    """The record in a batch's folder. Raises DataError if there is none."""
    try:
        return BatchRecord.model_validate_json((out / FILE).read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(
            f"{out} is no folder of a batch: {FILE}: {' '.join(str(error).split())[:200]}"
        ) from None
