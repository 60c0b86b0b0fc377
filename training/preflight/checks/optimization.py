"""Steps, warmup, bounds and checkpoints."""

from __future__ import annotations

from ..check import Outcome, check, failed, passed, passed_if
from ..context import PreflightContext

FEWEST_PROMPTS = 8
NO_GROUPS = ("sft", "SFT has no groups")


@check(
    20,
    "groups without variance",
    "warn",
    skip=NO_GROUPS,
    fix=f"make it {FEWEST_PROMPTS} or more (gradient_accumulation_steps), and probe pass@k first",
)
def prompts_a_step(context: PreflightContext) -> Outcome:
    """A group all right or all wrong teaches nothing; with many prompts a step some teach."""
    t = context.training
    completions = t.per_device_train_batch_size * t.gradient_accumulation_steps * t.world_size
    prompts = completions / t.num_generations
    seen = f"{prompts:g} prompts a step, {t.num_generations} completions each"
    return passed_if(prompts >= FEWEST_PROMPTS, seen)


@check(21, "no warmup, no bound", "warn", skip=("sft", "the spikes are of reinforcement learning"))
def warmup(context: PreflightContext) -> Outcome:
    """KL spikes under a small Adam epsilon without warmup; a bound on KL or gradient norm ends such a run."""
    t, recipe = context.training, context.recipe
    kind = str(getattr(t.lr_scheduler_type, "value", t.lr_scheduler_type))
    warm = 0 if kind == "constant" else t.warmup_steps
    bounds = [f"kl > {recipe.max_kl:g}"] if recipe.max_kl and t.beta else []
    bounds += [f"grad_norm > {recipe.max_grad_norm_seen:g}"] if recipe.max_grad_norm_seen else []
    seen = f"adam_epsilon {t.adam_epsilon:g}, scheduler {kind}, warmup {warm:g}"
    seen += f"; stops at {' or '.join(bounds) or 'nothing'}"
    fixes = [] if warm else ["set warmup_steps (with constant_with_warmup, not constant)"]
    if not bounds:
        fixes.append("set max_grad_norm_seen" + (" (with beta: 0 no kl is logged)" if recipe.max_kl else ""))
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
        return failed(
            f"{seen}: TRL's choice is float32", f"set dtype: {'bfloat16' if adapter else 'float32'}"
        )
    if adapter:
        return passed_if(kind != "float32" or t.fp16, f"{seen}, under an adapter", "set dtype: bfloat16")
    if kind == "float32":
        return passed_if(
            t.bf16 or t.fp16, f"{seen}, all of them trained", "set bf16: true, for mixed precision"
        )
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
        metric = t.metric_for_best_model or "loss"
        return failed(
            f"load_best_model_at_end chooses by {metric}", "set it to false and evaluate the checkpoints"
        )
    if strategy in ("no", "best"):
        return failed(
            f"save_strategy is {strategy}: there is nothing to choose from", "set save_strategy: steps"
        )
    if t.save_total_limit == 1:
        return failed(
            "save_total_limit is 1: all but the last checkpoint are deleted", "raise it, evaluate them all"
        )
    every = "each epoch" if strategy == "epoch" else f"every {t.save_steps:g} steps"
    return passed(f"a checkpoint {every}, to be chosen by {context.recipe.task}")
