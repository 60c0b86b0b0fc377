"""The plan of a matrix: that of a batch, and trainings whose models are evaluated beside its own.

trainings:
  - {name: sft_chat, recipe: chat_template_sft_chat, labels: {training_format: chat}}
  - {name: sft_raw, recipe: my_recipe.yaml, overrides: {learning_rate: 2.0e-5}}
tasks:
  - {name: chat, tasks: gsm8k_ext_0shot, apply_chat_template: true, labels: {evaluation_format: chat}}
sweep: {learning_rate: [1.0e-6, 5.0e-6]}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from lm_eval_ext.batch import plan as plans
from lm_eval_ext.batch.plan import Labels, Plan
from lm_eval_ext.errors import UserError

from .. import recipe as recipes
from ..evaluation import Evaluation
from ..recipe_files import found, settings_in, trainer_of

NAME = r"^\w[\w.+=-]*$"
SHIPPED = Path(__file__).resolve().parents[1] / "configs" / "matrix"


class TrainingEntry(BaseModel):
    """One training.

    Attributes:
        name: of the model in tables, and of its folder.
        recipe: a file, or the name of a shipped one.
        overrides: settings instead of the recipe's; null removes one.
        labels: facts to group by, such as method: SFT.
    """

    model_config = Plan.model_config

    name: str = Field(pattern=NAME)
    recipe: str
    overrides: dict[str, Any] = {}
    labels: Labels = {}


class MatrixPlan(Plan):
    """A batch whose models include those of its trainings.

    Attributes:
        model: that all trainings start from; default: the model of each recipe.
        overrides: settings of every training, instead of its recipe's.
        base: labels of `model` untrained, if it is to be evaluated too.
        sweep: setting -> values; each training is run with every combination, which are labels of its model.
    """

    PARTS: ClassVar[dict[str, type[BaseModel]]] = {**Plan.PARTS, "trainings": TrainingEntry}

    trainings: list[TrainingEntry] = Field(min_length=1)
    model: str | None = None
    overrides: dict[str, Any] = Field(default_factory=dict)
    base: Labels | None = None
    sweep: dict[str, list[str | int | float | bool]] = Field(default_factory=dict)


def read(given: Path, model: str | None = None, sweep: Sequence[str] = ()) -> MatrixPlan:
    """The plan in a file, or the shipped plan of that name; `model` is used instead of its own.

    A recipe, by file or name, is a plan of one training, evaluated on its validation task, else on its task.

    Args:
        sweep: "learning_rate=1e-6,5e-6", each added to the plan's own.

    Raises UserError if it cannot be used.
    """
    file = given if given.is_file() else SHIPPED / f"{given.name.removesuffix('.yaml')}.yaml"
    if not file.is_file():
        file = _recipe(given)
    plan = of_recipe(file) if "trainer" in settings_in(file) else plans.read_as(MatrixPlan, file)
    plan = plan.model_copy(update={} if model is None else {"model": model})
    if plan.base is not None and plan.model is None:
        raise UserError(f"{file}: `base` evaluates the untrained `model`, and the plan names none")
    plan = _swept(plan, {**plan.sweep, **dict(map(_values, sweep))})
    names = [entry.name for entry in plan.trainings]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"{file}: two trainings are called {twice[0]}; give each a name of its own")
    return plan


def of_recipe(file: Path) -> MatrixPlan:
    """One training and its evaluation. Raises UserError if the recipe cannot be used."""
    recipe = recipes.read(trainer_of(file), ["--config", str(file)])[0]
    settings = Evaluation.of(recipe)
    evaluation = {
        "tasks": recipe.validation_task or recipe.task,
        "num_fewshot": settings.num_fewshot,
        "apply_chat_template": settings.chat,
        "system_instruction": settings.system_instruction,
        "gen_kwargs": settings.gen_kwargs,
        "repeats": settings.repeats,
        "metadata": {"data": settings.data} if settings.data else {},
    }
    return MatrixPlan.model_validate(
        {
            "trainings": [{"name": file.stem, "recipe": str(file)}],
            "tasks": [evaluation],
            "defaults": {"model_args": settings.model_args},
        }
    )


def _recipe(given: Path) -> Path:
    try:
        return found(given)
    except UserError:
        known = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.yaml")))
        raise UserError(
            f"plan {given}: no such file, and no recipe of that name; plans of the package: {known}"
        ) from None


def _values(given: str) -> tuple[str, list[Any]]:
    """Setting and values of "learning_rate=1e-6,5e-6". Raises UserError for anything else."""
    name, _, values = given.partition("=")
    if not name or not all(listed := [value.strip() for value in values.split(",")]):
        raise UserError(f"--sweep {given}: give a setting and its values, as in learning_rate=1e-6,5e-6")
    return name, listed


def _swept(plan: MatrixPlan, sweep: Mapping[str, Sequence[Any]]) -> MatrixPlan:
    """Each training with each combination of values. Raises UserError for a value that no name can have."""
    combinations = [dict(zip(sweep, values, strict=True)) for values in product(*sweep.values())]
    trainings = [
        TrainingEntry.model_construct(
            name="-".join([entry.name, *(f"{name}={value}" for name, value in chosen.items())]),
            recipe=entry.recipe,
            overrides={**entry.overrides, **chosen},
            labels={**entry.labels, **chosen},
        )
        for entry in plan.trainings
        for chosen in combinations
    ]
    if odd := [entry.name for entry in trainings if not re.fullmatch(NAME, entry.name)]:
        raise UserError(f"sweep: a folder cannot be called {odd[0]!r}; list such trainings in the plan")
    return plan.model_copy(update={"trainings": trainings})
