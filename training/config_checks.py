"""Refuse settings early that TRL refuses only after loading the model, or after the first rollouts."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

from lm_eval_ext.errors import UserError, required

LOSSES = {
    "sft": ("nll", "dft"),
    "grpo": ("grpo", "dr_grpo", "dapo", "bnpo", "cispo", "sapo", "luspo", "vespo"),
}
"""`loss_type` of TRL's trainers, none of which checks it at the start."""
CHOICES = {
    "scale_rewards": ("group", "batch", "none"),
    "importance_sampling_level": ("token", "sequence"),
    "multi_objective_aggregation": ("sum_then_normalize", "normalize_then_sum"),
    "vllm_mode": ("colocate", "server"),
    "vllm_importance_sampling_mode": ("token_truncate", "token_mask", "sequence_truncate", "sequence_mask"),
}
"""GRPO's other settings with few values, checked as late."""
TRACKERS = {"tensorboard", "trackio", "wandb"}
PACKAGES = {"load_in_4bit": "bitsandbytes", "load_in_8bit": "bitsandbytes", "use_peft": "peft"}


def check_settings(training: Any, model: Any, kind: str) -> None:
    """Raises UserError on settings that TRL's trainer of this kind ("sft", "grpo") does not accept."""
    for name, known in {"loss_type": LOSSES[kind], **(CHOICES if kind == "grpo" else {})}.items():
        if (given := getattr(training, name)) not in known:
            raise UserError(f"recipe: {name} is {given!r}; it must be one of {', '.join(known)}")
    specific = _sft_rules(training) if kind == "sft" else _grpo_rules(training, model)
    for message, broken in {**_rules(training, model), **specific}.items():
        if broken:
            raise UserError(f"recipe: {message}")


def _rules(training: Any, model: Any) -> dict[str, bool]:
    """What to do about settings that contradict each other -> whether these do."""
    strategy = str(getattr(training.eval_strategy, "value", training.eval_strategy))
    quantized = model.load_in_4bit or model.load_in_8bit
    return {
        "no model_name_or_path": not model.model_name_or_path,
        f"eval_strategy is {strategy!r}, eval_on_start {training.eval_on_start}, and training has no "
        "evaluation set; set eval_strategy: 'no' and eval_on_start: false: lm-eval evaluates checkpoints": (
            strategy != "no" or training.eval_on_start
        ),
        "lora_target_modules has lm_head, whose adapter TRL never trains; remove it": (
            model.use_peft and "lm_head" in (model.lora_target_modules or ())
        ),
        "quantized weights (load_in_4bit, load_in_8bit) cannot be trained; add use_peft: true": (
            quantized and not model.use_peft
        ),
    }


def _sft_rules(training: Any) -> dict[str, bool]:
    return {
        "packing is on; set max_length": training.packing and training.max_length is None,
        "assistant_only_loss needs rows of messages, and rows here are prompt and completion; set it to "
        "false: with shape: masked the loss is on the response alone": training.assistant_only_loss,
    }


def _grpo_rules(training: Any, model: Any) -> dict[str, bool]:
    mode = training.vllm_importance_sampling_mode
    corrected = training.use_vllm and training.vllm_importance_sampling_correction
    quantized = model.load_in_4bit or model.load_in_8bit
    return {
        "QLoRA, FSDP2 and use_vllm do not work together: before each rollout the adapter is merged into the "
        "weights that vLLM gets, and 4-bit weights in FSDP2's shards cannot be merged. Up to about 4B use "
        "multi_gpu.yaml (DDP) instead of fsdp2.yaml, or train LoRA on bf16 weights (load_in_4bit: false)": (
            quantized and training.use_vllm and _sharded(training)
        ),
        f"loss_type vespo needs vllm_importance_sampling_mode token_mask or token_truncate, not {mode}": (
            training.loss_type == "vespo" and corrected and not mode.startswith("token")
        ),
        "sync_ref_model needs all weights trained: no use_peft": training.sync_ref_model and model.use_peft,
        "sync_ref_model needs a reference model: set beta": training.sync_ref_model and not training.beta,
    }


def _sharded(training: Any) -> bool:
    """Whether FSDP2 shards the model in this process: by the launcher's environment or the recipe."""
    launched = os.environ.get("ACCELERATE_USE_FSDP") == "true" and os.environ.get("FSDP_VERSION") == "2"
    arguments = getattr(training, "fsdp_plugin_args", None) or {}
    return launched or arguments.get("fsdp_version") == 2


def check_installed(training: Any, model: Any) -> None:
    """Raises UserError if the settings need a package or an engine that is not installed."""
    import torch
    from transformers import Trainer
    from transformers.integrations.integration_utils import get_reporting_integration_callbacks
    from transformers.optimization import get_scheduler

    for name, package in PACKAGES.items():
        if getattr(model, name) and find_spec(package) is None:
            raise UserError(f"recipe: {name} needs {package}: pip install {package}")
    for tracker in TRACKERS & set(training.report_to):
        required(tracker, f"recipe: report_to: {tracker}", "trackers")
    if getattr(training, "use_vllm", False) and find_spec("vllm") is None:
        raise UserError("recipe: use_vllm needs vLLM: pip install vllm, or use_vllm: false")

    def scheduler() -> None:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        given = training.lr_scheduler_kwargs or {}
        get_scheduler(training.lr_scheduler_type, optimizer, 1, 10, scheduler_specific_kwargs=given)

    for setting, create in {
        "report_to": lambda: [each() for each in get_reporting_integration_callbacks(training.report_to)],
        "optim": lambda: Trainer.get_optimizer_cls_and_kwargs(training),
        "lr_scheduler_type": scheduler,
    }.items():
        try:
            create()
        except (ImportError, RuntimeError, ValueError, TypeError) as error:
            value, why = getattr(training, setting), " ".join(str(error).split())
            raise UserError(f"recipe: {setting} is {getattr(value, 'value', value)!r}: {why}") from error
