"""What TRL refuses only once the model is loaded, or after the first rollouts: here before, in one line."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from lm_eval_ext.harness.errors import UserError

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
"""GRPO's other settings of a few values, checked as late."""
PACKAGES = {"load_in_4bit": "bitsandbytes", "load_in_8bit": "bitsandbytes", "use_peft": "peft"}


def check_settings(training: Any, model: Any, kind: str) -> None:
    """Raises UserError on settings that TRL's trainer of this kind ("sft", "grpo") does not take."""
    for name, known in {"loss_type": LOSSES[kind], **(CHOICES if kind == "grpo" else {})}.items():
        if (given := getattr(training, name)) not in known:
            raise UserError(f"recipe: {name} is {given!r}; it must be one of {', '.join(known)}")
    for broken, why in _rules(training, model, kind):
        if broken:
            raise UserError(f"recipe: {why}")


def _rules(training: Any, model: Any, kind: str) -> list[tuple[bool, str]]:
    """Whether settings contradict each other, and what to do about it."""
    strategy = str(getattr(training.eval_strategy, "value", training.eval_strategy))
    quantized = model.load_in_4bit or model.load_in_8bit
    rules = [
        (
            strategy != "no" or training.eval_on_start,
            f"eval_strategy is {strategy!r}, eval_on_start {training.eval_on_start}, and training has no "
            "evaluation set; set eval_strategy: 'no' and eval_on_start: false: lm-eval evaluates checkpoints",
        ),
        (
            bool(model.use_peft and "lm_head" in (model.lora_target_modules or ())),
            "lora_target_modules has lm_head, whose adapter TRL never trains; take it out",
        ),
        (
            bool(quantized and not model.use_peft),
            "quantized weights (load_in_4bit, load_in_8bit) cannot be trained; add use_peft: true",
        ),
    ]
    if kind == "sft":
        length = training.max_length
        rules.append((bool(training.packing and length is None), "packing is on; set max_length"))
        rules.append(
            (
                training.assistant_only_loss,
                "assistant_only_loss needs rows of messages, and rows here are prompt and completion; set it "
                "to false: with shape: masked the loss is on the response alone",
            )
        )
        return rules
    mode = training.vllm_importance_sampling_mode
    corrected = training.use_vllm and training.vllm_importance_sampling_correction
    rules.append(
        (
            training.loss_type == "vespo" and corrected and not mode.startswith("token"),
            f"loss_type vespo needs vllm_importance_sampling_mode token_mask or token_truncate, not {mode}",
        )
    )
    synced = training.sync_ref_model
    rules.append((bool(synced and model.use_peft), "sync_ref_model needs all weights trained: no use_peft"))
    rules.append((bool(synced and not training.beta), "sync_ref_model needs a reference model: set beta"))
    return rules


def check_installed(training: Any, model: Any) -> None:
    """Raises UserError where the settings need a package or an engine that this machine does not have."""
    import torch
    from transformers import Trainer
    from transformers.integrations.integration_utils import get_reporting_integration_callbacks
    from transformers.optimization import get_scheduler

    for name, package in PACKAGES.items():
        if getattr(model, name) and find_spec(package) is None:
            raise UserError(f"recipe: {name} needs {package}: pip install {package}")
    if getattr(training, "use_vllm", False) and find_spec("vllm") is None:
        raise UserError("recipe: use_vllm needs vLLM: pip install vllm, or use_vllm: false")

    def scheduler() -> None:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        given = training.lr_scheduler_kwargs or {}
        get_scheduler(training.lr_scheduler_type, optimizer, 1, 10, scheduler_specific_kwargs=given)

    for setting, make in {
        "report_to": lambda: [found() for found in get_reporting_integration_callbacks(training.report_to)],
        "optim": lambda: Trainer.get_optimizer_cls_and_kwargs(training),
        "lr_scheduler_type": scheduler,
    }.items():
        _made(setting, getattr(training, setting), make)


def _made(setting: str, value: Any, make: Callable[[], Any]) -> None:
    try:
        make()
    except (ImportError, RuntimeError, ValueError, TypeError) as error:
        shown = getattr(value, "value", value)
        raise UserError(f"recipe: {setting} is {shown!r}: {' '.join(str(error).split())}") from error
