"""What SFT and GRPO share: reading and checking a recipe, the trainer's settings, resuming."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, cast

from lm_eval_ext.atomic import write_text
from lm_eval_ext.cli.app import say_next
from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.redaction import redacted

from .config_checks import check_installed
from .data.build import dataset
from .evaluation import Evaluation
from .merge.combine import TRAINED_WITH
from .models import model_arguments, training_tokenizer
from .preflight import before
from .preflight.context import Kind
from .recipe import Recipe, read
from .recipe_files import TRAINERS
from .rewards import discard_rollouts

RESOLVED = "config_resolved.json"
STATE = "trainer_state.json"
"""Of transformers' Trainer: the last file that it writes of a checkpoint."""


def prepare(trainer: str, arguments: Sequence[str] | None) -> tuple[Recipe, dict[str, Any]]:
    """Reads and checks a recipe; returns it with what all TRAINERS take.

    Writes TRAINED_WITH. Raises UserError where the recipe must not run.
    """
    from trl import get_peft_config

    from .bounds import StopOnBound

    recipe, training, model = read(trainer, arguments)
    kind = cast(Kind, TRAINERS[trainer])
    check_installed(training, model)
    tokenizer = training_tokenizer(model)
    before(recipe, training, model, kind, tokenizer)
    record(recipe, training, model)
    training.model_init_kwargs = model_arguments(model, training)
    assert isinstance(recipe.bounds, dict), "a Recipe reads JSON itself"
    return recipe, {
        "model": model.model_name_or_path,
        "args": training,
        "train_dataset": dataset(recipe, kind, tokenizer),
        "processing_class": tokenizer,
        "peft_config": get_peft_config(model),
        "callbacks": [StopOnBound(recipe.bounds)],
    }


def converted(training: Any, kind: Any, without: Collection[str], trainer: str, **more: Any) -> Any:
    """The settings of GRPO as those of another of TRL's trainers, with `more`.

    Args:
        kind: its class of settings.
        without: settings of GRPO that have no meaning there.
        trainer: its name in recipes.

    Raises UserError for any other that it does not have, and the recipe sets.
    """
    from trl import GRPOConfig

    plain, known = GRPOConfig(training.output_dir, use_cpu=True), {each.name for each in fields(kind)}
    given = {each.name: getattr(training, each.name) for each in fields(training) if each.init}
    given = {name: value for name, value in given.items() if name not in without and value is not None}
    if lost := sorted(name for name in given.keys() - known if given[name] != getattr(plain, name)):
        raise UserError(f"recipe: {trainer} has no {', '.join(lost)}; remove them, or use trainer: grpo")
    return kind(**{**{name: value for name, value in given.items() if name in known}, **more})


def record(recipe: Recipe, training: Any, model: Any) -> None:
    """Writes beside the model what it is trained with: TRAINED_WITH, which merging and evaluation need, and
    every setting with its default."""
    from trl import get_quantization_config

    quantization = get_quantization_config(model)
    given = quantization.to_dict() if quantization else {}
    kept = {name: value for name, value in given.items() if name.startswith(("load_in_", "bnb_4bit_"))}
    written = {
        "recipe": asdict(recipe),
        "quantization": kept or None,
        "base": model.model_name_or_path,
        "revision": model.model_revision,
        "dtype": "float32" if model.dtype == "float32" and not training.bf16 else "bfloat16",
    }
    folder = Path(training.output_dir)
    write_text(folder / TRAINED_WITH, json.dumps(redacted(written), indent=2))
    resolved = {"recipe": vars(recipe), "training": training.to_dict(), "model": vars(model)}
    write_text(folder / RESOLVED, json.dumps(redacted(resolved), indent=2, default=str))


def checkpoints(folder: Path) -> dict[int, Path]:
    """Step -> complete checkpoint, in order: a killed run may leave an incomplete one."""
    found = ((int(place.name.rpartition("-")[2]), place) for place in folder.glob("checkpoint-*"))
    return {step: place for step, place in sorted(found) if (place / STATE).is_file()}


def _steps(trainer: Any) -> int:
    """The number of steps of the whole training."""
    *_, steps = trainer.set_initial_training_values(trainer.args, trainer.get_train_dataloader())
    return int(steps)


def train(trainer: Any) -> None:
    """Trains from the newest checkpoint, if any, and saves. Raises UserError if a bound was passed."""
    from transformers import TrainerState

    from .bounds import StopOnBound

    folder = Path(trainer.args.output_dir)
    given = trainer.args.resume_from_checkpoint
    if given and not (Path(given) / STATE).is_file():
        raise UserError(
            f"resume_from_checkpoint {given}: no {STATE} there; name the folder of a checkpoint, or leave it "
            f"out: training resumes from the newest checkpoint in {folder} by itself"
        )
    start = given or next(reversed(checkpoints(folder).values()), None)
    state = TrainerState.load_from_json(str(Path(start) / STATE)) if start else TrainerState()
    if trainer.is_world_process_zero():
        discard_rollouts(folder, state.global_step)
    if start and state.global_step >= _steps(trainer):  # the trainer would make one step more
        trainer.state = state
        trainer._load_from_checkpoint(str(start))
    else:
        trainer.train(resume_from_checkpoint=str(start) if start else None)
    trainer.save_model(str(folder))
    trainer.save_state()
    for callback in trainer.callback_handler.callbacks:
        if isinstance(callback, StopOnBound) and callback.broken:
            raise UserError(callback.broken)
    if trainer.is_world_process_zero():
        _say_done(folder)


def _say_done(folder: Path) -> None:
    """Says where the model or adapter is, and which command is next."""
    if (folder / "adapter_config.json").is_file():
        print(f"adapter: {folder}", file=sys.stderr)
        return say_next("train", "merge", folder, "--out", f"{folder}-merged")
    print(f"model: {folder}", file=sys.stderr)
    known = json.loads((folder / TRAINED_WITH).read_text("utf-8"))
    say_next("run", *Evaluation.of(Recipe(**known["recipe"])).arguments(str(folder), f"{folder}/eval"))
