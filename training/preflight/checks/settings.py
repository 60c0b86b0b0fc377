"""Settings of the trainer that undo its learning: rollouts, steps, precision, checkpoints."""

from __future__ import annotations

from typing import Any

from ..check import Outcome, check, does_not_apply, failed, passed, passed_if
from ..context import PreflightContext

LONG = 1000
"""Completion tokens from which a whole sequence's importance ratio is hardly ever within bounds."""
FEWEST_PROMPTS = 8
"""In a step."""
NO_CORRECTION = does_not_apply("no vLLM importance correction")


def _stops(training: Any) -> list[str]:
    """The stop strings of rollouts, by vLLM's name or transformers'."""
    given = training.generation_kwargs or {}
    stops = given.get("stop") or given.get("stop_strings") or []
    return [stops] if isinstance(stops, str) else list(stops)


def _corrects_importance(training: Any) -> bool:
    return bool(training.use_vllm and training.vllm_importance_sampling_correction)


@check(9, "rollouts of a group identical", "error", only="grpo", fix="set temperature: 1.0")
def sampling_seed(context: PreflightContext) -> Outcome:
    """A seed per request makes every completion of a prompt the same."""
    given, temperature = context.training.generation_kwargs or {}, context.training.temperature
    if "seed" in given:
        return failed(f"generation_kwargs has seed={given['seed']}, the same for all of a group", "remove it")
    return passed_if(temperature > 0, f"no sampling seed, temperature {temperature:g}")


@check(10, "stop strings missing in training", "warn", only="grpo")
def stop_strings(context: PreflightContext) -> Outcome:
    """What stands behind a stop of the evaluation must not be graded in training either."""
    given, wanted = _stops(context.training), context.prompts.stops
    if given and not context.training.use_vllm:
        return failed(
            f"generation_kwargs has stops {given}, which TRL's transformers path refuses",
            "remove them (the reward trims at the task's stops), or set use_vllm: true",
        )
    graded = context.grading or context.grader
    trimmed = set(graded.stops) if graded else set()
    missing = [stop for stop in wanted if stop not in trimmed and stop not in given]
    seen = f"{context.recipe.task} stops at {wanted}; rollouts stop at {given}, "
    fix = f"give AccuracyReward stops={missing}, or vLLM generation_kwargs stop"
    return passed_if(not missing, f"{seen}the reward at {sorted(trimmed)}", fix)


@check(
    11,
    "stop strings with masked truncation",
    "error",
    only="grpo",
    fix="completions that a stop ends would all be masked: mask_truncated_completions: false, or no stops",
)
def masked_stops(context: PreflightContext) -> Outcome:
    """TRL takes a completion that a stop string ended for a truncated one."""
    stops, masked = _stops(context.training), context.training.mask_truncated_completions
    return passed_if(not (stops and masked), f"stop strings {stops}, mask_truncated_completions={masked}")


@check(
    12,
    "top_p or top_k with importance correction",
    "warn",
    only="grpo",
    fix="set top_p: 1.0, top_k: 0 and no min_p, or vllm_importance_sampling_correction: false",
)
def filtered_sampling(context: PreflightContext) -> Outcome:
    """vLLM's ratios are of the filtered distribution, the trainer's of the whole one."""
    training, given = context.training, context.training.generation_kwargs or {}
    if not _corrects_importance(training):
        return NO_CORRECTION
    p = float(given.get("top_p", training.top_p))
    k = int(given.get("top_k", training.top_k) or 0)
    least = float(given.get("min_p", training.min_p) or 0)
    seen = f"top_p={p:g}, top_k={k}, min_p={least:g} with vLLM importance correction"
    return passed_if(p >= 1 and k <= 0 and not least, seen)


@check(
    13,
    "sequence-level importance masks",
    "warn",
    only="grpo",
    fix="set vllm_importance_sampling_mode: token_mask or token_truncate",
)
def sequence_masks(context: PreflightContext) -> Outcome:
    """The ratio of a long sequence is a product of thousands: nearly all are masked."""
    training = context.training
    if not _corrects_importance(training):
        return NO_CORRECTION
    mode, size = training.vllm_importance_sampling_mode, training.max_completion_length
    seen = f"vllm_importance_sampling_mode={mode} with max_completion_length={size}"
    return passed_if(size <= LONG or mode.startswith("token"), seen)


@check(
    20,
    "groups without variance",
    "warn",
    only="grpo",
    fix=f"make it {FEWEST_PROMPTS} or more (global_batch), and probe pass@k first",
)
def prompts_a_step(context: PreflightContext) -> Outcome:
    """A group all right or all wrong teaches nothing; with many prompts a step some teach."""
    t = context.training
    completions = t.per_device_train_batch_size * t.gradient_accumulation_steps * t.world_size
    prompts = completions / t.num_generations
    seen = f"{prompts:g} prompts a step, {t.num_generations} completions each"
    return passed_if(prompts >= FEWEST_PROMPTS, seen)


@check(21, "no warmup, no bound", "warn", only="grpo")
def warmup(context: PreflightContext) -> Outcome:
    """KL spikes under a small Adam epsilon without warmup; a bound on KL or gradient norm ends such a run."""
    t, recipe = context.training, context.recipe
    kind = str(getattr(t.lr_scheduler_type, "value", t.lr_scheduler_type))
    warm = 0 if kind == "constant" else t.warmup_steps
    bounds = [name for name in recipe.bounds or () if t.beta or name not in ("kl", "kl_max")]
    seen = f"adam_epsilon {t.adam_epsilon:g}, scheduler {kind}, warmup {warm:g}"
    seen += f"; bounds on {' and '.join(bounds) or 'nothing'}"
    fixes = [] if warm else ["set warmup_steps (with constant_with_warmup, not constant)"]
    if not bounds:
        fixes.append(
            "set bounds: {grad_norm: 100}" + (" (with beta: 0 no kl is logged)" if recipe.bounds else "")
        )
    return passed_if(not fixes, seen, " and ".join(fixes))


@check(24, "weights in the wrong precision", "warn")
def dtype(context: PreflightContext) -> Outcome:
    """Weights that are trained need float32; those under an adapter need no more than 16 bits.

    bfloat16 keeps 8 bits of a number: beside a weight of 0.02 the next ones are 1.2e-4 away, so that a step
    of 1e-5 rounds to no step. Six steps of AdamW at 1e-5 moved 1.8% of such weights, and 99.99% of float32.
    """
    t, adapter = context.training, context.model.use_peft
    kind = str((t.model_init_kwargs or {}).get("dtype") or context.model.dtype).removeprefix("torch.")
    seen = f"weights are loaded in {kind}"
    if kind == "None":
        best = "bfloat16" if adapter else "float32"
        return failed(f"{seen}: TRL's choice is float32", f"set dtype: {best}")
    if adapter:
        return passed_if(kind != "float32" or t.fp16, f"{seen}, under an adapter", "set dtype: bfloat16")
    if kind == "float32":
        fix = "set bf16: true, for mixed precision"
        return passed_if(t.bf16 or t.fp16, f"{seen}, all of them trained", fix)
    seen += " (the checkpoint says which)" * (kind == "auto")
    seen += "; all of them are trained, and steps of learning_rate "
    seen += f"{t.learning_rate:g} round to nothing in 16 bits"
    fix = "set dtype: float32 with bf16: true, or train an adapter (use_peft: true)"
    return Outcome("failed", seen, fix, severity="error")


@check(26, "last or best-rewarded checkpoint taken for the best", "warn")
def checkpoints(context: PreflightContext) -> Outcome:
    """Checkpoints must be kept: evaluation chooses among them, not the loss or the reward of training."""
    t = context.training
    strategy = str(getattr(t.save_strategy, "value", t.save_strategy))
    if t.load_best_model_at_end:
        seen = f"load_best_model_at_end chooses by {t.metric_for_best_model or 'loss'}"
        return failed(seen, "set it to false and evaluate the checkpoints")
    if strategy in ("no", "best"):
        seen = f"save_strategy is {strategy}: there is nothing to choose from"
        return failed(seen, "set save_strategy: steps")
    if t.save_total_limit == 1:
        seen = "save_total_limit is 1: all but the last checkpoint are deleted"
        return failed(seen, "raise it, evaluate them all")
    every = "each epoch" if strategy == "epoch" else f"every {t.save_steps:g} steps"
    return passed(f"a checkpoint {every}, to be chosen by {context.recipe.task}")
