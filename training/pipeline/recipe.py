"""The stages of one recipe: train, merge checkpoints, choose one by accuracy and safety, evaluate it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import mean
from typing import Any

from lm_eval_ext.analysis import runs
from lm_eval_ext.analysis.tables import csv_text
from lm_eval_ext.atomic import write_text
from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.harness.task import ProtocolTask

from ..evaluation import Evaluation
from ..prompts import load_task
from ..recipe import Recipe, read
from ..recipe_files import trainer_of
from ..setup import STATE, checkpoints
from .stage import Stage, evaluation_stage

HOME = __package__.rpartition(".")[0]
"""`training` in a checkout, `lm_eval_ext.training` in the wheel."""


PARTS = (BASE, VALIDATION, TEST, SAFETY) = ("base", "validation", "test", "safety")
"""Evaluations, and the folders of their results."""


@dataclass(frozen=True)
class Choice:
    """The checkpoint chosen by validation.

    Attributes:
        step: of the checkpoint.
        scores: step -> validation accuracy, of every checkpoint; None if there is only one.
        remark: why it is not the best, if it is not.
        safety: step -> score on the safety task; empty without one.
    """

    step: int
    scores: Mapping[int, float | None]
    remark: str = ""
    safety: Mapping[int, float] = field(default_factory=dict)


def choose(
    scores: Mapping[int, float], up_to: float = 1.0, safety: Mapping[int, float] | None = None
) -> Choice:
    """The checkpoint with the best score that is not above `up_to`; of equals the safest, then the earliest.

    If all are above, the lowest is chosen, and the remark says so.
    """
    safe = safety or {}
    low_enough = {step: score for step, score in scores.items() if score <= up_to}
    if not low_enough:
        step = min(scores, key=lambda step: (scores[step], step))
        remark = f"every checkpoint is above {up_to:.0%}: save earlier ones (save_steps)"
        return Choice(step, scores, remark, safe)
    step = min(low_enough, key=lambda step: (-low_enough[step], -safe.get(step, 0.0), step))
    passed_over = len(scores) - len(low_enough)
    return Choice(step, scores, f"{passed_over} above {up_to:.0%} passed over" if passed_over else "", safe)


@dataclass
class RecipeRun:
    """One recipe in its folder.

    Attributes:
        name: of the recipe and its folder.
        config: the copy of the recipe in `out`.
        base: the model to train.
        out: the pipeline's folder.
        more: settings from the command line.
        choice: set by `chosen`.
        skip: evaluations to leave out, of PARTS.
    """

    name: str
    config: Path
    base: str
    out: Path
    more: Sequence[str] = ()
    choice: Choice | None = None
    skip: Sequence[str] = ()

    @property
    def folder(self) -> Path:
        return self.out / self.name

    @property
    def settings(self) -> list[str]:
        """Options of the trainers."""
        return [
            *("--config", str(self.config), "--model_name_or_path", self.base),
            *("--output_dir", str(self.folder / "train"), *self.more),
        ]

    @cached_property
    def read(self) -> tuple[Recipe, Any, Any]:
        """See `training.recipe.read`. Raises UserError without a validation task."""
        found = read(trainer_of(self.config), self.settings)
        if not found[0].validation_task:
            raise UserError(
                f"recipe {self.name}: no validation_task; name the task that a checkpoint is chosen by, not "
                "the one that results are reported on (validation_task: arith_words_validation)"
            )
        return found

    @property
    def evaluation(self) -> Evaluation:
        return Evaluation.of(self.read[0])

    @property
    def safety(self) -> Evaluation | None:
        """On the safety task, if there is one and it is not skipped."""
        wanted = self.read[0].safety_task and SAFETY not in self.skip
        return Evaluation.of_safety(self.read[0]) if wanted else None

    def check(self) -> None:
        """Loads the safety task and tries its safeguard: what is missing is found before anything is trained.

        Raises UserError.
        """
        if (safety := self.safety) is None:
            return
        task = load_task(safety.task, safety.data, **safety.metadata)
        if isinstance(task, ProtocolTask):
            task.check_asked(safety.task, task.config.filter_list, safety.chat)

    def preflight(self) -> Stage:
        report = ("--json", str(self.folder / "preflight.json"))
        return self._stage("preflight", f"{HOME}.preflight", [*self.settings, *report], ok=(0, 3))

    def data(self) -> Stage:
        """Builds the training rows: data that cannot be used fails before anything is trained."""
        rows = ("--out", str(self.folder / "rows.jsonl"), "--exemplars", str(self.folder / "exemplars.jsonl"))
        return self._stage("data", f"{HOME}.data", ["build", *self.settings, *rows])

    def train(self) -> Stage:
        arguments = [*self.settings, "--preflight", "false"]  # a stage of its own
        return self._stage("train", f"{HOME}.{trainer_of(self.config)}", arguments)

    def checkpoints(self) -> dict[int, Path]:
        """Step -> checkpoint. Raises UserError if training left none."""
        found = checkpoints(self.folder / "train")
        if not found:
            raise UserError(
                f"{self.folder / 'train'} has no checkpoints: set save_steps below the number of steps"
            )
        return found

    def candidates(self) -> dict[int, Path]:
        """The checkpoints to choose from: the newest `last_checkpoints`; without validation the newest."""
        found = list(self.checkpoints().items())
        last = 1 if VALIDATION in self.skip else self.read[0].last_checkpoints or len(found)
        return dict(found[-last:])

    def model(self, step: int) -> Path:
        """The folder of a checkpoint as one model: merged, if it is an adapter."""
        kind = "merged" if self.read[2].use_peft else "train"
        return self.folder / kind / f"checkpoint-{step}"

    def merges(self, of: Mapping[int, Path] | None = None) -> list[Stage]:
        """Merges each of these checkpoints (None: of all) that is an adapter."""
        return [
            self._stage(
                f"merge {step}",
                f"{HOME}.merge",
                [str(checkpoint), "--out", str(self.model(step))],
                output=self.model(step),
                ok=(0, 3),
            )
            for step, checkpoint in (self.checkpoints() if of is None else of).items()
            if self.model(step) != checkpoint
        ]

    def validations(self, limit: int | None) -> list[Stage]:
        """Evaluates each of the `candidates` on the validation task, if there are several."""
        steps, task = list(self.candidates()), self.read[0].validation_task
        if len(steps) == 1:
            return []
        return [self._evaluate(f"validate {s}", self._validation(s), s, task, limit) for s in steps]

    def safeties(self, limit: int | None) -> list[Stage]:
        """Evaluates each of the `candidates` on the safety task, if there is one."""
        if (safety := self.safety) is None:
            return []
        named = {step: f"{self.name}: safety {step}" for step in self.candidates()}
        return [
            evaluation_stage(name, safety, str(self.model(step)), self.safety_results(step), limit=limit)
            for step, name in named.items()
        ]

    def chosen(self) -> Choice:
        """Chooses one by validation, then safety; writes `choice.json` and `checkpoint_scores.csv`."""
        steps, recipe = list(self.candidates()), self.read[0]
        safe = {s: accuracy(self.safety_results(s), recipe.safety_task) for s in steps if self.safety}
        if len(steps) == 1:
            choice = Choice(steps[0], {steps[0]: None}, "the only one", safe)
        else:
            scores = {step: accuracy(self._validation(step), recipe.validation_task) for step in steps}
            choice = choose(scores, recipe.pick_up_to, safe)
        write_text(self.folder / "choice.json", json.dumps(vars(choice), indent=1))
        rows = [(s, scored, safe.get(s), s == choice.step) for s, scored in choice.scores.items()]
        header = ("step", recipe.validation_task, recipe.safety_task or "safety", "chosen")
        write_text(self.folder / "checkpoint_scores.csv", csv_text([header, *rows]))
        listed = ", ".join(f"{step}: {s:.1%}" for step, s in choice.scores.items() if s is not None)
        print(f"{self.name}: checkpoint {choice.step} is chosen. {listed} {choice.remark}", file=sys.stderr)
        self.choice = choice
        return choice

    def evaluate(self, step: int, limit: int | None) -> Stage:
        """Evaluates a checkpoint on the recipe's task."""
        return self._evaluate("evaluate", self.folder / TEST, step, self.read[0].task, limit)

    def safety_results(self, step: int) -> Path:
        """Folder of a checkpoint's evaluation on the safety task."""
        return self.folder / SAFETY / f"checkpoint-{step}"

    def log(self) -> list[dict[str, Any]]:
        """The trainer's log: `[{"step": 1, "reward": 0.5, ...}, ...]`."""
        state = json.loads((self.folder / "train" / STATE).read_text("utf-8"))
        history: list[dict[str, Any]] = state["log_history"]
        return history

    def _validation(self, step: int) -> Path:
        return self.folder / VALIDATION / f"checkpoint-{step}"

    def _evaluate(self, what: str, out: Path, step: int, task: str, limit: int | None) -> Stage:
        return evaluation_stage(
            f"{self.name}: {what}", self.evaluation, str(self.model(step)), out, task, limit
        )

    def _stage(self, what: str, module: str, arguments: Sequence[str], **more: Any) -> Stage:
        return Stage(f"{self.name}: {what}", module, arguments, **more)


def accuracy(results: Path, task: str) -> float:
    """Of the run in this folder. Raises UserError if no answer could be graded."""
    scores = runs.load(results).tasks[task].scored()
    if not scores:
        raise UserError(f"{results}: no answer to {task} has a score; look at its samples_*.jsonl")
    return mean(scores.values())
