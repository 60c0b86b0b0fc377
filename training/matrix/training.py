"""One training of a matrix: preflight, data, training, merging, in a folder of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import yaml

from lm_eval_ext.atomic import write_text
from lm_eval_ext.batch.plan import Labels
from lm_eval_ext.errors import UserError
from lm_eval_ext.resume import locked, require_same

from ..pipeline.recipe import RecipeRun
from ..pipeline.stage import Stage, record, run
from ..recipe_files import settings_in
from .plan import MatrixPlan, TrainingEntry

FOLDER = "trainings"


@dataclass
class Training(RecipeRun):
    """A training of a plan; see `RecipeRun`.

    Attributes:
        labels: of the plan.
        error: why it failed in this run.
    """

    labels: Labels = field(default_factory=dict)
    error: str = ""

    @property
    def log_file(self) -> Path:
        return self.folder / "log.txt"

    @property
    def is_done(self) -> bool:
        """Whether its last stage is recorded and the model is there."""
        done = record(self.folder)
        try:
            return f"{self.name}: train" in done and all(stage.name in done for stage in self.stages())
        except UserError:  # its checkpoints were removed
            return False

    @property
    def trained(self) -> Path:
        """The folder of the model after the last step. Raises UserError without a checkpoint."""
        return self.model(max(self.checkpoints())).resolve()

    @property
    def logged(self) -> dict[str, float]:
        """What a finished training by rewards logged; its end is the last tenth of the logged steps."""
        log = [row for row in self.log() if "reward" in row] if self.is_done else []
        end = log[-max(1, len(log) // 10) :]
        wanted = (
            ("reward at the end", fmean, end, "reward"),
            ("highest reward", max, log, "reward"),
            ("groups without variance", fmean, log, "frac_reward_zero_std"),
            ("tokens at the end", fmean, end, "completions/mean_length"),
        )
        return {
            shown: round(of(values), 3)
            for shown, of, rows, name in wanted
            if (values := [row[name] for row in rows if name in row])
        }

    def model(self, step: int) -> Path:
        kind = "merged" if settings_in(self.config).get("use_peft") else "train"
        return self.folder / kind / f"checkpoint-{step}"

    def stages(self) -> Iterator[Stage]:
        """In order; merging can be asked for after training."""
        yield self.preflight()
        yield self.data()
        yield self.train()
        last = self.model(max(self.checkpoints()))
        yield from (stage for stage in self.merges() if stage.output == last)

    def run(self, environment: Mapping[str, str]) -> None:
        """Runs the stages that are not recorded. A failure is kept in `error`, for the others to go on."""
        try:
            with locked(self.folder / "lock", self.folder):
                for stage in self.stages():
                    run(stage, self.folder, self.log_file, environment)
        except UserError as error:
            self.error = f"{error} Log: {self.log_file}"
            print(f"failed: {self.error}", file=sys.stderr)


def prepared(plan: MatrixPlan, entry: TrainingEntry, out: Path) -> Training:
    """The training, its recipe written into its folder.

    Raises UserError if the recipe cannot be used, or the training was begun with other settings.
    """
    given = {**settings_in(entry.recipe), **plan.overrides, **entry.overrides}
    settings = {name: value for name, value in given.items() if value is not None}
    base = plan.model or settings.get("model_name_or_path")
    if not base:
        raise UserError(f"training {entry.name}: no model_name_or_path; set it in overrides, or give --model")
    settings["model_name_or_path"] = base
    folder = out / FOLDER / entry.name
    config = folder / "recipe.yaml"
    if config.is_file() and record(folder):
        advice = "Give the same settings to resume, or another --out"
        require_same(settings, settings_in(config), folder, advice)
    else:
        write_text(config, yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))
    return Training(entry.name, config, base, out / FOLDER, labels=entry.labels)
