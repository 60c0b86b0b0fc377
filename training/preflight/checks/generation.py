"""How rollouts are sampled: GRPO's settings that undo its learning."""

from __future__ import annotations

from typing import Any

from lm_eval_ext.rewards import AccuracyReward

from ..registry import Outcome, broken, inapplicable, judged, passed, row
from ..subject import Subject

LONG = 1000
"""Completion tokens from which a whole sequence's importance ratio is hardly ever within bounds."""
NO_ROLLOUTS = inapplicable("SFT has no rollouts")
NO_CORRECTION = inapplicable("no vLLM importance correction")


def generation_kwargs(subject: Subject) -> dict[str, Any]:
    """GRPO's `generation_kwargs`."""
    return dict(subject.training.generation_kwargs or {})


def stops(subject: Subject) -> list[str]:
    """The stop strings that rollouts are given, by vLLM's name or transformers'."""
    given = generation_kwargs(subject)
    found = given.get("stop") or given.get("stop_strings") or []
    return [found] if isinstance(found, str) else list(found)


def corrected(subject: Subject) -> bool:
    """Whether rollouts come from vLLM with importance correction."""
    return bool(subject.training.use_vllm and subject.training.vllm_importance_sampling_correction)


@row(9, "rollouts of a group identical", "error")
def sampling_seed(subject: Subject) -> Outcome:
    """A seed per request makes every completion of a prompt the same."""
    if subject.kind == "sft":
        return NO_ROLLOUTS
    given, temperature = generation_kwargs(subject), subject.training.temperature
    if "seed" in given:
        return broken(f"generation_kwargs has seed={given['seed']}, the same for all of a group; take it out")
    return judged(temperature > 0, f"no sampling seed, temperature {temperature:g}", "set temperature: 1.0")


@row(10, "stop strings missing in training", "warn")
def stop_strings(subject: Subject) -> Outcome:
    """The evaluation's stops end rollouts, too, or what stands behind them is not graded."""
    if subject.kind == "sft":
        return NO_ROLLOUTS
    given, wanted = stops(subject), subject.prompts.stops
    if given and not subject.training.use_vllm:
        return broken(
            f"generation_kwargs has stops {given}, which TRL's transformers path refuses; take them out (the "
            "reward trims at the task's stops), or use_vllm: true"
        )
    graders = [reward for reward in subject.rewards if isinstance(reward, AccuracyReward)]
    trimmed = set.intersection(*(set(reward.stops) for reward in graders)) if graders else set()
    missing = [stop for stop in wanted if stop not in trimmed and stop not in given]
    seen = (
        f"{subject.recipe.task} stops at {wanted}; rollouts stop at {given}, the reward at {sorted(trimmed)}"
    )
    return judged(not missing, seen, f"give AccuracyReward stops={missing}, or vLLM generation_kwargs stop")


@row(11, "stop strings with masked truncation", "error")
def masked_stops(subject: Subject) -> Outcome:
    """TRL takes a completion that a stop string ended for a truncated one."""
    if subject.kind == "sft":
        return NO_ROLLOUTS
    given, masked = stops(subject), subject.training.mask_truncated_completions
    seen = f"stop strings {given}, mask_truncated_completions={masked}"
    mend = "completions that a stop ends would all be masked: mask_truncated_completions: false, or no stops"
    return judged(not (given and masked), seen, mend)


@row(12, "top_p or top_k with importance correction", "warn")
def filtered_sampling(subject: Subject) -> Outcome:
    """vLLM's ratios are of the filtered distribution, the trainer's of the whole one."""
    if subject.kind == "sft":
        return NO_ROLLOUTS
    given = generation_kwargs(subject)
    p = float(given.get("top_p", subject.training.top_p))
    k = int(given.get("top_k", subject.training.top_k) or 0)
    least = float(given.get("min_p", subject.training.min_p) or 0)
    if not corrected(subject):
        return NO_CORRECTION
    seen = f"top_p={p:g}, top_k={k}, min_p={least:g} with vLLM importance correction"
    mend = "set top_p: 1.0, top_k: 0 and no min_p, or vllm_importance_sampling_correction: false"
    return judged(p >= 1 and k <= 0 and not least, seen, mend)


@row(13, "sequence-level importance masks", "warn")
def sequence_masks(subject: Subject) -> Outcome:
    """The ratio of a long sequence is a product of thousands: nearly all are masked."""
    if subject.kind == "sft":
        return NO_ROLLOUTS
    if not corrected(subject):
        return NO_CORRECTION
    mode, size = subject.training.vllm_importance_sampling_mode, subject.training.max_completion_length
    seen = f"vllm_importance_sampling_mode={mode} with max_completion_length={size}"
    if size <= LONG:
        return passed(seen)
    return judged(
        mode.startswith("token"), seen, "set vllm_importance_sampling_mode: token_mask or token_truncate"
    )
