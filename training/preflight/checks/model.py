"""What is known only of the model itself (`--deep`), by small runs of the recipe's own trainer."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...merge import engines
from ...models import loaded_model
from ..registry import NotAtHand, Outcome, broken, inapplicable, judged, passed, row
from ..subject import Subject
from ..trial import SAMPLES, agreement

MAX_KL = 0.05
"""Nats a token between rollout engine and trainer before the first step: 0.02 is usual, 1.0 was seen."""
LEARNT = 0.5
"""Share of its first value that the loss on ten samples must come under."""


@row(23, "merged model is not the trained one", "error")
def merged(subject: Subject) -> Outcome:
    """Nothing is merged before training."""
    if not subject.model.use_peft:
        return inapplicable("full fine-tuning: nothing is merged")
    return inapplicable("after training: lm-eval-ext train merge proves it")


@row(9, "rollouts of a group identical", "error", deep=True)
def distinct(subject: Subject) -> Outcome:
    """The first groups, as sampled."""
    if subject.kind == "sft":
        return inapplicable("SFT has no rollouts")
    assert subject.trial.log and subject.trial.first
    fewest = subject.trial.first.fewest()
    seen = (
        f"the first groups have at least {fewest} distinct completions of {subject.training.num_generations}"
    )
    return judged(fewest > 1, seen, "set temperature: 1.0 and no seed in generation_kwargs")


@row(20, "groups without variance", "warn", deep=True)
def zero_variance(subject: Subject) -> Outcome:
    """The share of groups that teach nothing, measured."""
    if subject.kind == "sft":
        return inapplicable("SFT has no groups")
    shares = subject.trial.series("frac_reward_zero_std")
    mean = sum(shares) / len(shares)
    seen = f"frac_reward_zero_std is {mean:.2f} over {len(shares)} steps on {SAMPLES} samples"
    return judged(
        mean < 1, seen, "no group teaches: choose problems that the model solves sometimes (pass@k)"
    )


@row(27, "rollout engine and trainer disagree", "warn", deep=True)
def log_probabilities(subject: Subject) -> Outcome:
    """Log-probabilities of the first rollouts by both."""
    if subject.kind == "sft":
        return inapplicable("SFT has no rollout engine")
    if subject.training.use_vllm:
        return _vllm_agreement(subject)
    found = agreement(subject.trial.trainer, subject.tokenizer, subject.asked[:2])
    seen = f"KL {found.kl:.1e} nats a token over {found.tokens} tokens, largest gap {found.largest:.2g}"
    return judged(
        found.kl < MAX_KL, seen, "set top_p: 1.0, top_k: 0, repetition_penalty: 1.0 and one dtype for both"
    )


def _vllm_agreement(subject: Subject) -> Outcome:
    """TRL's own measure at the first step."""
    import torch

    if not torch.cuda.is_available():
        raise NotAtHand("TRL's rollouts in vLLM need a GPU")
    gaps = subject.trial.series("sampling/sampling_logp_difference/mean")
    seen = f"vLLM and trainer differ by {gaps[0]:.3g} nats a token on average at step 1"
    return judged(gaps[0] < MAX_KL, seen, "set the same dtype for both, or vllm_model_impl: transformers")


@row(28, "the harness itself cannot learn", "warn", deep=True)
def overfits(subject: Subject) -> Outcome:
    """Ten samples: the loss falls, or the reward rises."""
    if subject.kind == "sft":
        losses = subject.trial.series("loss")
        first, last = losses[0], sum(losses[-3:]) / 3
        seen = f"on {SAMPLES} samples the loss goes from {first:.3f} to {last:.3f} in {len(losses)} steps"
        return judged(
            last < LEARNT * first, seen, "nothing is learnt: look at lora_target_modules and the loss mask"
        )
    rewards = subject.trial.series("reward")
    third = max(1, len(rewards) // 3)
    first, last = (sum(part) / third for part in (rewards[:third], rewards[-third:]))
    seen = f"on {SAMPLES} samples the reward goes from {first:.3f} to {last:.3f} in {len(rewards)} steps"
    return judged(last > first, seen, "nothing is learnt: look at rewards, row 20 and learning rate")


@row(30, "export does not load", "warn", deep=True)
def export(subject: Subject) -> Outcome:
    """What transformers saves is read back whole, by transformers and by vLLM where it is installed."""
    import torch
    from transformers import AutoModelForCausalLM

    revision = subject.revision or "main"
    model = loaded_model(subject.folder, revision=revision, dtype=torch.bfloat16)
    with TemporaryDirectory(prefix="preflight-") as name:
        folder = Path(name)
        model.save_pretrained(folder)
        subject.tokenizer.save_pretrained(folder)
        if strange := unlisted(folder):
            return broken(
                f"{len(strange)} weights differ between index and files, {strange[0]!r} for one; save again"
            )
        loaded: Any = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", output_loading_info=True)
        saved, info = loaded
        lacking = sorted([*info["missing_keys"], *info["unexpected_keys"]])
        if lacking:
            return broken(
                f"{len(lacking)} weights do not load, {lacking[0]!r} for one; save with save_pretrained"
            )
        return _in_vllm(subject, folder, saved.eval())


def unlisted(folder: Path) -> list[str]:
    """Names that the index of a folder and its safetensors files do not share."""
    from safetensors import safe_open

    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return []
    listed: dict[str, str] = json.loads(index.read_text("utf-8"))["weight_map"]
    found: dict[str, str] = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, "pt") as weights:
            found.update(dict.fromkeys(weights.keys(), file.name))
    return sorted(name for name, _ in listed.items() ^ found.items())


def _in_vllm(subject: Subject, folder: Path, saved: Any) -> Outcome:
    import torch

    if not engines.can_run_vllm():
        return passed("transformers reads the export back whole; vLLM is not installed")
    ids = [subject.tokenizer(prompt)["input_ids"] for prompt in subject.asked[:4]]
    exact = loaded_model(str(folder), dtype=torch.float32).eval()
    try:
        found = engines.agree(exact, saved, ids, engines.vllm_greedy(folder, ids, 16, subject.ends))
    except RuntimeError as error:
        return broken(f"{' '.join(str(error).split())[-300:]}; export in a form that vLLM knows")
    return judged(
        found.passed is True, f"transformers and vLLM load the export: {found.seen}", "export again"
    )
