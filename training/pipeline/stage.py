"""One recipe of a pipeline: train, merge each checkpoint, choose one on the validation split, evaluate it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import mean
from typing import Any

from lm_eval_ext.analysis import runs
from lm_eval_ext.atomic import write_text
from lm_eval_ext.harness.errors import UserError

from ..evaluation import Evaluation
from ..recipe import Recipe, read, trainer_of
from ..setup import STATE, checkpoints
from .steps import Steps

HOME = __package__.rpartition(".")[0]
"""`training` in a checkout, `lm_eval_ext.training` in the wheel."""


@dataclass(frozen=True)
class Choice:
    """What was chosen by validation.

    Attributes:
        step: of the checkpoint.
        scores: step -> validation accuracy, of every checkpoint; None where there was but one.
        remark: why it is not the best, if it is not.
    """

    step: int
    scores: Mapping[int, float | None]
    remark: str = ""


def choose(scores: Mapping[int, float], up_to: float = 1.0) -> Choice:
    """The checkpoint with the best score that is not above `up_to`, the earliest of equals.

    Where all are above, the lowest is chosen, and the remark says so.
    """
    low_enough = {step: score for step, score in scores.items() if score <= up_to}
    if not low_enough:
        step = min(scores, key=lambda step: (scores[step], step))
        return Choice(step, scores, f"every checkpoint is above {up_to:.0%}: save earlier ones (save_steps)")
    step = min(low_enough, key=lambda step: (-low_enough[step], step))
    passed_over = len(scores) - len(low_enough)
    remark = f"{passed_over} above {up_to:.0%} passed over" if passed_over else ""
    return Choice(step, scores, remark)


@dataclass
class Stage:
    """One recipe in its folder.

    Attributes:
        name: of the stage; also of its folder in `out`.
        config: the recipe, as it was copied there.
        base: the model that it trains.
        out: the pipeline's folder.
        more: settings given on the command line.
    """

    name: str
    config: Path
    base: str
    out: Path
    more: Sequence[str] = ()

    @property
    def folder(self) -> Path:
        return self.out / self.name

    @property
    def settings(self) -> list[str]:
        """As the trainers take them."""
        return [
            *("--config", str(self.config), "--model_name_or_path", self.base),
            *("--output_dir", str(self.folder / "train"), *self.more),
        ]

    @cached_property
    def recipe(self) -> Recipe:
        """Raises UserError where it cannot be read, or has no validation task."""
        recipe = self._read[0]
        if not recipe.validation_task:
            raise UserError(
                f"recipe {self.name}: no validation_task; name the task that a checkpoint is chosen by, not "
                "the one that results are reported on (validation_task: arith_words_validation)"
            )
        return recipe

    @cached_property
    def _read(self) -> tuple[Recipe, Any, Any]:
        return read(trainer_of(self.config), self.settings)

    @property
    def evaluation(self) -> Evaluation:
        return Evaluation.of(self.recipe)

    @property
    def revision(self) -> str | None:
        """Of the model that the recipe names, in its repository."""
        found: str | None = self._read[2].model_revision
        return found

    def prepare(self, steps: Steps) -> None:
        """Preflight and the rows that will be trained on: what can fail, fails before anything is trained."""
        report = ["--json", str(self.folder / "preflight.json")]
        self._once(steps, "preflight", f"{HOME}.preflight", [*self.settings, *report], ok=(0, 3))
        rows = ["--out", str(self.folder / "rows.jsonl")]
        self._once(steps, "data", f"{HOME}.data", ["build", *self.settings, *rows])

    def train(self, steps: Steps) -> None:
        """Trains; goes on from the newest checkpoint if it was stopped."""
        settings = [*self.settings, "--preflight", "false"]  # `prepare` did
        self._once(steps, "train", f"{HOME}.{trainer_of(self.config)}", settings)

    def chosen(self, steps: Steps, limit: int | None) -> Choice:
        """Merges the checkpoints, and validates them if there are several; the choice is in `choice.json`."""
        found = self._checkpoints()
        models = {step: self._whole(steps, step, checkpoint) for step, checkpoint in found.items()}
        if len(models) == 1:
            (step,) = models
            choice = Choice(step, {step: None}, "the only one")
        else:
            choice = choose(self._validated(steps, models, limit), self.recipe.pick_up_to)
        write_text(self.folder / "choice.json", json.dumps(vars(choice), indent=1))
        listed = ", ".join(
            f"{step}: {score:.1%}" for step, score in choice.scores.items() if score is not None
        )
        print(f"{self.name}: checkpoint {choice.step} is chosen. {listed} {choice.remark}", file=sys.stderr)
        return choice

    def _validated(self, steps: Steps, models: Mapping[int, Path], limit: int | None) -> dict[int, float]:
        """Step -> accuracy on the validation task."""
        scores = {}
        for step, model in models.items():
            out = self.folder / "validation" / f"checkpoint-{step}"
            self._evaluate(steps, f"validate {step}", model, out, self.recipe.validation_task, limit)
            scores[step] = accuracy(out, self.recipe.validation_task)
        return scores

    def model(self, step: int) -> Path:
        """The folder of a checkpoint as one model."""
        kind = "merged" if self._read[2].use_peft else "train"
        return self.folder / kind / f"checkpoint-{step}"

    def results(self, steps: Steps, choice: Choice, limit: int | None) -> Path:
        """The folder of the chosen checkpoint's results on the task itself."""
        out = self.folder / "test"
        self._evaluate(steps, "evaluate", self.model(choice.step), out, self.recipe.task, limit)
        return out

    def log(self) -> list[dict[str, Any]]:
        """What the trainer logged: `[{"step": 1, "reward": 0.5, ...}, ...]`."""
        state = json.loads((self.folder / "train" / STATE).read_text("utf-8"))
        history: list[dict[str, Any]] = state["log_history"]
        return history

    def _checkpoints(self) -> dict[int, Path]:
        found = checkpoints(self.folder / "train")
        if not found:
            raise UserError(
                f"{self.folder / 'train'} has no checkpoints: set save_steps below the number of steps"
            )
        return found

    def _whole(self, steps: Steps, step: int, checkpoint: Path) -> Path:
        """The checkpoint as one model: merged, if it is an adapter."""
        model = self.model(step)
        if model != checkpoint:
            self._once(
                steps,
                f"merge {step}",
                f"{HOME}.merge",
                [str(checkpoint), "--out", str(model)],
                anew=model,
                ok=(0, 3),
            )
        return model

    def _evaluate(
        self, steps: Steps, what: str, model: Path, out: Path, task: str, limit: int | None
    ) -> None:
        arguments = ["run", *self.evaluation.arguments(str(model), str(out), task, limit)]
        self._once(steps, what, "lm_eval_ext.cli", arguments, anew=out)

    def _once(self, steps: Steps, what: str, module: str, arguments: Sequence[str], **more: Any) -> None:
        steps.run(f"{self.name}: {what}", module, arguments, **more)


def accuracy(results: Path, task: str) -> float:
    """Of the run in this folder. Raises UserError where no answer could be graded."""
    scores = runs.load(results).tasks[task].scored()
    if not scores:
        raise UserError(f"{results}: no answer to {task} has a score; look at its samples_*.jsonl")
    return mean(scores.values())
