"""What a recipe reached: scores of the chosen checkpoint, thresholds, and a row in the table of all runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from lm_eval_ext.analysis import baselines
from lm_eval_ext.analysis.tables import csv_text
from lm_eval_ext.atomic import write_text
from lm_eval_ext.batch.scores import scores_in
from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.harness.sources import read_rows
from lm_eval_ext.resume import locked_when_free

from .recipe import TEST, RecipeRun

PASSED = {True: "yes", False: "no", None: "undecided"}


class Reached(NamedTuple):
    """A score of the chosen checkpoint.

    Attributes:
        n: number of documents.
        low: the score if undecided responses count as failures.
        high: the score if they count as successes.
        threshold: the lowest score that passes; None: there is none.
    """

    task: str
    metric: str
    n: int | None
    low: float
    high: float
    threshold: float | None = None

    @property
    def passed(self) -> bool | None:
        """Whether the threshold is reached; None where there is none, or undecided responses decide it."""
        if self.threshold is None or self.low < self.threshold <= self.high:
            return None
        return self.low >= self.threshold

    def __str__(self) -> str:
        span = f"{self.low:.3f}" if self.low == self.high else f"{self.low:.3f} to {self.high:.3f}"
        asked = "" if self.threshold is None else f" (at least {self.threshold:g}: {PASSED[self.passed]})"
        return f"{self.task} {self.metric} {span}{asked}"


def thresholds(run: RecipeRun) -> dict[str, baselines.Figure]:
    """Task -> threshold of a recipe. Raises UserError if its baseline has none for one of its tasks."""
    recipe = run.read[0]
    if not recipe.thresholds:
        return {}
    name, _, label = recipe.thresholds.partition("/")
    known = baselines.load_all()
    figures = known[name].figures if name in known else ()
    found = {f.task: f for f in figures if f.kind == "threshold" and f.notes == label}
    if not found:
        labels = {f"{b}/{f.notes}" for b in known for f in known[b].figures if f.kind == "threshold"}
        raise UserError(
            f"recipe {run.name}: no thresholds {recipe.thresholds!r}; there are {', '.join(sorted(labels))}"
        )
    if others := set(found) - {recipe.task, recipe.safety_task}:
        raise UserError(
            f"recipe {run.name}: thresholds {recipe.thresholds} are also for {', '.join(sorted(others))}, "
            "which it does not evaluate (task, safety_task)"
        )
    return found


def reached(run: RecipeRun) -> list[Reached]:
    """The scores of the chosen checkpoint on the task and the safety task, as far as they were evaluated."""
    assert run.choice is not None, f"{run.name}: no checkpoint is chosen"
    asked, recipe = thresholds(run), run.read[0]
    places = {} if TEST in run.skip else {recipe.task: run.folder / TEST}
    if run.safety is not None:
        places[recipe.safety_task] = run.safety_results(run.choice.step)
    return [_score(place, task, asked.get(task)) for task, place in places.items()]


def _score(place: Path, task: str, threshold: baselines.Figure | None) -> Reached:
    score = scores_in(place)[1][task]
    metric = threshold.metric if threshold else score.metric
    if metric not in score.values:
        raise UserError(f"{place}: no metric {metric}; it has {', '.join(score.values)}")
    low = score.values[metric]
    high = score.values.get(f"{metric}_high", low)
    return Reached(task, metric, score.n, low, high, threshold.value if threshold else None)


def passed(run: RecipeRun, found: list[Reached]) -> str:
    """ "yes": every threshold is reached. "no": one is missed. "undecided". "": there are none."""
    asked = thresholds(run)
    verdicts = [one.passed for one in found if one.threshold is not None]
    if not asked:
        return ""
    if False in verdicts:
        return PASSED[False]
    return PASSED[True if len(verdicts) == len(asked) and all(verdicts) else None]


def row(run: RecipeRun, found: list[Reached], table: Path) -> dict[str, str]:
    """The row of a recipe in `table`. Its name is its folder, seen from the table's."""
    recipe, training, model = run.read
    assert run.choice is not None
    scores = {one.task: f"{one.low:.4f}" for one in found}
    kind = ("QLoRA" if model.load_in_4bit else "LoRA") if model.use_peft else "full"
    names = ("learning_rate", "num_train_epochs", "max_steps", "per_device_train_batch_size")
    used = {name: getattr(training, name) for name in (*names, "gradient_accumulation_steps", "seed")}
    lora = {"lora_r": model.lora_r, "lora_alpha": model.lora_alpha} if model.use_peft else {}
    hyperparameters = {**lora, **used, "num_fewshot": recipe.num_fewshot}
    folder, home = run.folder.resolve(), table.parent.resolve()
    return {
        "run_name": str(folder.relative_to(home) if folder.is_relative_to(home) else folder),
        "model": run.base,
        "data": f"{recipe.training_data}{f', first {recipe.size}' if recipe.size else ''}",
        "method": f"{kind} {recipe.trainer.upper()}",
        "hyperparameters": ", ".join(f"{name}={value}" for name, value in hyperparameters.items()),
        "accuracy": scores.get(recipe.task, ""),
        "safety_rate": scores.get(recipe.safety_task, ""),
        "checkpoint": str(run.model(run.choice.step)),
        "passed": passed(run, found),
        "evaluated": ", ".join(f"{one.task}: {one.n}" for one in found),
    }


def add_row(table: Path, new: Mapping[str, str]) -> None:
    """Adds a row to a CSV file, or replaces that of its `run_name`; keeps the file's other rows and columns.

    Raises DataError if the file is no table.
    """
    with locked_when_free(table.with_name(f".{table.name}.lock"), table):
        before = list(read_rows(table)) if table.is_file() else []
        rows = [*(old for old in before if old.get("run_name") != new["run_name"]), new]
        header = list(dict.fromkeys(name for row in (*before[:1], new) for name in row))
        write_text(table, csv_text([header, *([row.get(name, "") for name in header] for row in rows)]))
