"""`lm-eval-ext train STEP`: the one door to `training/`, from the wheel and from a checkout alike."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import typer

from lm_eval_ext.cli.app import app

STEPS = {
    "preflight": "Check a recipe against every known pitfall, before a run.",
    "data": "Build training rows, distil them from a model, choose them by difficulty.",
    "sft": "Supervised fine-tuning by a recipe.",
    "grpo": "Reinforcement learning by a recipe, rewarded by the evaluation's grader.",
    "merge": "Merge an adapter into its base, with proof.",
    "pipeline": "All of it: preflight, data, training, merge, evaluation, comparison.",
}
train = typer.Typer(no_args_is_help=True)
app.add_typer(train, name="train", help="Train on the evaluation's own grader: one command a step.")


def home() -> str:
    """The package that has the steps: in the wheel `lm_eval_ext.training`, in a checkout `training`.

    Found by name, not imported: `lm_eval_ext` must work without what training needs.
    """
    if find_spec("lm_eval_ext.training") is not None:
        return "lm_eval_ext.training"
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # before a folder `training` of the user's
    return "training"


def _starter(step: str) -> Callable[[typer.Context], None]:
    def start(context: typer.Context) -> None:
        sys.argv = [f"lm-eval-ext train {step}", *context.args]
        try:
            runpy.run_module(f"{home()}.{step}", run_name="__main__")
        except ModuleNotFoundError as error:
            if error.name not in ("accelerate", "bitsandbytes", "peft", "torch", "transformers", "trl"):
                raise
            raise SystemExit(f"{step} needs {error.name}: pip install '.[train]'") from error

    return start


for _step, _help in STEPS.items():
    train.command(
        _step,
        help=_help,
        add_help_option=False,  # the step has its own
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )(_starter(_step))
