"""What only the model itself can show (`--deep`), by short runs of the recipe's own trainer."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...merge import engines
from ...models import loaded_model
from ..check import Outcome, check, does_not_apply, failed, passed, passed_if
from ..context import PreflightContext, Unavailable
from ..trial import SAMPLES, agreement

MAX_KL = 0.05
"""Nats a token between rollout engine and trainer before the first step: 0.02 is usual, 1.0 was seen."""
MAX_LOSS_LEFT = 0.5
"""Share of its first value that the loss on ten samples must fall below."""


@check(23, "merged model is not the trained one", "error")
def merged(context: PreflightContext) -> Outcome:
    """Nothing is merged before training."""
    after = "after training: lm-eval-ext train merge proves it"
    return does_not_apply(after if context.model.use_peft else "full fine-tuning: nothing is merged")


@check(
    9,
    "rollouts of a group identical",
    "error",
    deep=True,
    only="grpo",
    fix="set temperature: 1.0 and no seed in generation_kwargs",
)
def distinct(context: PreflightContext) -> Outcome:
    """The first groups, as sampled."""
    fewest, group = context.trial.fewest_distinct(), context.training.num_generations
    return passed_if(fewest > 1, f"the first groups have at least {fewest} distinct completions of {group}")


@check(
    20,
    "groups without variance",
    "warn",
    deep=True,
    only="grpo",
    fix="no group teaches: choose problems that the model solves sometimes (pass@k)",
)
def zero_variance(context: PreflightContext) -> Outcome:
    """The share of groups that teach nothing, measured."""
    shares = context.trial.series("frac_reward_zero_std")
    mean = sum(shares) / len(shares)
    seen = f"frac_reward_zero_std is {mean:.2f} over {len(shares)} steps on {SAMPLES} samples"
    return passed_if(mean < 1, seen)


@check(
    27,
    "rollout engine and trainer disagree",
    "warn",
    deep=True,
    only="grpo",
    fix="set top_p: 1.0, top_k: 0, repetition_penalty: 1.0 and one dtype for both",
)
def log_probabilities(context: PreflightContext) -> Outcome:
    """Log-probabilities of the first rollouts by both; with vLLM, TRL's own measure of them."""
    import torch

    if not context.training.use_vllm:
        found = agreement(context.trial.trainer, context.tokenizer, context.prompt_texts[:2])
        seen = f"KL {found.kl:.1e} nats a token over {found.tokens} tokens, largest gap {found.largest:.2g}"
        return passed_if(found.kl < MAX_KL, seen)
    if not torch.cuda.is_available():
        raise Unavailable("TRL's rollouts in vLLM need a GPU")
    gap = context.trial.series("sampling/sampling_logp_difference/mean")[0]
    seen = f"vLLM and trainer differ by {gap:.3g} nats a token on average at step 1"
    return passed_if(gap < MAX_KL, seen, "set the same dtype for both, or vllm_model_impl: transformers")


@check(28, "the harness itself cannot learn", "warn", deep=True)
def overfits(context: PreflightContext) -> Outcome:
    """On ten samples the loss must fall, or the reward rise."""
    if context.kind == "sft":
        losses = context.trial.series("loss")
        first, last = losses[0], sum(losses[-3:]) / 3
        seen = f"on {SAMPLES} samples the loss goes from {first:.3f} to {last:.3f} in {len(losses)} steps"
        fix = "nothing is learnt: look at lora_target_modules and the loss mask"
        return passed_if(last < MAX_LOSS_LEFT * first, seen, fix)
    rewards = context.trial.series("reward")
    third = max(1, len(rewards) // 3)
    first, last = (sum(part) / third for part in (rewards[:third], rewards[-third:]))
    seen = f"on {SAMPLES} samples the reward goes from {first:.3f} to {last:.3f} in {len(rewards)} steps"
    return passed_if(last > first, seen, "nothing is learnt: look at rewards, row 20 and learning rate")


@check(30, "export does not load", "warn", deep=True, fix="save with save_pretrained")
def export(context: PreflightContext) -> Outcome:
    """transformers, and vLLM where it is installed, must read back all that transformers saves."""
    import torch
    from transformers import AutoModelForCausalLM

    model = loaded_model(context.folder, revision=context.revision, dtype=torch.bfloat16)
    with TemporaryDirectory(prefix="preflight-") as name:
        folder = Path(name)
        model.save_pretrained(folder)
        context.tokenizer.save_pretrained(folder)
        loaded: Any = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", output_loading_info=True)
        saved, info = loaded
        if lacking := sorted([*info["missing_keys"], *info["unexpected_keys"]]):
            return failed(f"{len(lacking)} weights do not load, {lacking[0]!r} for one")
        return _in_vllm(context, folder, saved.eval())


def _in_vllm(context: PreflightContext, folder: Path, saved: Any) -> Outcome:
    import torch

    if not engines.can_run_vllm():
        return passed("transformers reads the export back whole; vLLM is not installed")
    ids = [context.tokenizer(prompt)["input_ids"] for prompt in context.prompt_texts[:4]]
    exact = loaded_model(str(folder), dtype=torch.float32).eval()
    found = engines.in_vllm(folder, exact, saved, ids, 16, context.eos_tokens)
    seen = f"transformers loads the export; {' '.join(found.seen.split())[-300:]}"
    return passed_if(found.passed is True, seen, "export in a form that vLLM knows")
