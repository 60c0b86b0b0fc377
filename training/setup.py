"""What SFT and GRPO share: tokenizer, model arguments, the bounds of a run, resuming from a checkpoint."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lm_eval_ext.atomic import write_text
from lm_eval_ext.harness.errors import UserError

from .data.build import dataset
from .merge.combine import TRAINED_WITH
from .models import loaded_tokenizer
from .recipe import Recipe
from .rewards import discard_rollouts

STATE = "trainer_state.json"
"""Of transformers' Trainer: the last file that it writes of a checkpoint."""

_QUANTIZATION = {
    "load_in_4bit",
    "load_in_8bit",
    "bnb_4bit_quant_type",
    "bnb_4bit_compute_dtype",
    "bnb_4bit_use_double_quant",
    "bnb_4bit_quant_storage",
}


def tokenizer(model: Any) -> Any:
    """The model's tokenizer; padding on the left, as generation needs it."""
    found = loaded_tokenizer(model.model_name_or_path, model.model_revision)
    if found.pad_token is None:
        raise UserError(
            f"the tokenizer of {model.model_name_or_path} has no padding token; give it one that no text "
            "has, not the EOS token: padding is masked out of the loss, so the model would never learn to end"
        )
    return found


def model_arguments(model: Any, training: Any) -> dict[str, Any]:
    """How the model is loaded: type and quantization are explicit (by name alone, TRL loads in fp32)."""
    import torch
    from trl import get_quantization_config

    dtype = model.dtype if model.dtype in ("auto", None) else getattr(torch, model.dtype)
    quantization = get_quantization_config(model)
    return {
        "revision": model.model_revision,
        "attn_implementation": model.attn_implementation,
        "dtype": dtype,
        **(training.model_init_kwargs or {}),
        **({} if quantization is None else {"quantization_config": quantization}),
    }


def trainer_settings(recipe: Recipe, training: Any, model: Any, kind: str, tokenizer: Any) -> dict[str, Any]:
    """What SFTTrainer and GRPOTrainer (`kind`: "sft", "grpo") both take; writes TRAINED_WITH."""
    from trl import get_peft_config

    from .bounds import StopOnBound

    record(recipe, training, model)
    training.model_init_kwargs = model_arguments(model, training)
    bounds = {"kl": recipe.max_kl, "grad_norm": recipe.max_grad_norm_seen}
    return {
        "model": model.model_name_or_path,
        "args": training,
        "train_dataset": dataset(recipe, kind, tokenizer),
        "processing_class": tokenizer,
        "peft_config": get_peft_config(model),
        "callbacks": [StopOnBound({name: bound for name, bound in bounds.items() if bound})],
    }


def record(recipe: Recipe, training: Any, model: Any) -> None:
    """Writes beside the model what it is trained with: merging and evaluation need it."""
    from trl import get_quantization_config

    quantization = get_quantization_config(model)
    kept = {k: v for k, v in (quantization.to_dict() if quantization else {}).items() if k in _QUANTIZATION}
    written = {
        "recipe": asdict(recipe),
        "quantization": kept or None,
        "base": model.model_name_or_path,
        "revision": model.model_revision,
    }
    write_text(Path(training.output_dir) / TRAINED_WITH, json.dumps(written, indent=2))


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
