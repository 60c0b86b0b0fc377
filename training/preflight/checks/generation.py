"""How rollouts are sampled: settings of GRPO that undo its learning."""

from __future__ import annotations

from typing import Any

from lm_eval_ext.rewards import AccuracyReward

from ..check import Outcome, check, does_not_apply, failed, passed_if
from ..context import PreflightContext

LONG = 1000
"""Completion tokens from which a whole sequence's importance ratio is hardly ever within bounds."""
NO_ROLLOUTS = ("sft", "SFT has no rollouts")
NO_CORRECTION = does_not_apply("no vLLM importance correction")


def _generation_kwargs(context: PreflightContext) -> dict[str, Any]:
    return dict(context.training.generation_kwargs or {})


def _stops(context: PreflightContext) -> list[str]:
    """The stop strings of rollouts, by vLLM's name or transformers'."""
    given = _generation_kwargs(context)
    stops = given.get("stop") or given.get("stop_strings") or []
    return [stops] if isinstance(stops, str) else list(stops)


def _corrects_importance(context: PreflightContext) -> bool:
    return bool(context.training.use_vllm and context.training.vllm_importance_sampling_correction)


@check(9, "rollouts of a group identical", "error", skip=NO_ROLLOUTS, fix="set temperature: 1.0")
def sampling_seed(context: PreflightContext) -> Outcome:
    """A seed per request makes every completion of a prompt the same."""
    given, temperature = _generation_kwargs(context), context.training.temperature
    if "seed" in given:
        return failed(f"generation_kwargs has seed={given['seed']}, the same for all of a group", "remove it")
    return passed_if(temperature > 0, f"no sampling seed, temperature {temperature:g}")


@check(10, "stop strings missing in training", "warn", skip=NO_ROLLOUTS)
def stop_strings(context: PreflightContext) -> Outcome:
    """What stands behind a stop of the evaluation must not be graded in training either."""
    given, wanted = _stops(context), context.prompts.stops
    if given and not context.training.use_vllm:
        return failed(
            f"generation_kwargs has stops {given}, which TRL's transformers path refuses",
            "remove them (the reward trims at the task's stops), or set use_vllm: true",
        )
    graders = [set(reward.stops) for reward in context.rewards if isinstance(reward, AccuracyReward)]
    trimmed = set.intersection(*graders) if graders else set()
    missing = [stop for stop in wanted if stop not in trimmed and stop not in given]
    seen = (
        f"{context.recipe.task} stops at {wanted}; rollouts stop at {given}, the reward at {sorted(trimmed)}"
    )
    return passed_if(
        not missing, seen, f"give AccuracyReward stops={missing}, or vLLM generation_kwargs stop"
    )


@check(
    11,
    "stop strings with masked truncation",
    "error",
    skip=NO_ROLLOUTS,
    fix="completions that a stop ends would all be masked: mask_truncated_completions: false, or no stops",
)
def masked_stops(context: PreflightContext) -> Outcome:
    """TRL takes a completion that a stop string ended for a truncated one."""
    stops, masked = _stops(context), context.training.mask_truncated_completions
    return passed_if(not (stops and masked), f"stop strings {stops}, mask_truncated_completions={masked}")


@check(
    12,
    "top_p or top_k with importance correction",
    "warn",
    skip=NO_ROLLOUTS,
    fix="set top_p: 1.0, top_k: 0 and no min_p, or vllm_importance_sampling_correction: false",
)
def filtered_sampling(context: PreflightContext) -> Outcome:
    """vLLM's ratios are of the filtered distribution, the trainer's of the whole one."""
    if not _corrects_importance(context):
        return NO_CORRECTION
    given, training = _generation_kwargs(context), context.training
    p = float(given.get("top_p", training.top_p))
    k = int(given.get("top_k", training.top_k) or 0)
    least = float(given.get("min_p", training.min_p) or 0)
    seen = f"top_p={p:g}, top_k={k}, min_p={least:g} with vLLM importance correction"
    return passed_if(p >= 1 and k <= 0 and not least, seen)


@check(
    13,
    "sequence-level importance masks",
    "warn",
    skip=NO_ROLLOUTS,
    fix="set vllm_importance_sampling_mode: token_mask or token_truncate",
)
def sequence_masks(context: PreflightContext) -> Outcome:
    """The ratio of a long sequence is a product of thousands: nearly all are masked."""
    if not _corrects_importance(context):
        return NO_CORRECTION
    mode, size = context.training.vllm_importance_sampling_mode, context.training.max_completion_length
    seen = f"vllm_importance_sampling_mode={mode} with max_completion_length={size}"
    return passed_if(size <= LONG or mode.startswith("token"), seen)
