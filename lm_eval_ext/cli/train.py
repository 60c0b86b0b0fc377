"""`lm-eval-ext train STEP`: run a step of `training/`, from the wheel or a checkout."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer

from lm_eval_ext.cli.app import app

STEPS = {
    "preflight": "Check a recipe for known pitfalls before a run.",
    "data": "Build training rows, distill them from a model, or filter them by difficulty.",
    "sft": "Run supervised fine-tuning from a recipe.",
    "grpo": "Run reinforcement learning from a recipe, with the evaluation's grader as reward.",
    "async_grpo": "Run reinforcement learning with rollouts that do not wait for training (GPUs).",
    "distill": "Learn a larger model's distribution on the model's own answers.",
    "merge": "Merge an adapter into its base model and verify the result.",
    "matrix": "Train by several recipes and evaluate each model in several ways, as one plan says.",
    "pipeline": "Run every step: preflight, data, training, merge, evaluation, comparison.",
}
HELP = """Train with the evaluation's grader as reward; one command per step.

        lm-eval-ext train pipeline --config smoke_sft --out runs/smoke --smoke-test
    """
train = typer.Typer(no_args_is_help=True)
app.add_typer(train, name="train", help=HELP)


def home() -> str:
    """The package with the steps: `lm_eval_ext.training` in the wheel, `training` in a checkout.

    It is not imported, because `lm_eval_ext` must work without the training dependencies.
    """
    if find_spec("lm_eval_ext.training") is not None:
        return "lm_eval_ext.training"
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # before a user's folder `training`
    return "training"


def _program(step: str) -> Callable[[], Any]:
    """The program of a step: `main` of its module, or the command of its package; it reads `sys.argv`."""
    module = import_module(f"{home()}.{step}")
    if hasattr(module, "main"):
        program: Callable[[], Any] = module.main
        return program
    return partial(
        import_module(f"{module.__name__}.__main__").app, prog_name=sys.argv[0], standalone_mode=False
    )


def _starter(step: str) -> Callable[[typer.Context], None]:
    def start(context: typer.Context) -> None:
        sys.argv = [f"lm-eval-ext train {step}", *context.args]
        try:
            raise typer.Exit(_program(step)() or 0)
        except ModuleNotFoundError as error:
            if error.name not in ("accelerate", "bitsandbytes", "peft", "torch", "transformers", "trl"):
                raise
            raise SystemExit(f"{step} needs {error.name}: pip install '.[train]'") from error

    return start


for _step, _help in STEPS.items():
    train.command(
        _step,
        help=_help,
        add_help_option=False,  # the step prints its own help
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )(_starter(_step))
