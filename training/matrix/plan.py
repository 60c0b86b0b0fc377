"""The plan of a matrix: that of a batch, and trainings whose models are evaluated beside its own.

trainings:
  - {name: sft_chat, recipe: chat_template_sft_chat, labels: {training_format: chat}}
  - {name: sft_raw, recipe: my_recipe.yaml, overrides: {learning_rate: 2.0e-5}}
tasks:
  - {name: chat, tasks: gsm8k_ext_0shot, apply_chat_template: true, labels: {evaluation_format: chat}}
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from lm_eval_ext.batch import plan as plans
from lm_eval_ext.batch.plan import Labels, Plan
from lm_eval_ext.errors import UserError

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

    name: str = Field(pattern=r"^\w[\w.+=-]*$")
    recipe: str
    overrides: dict[str, Any] = {}
    labels: Labels = {}


class MatrixPlan(Plan):
    """A batch whose models include those of its trainings.

    Attributes:
        model: that all trainings start from; default: the model of each recipe.
        overrides: settings of every training, instead of its recipe's.
        base: labels of `model` untrained, if it is to be evaluated too.
    """

    PARTS: ClassVar[dict[str, type[BaseModel]]] = {**Plan.PARTS, "trainings": TrainingEntry}

    trainings: list[TrainingEntry] = Field(min_length=1)
    model: str | None = None
    overrides: dict[str, Any] = Field(default_factory=dict)
    base: Labels | None = None


def read(given: Path, model: str | None = None) -> MatrixPlan:
    """The plan in a file, or the shipped plan of that name; `model` is used instead of its own.

    Raises UserError if it cannot be used.
    """
    file = given if given.is_file() else SHIPPED / f"{given.name.removesuffix('.yaml')}.yaml"
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.yaml")))
        raise UserError(f"plan {given}: no such file; plans of the package: {known}")
    plan = plans.read_as(MatrixPlan, file)
    if model is not None:
        plan = plan.model_copy(update={"model": model})
    if plan.base is not None and plan.model is None:
        raise UserError(f"{file}: `base` evaluates the untrained `model`, and the plan names none")
    names = [entry.name for entry in plan.trainings]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"{file}: two trainings are called {twice[0]}; give each a name of its own")
    return plan
