"""What must hold of a merged model, checked on what was saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..models import as_list

MAX_MEAN_KL = 1e-4
"""Nats a token between the trained model and the merged one, on average over held-out prompts, in float32."""
MAX_ROUNDING = 4.0
"""Saved in bfloat16, the model may be at most this many times as far from the trained one as the arithmetic
of bfloat16 takes that one from itself. (SmolLM2-135M: arithmetic 1.4e-3 nats, rounded weights 2.5e-3.)"""


@dataclass(frozen=True)
class ProofResult:
    """One thing checked; `passed` is None where it could not be."""

    name: str
    passed: bool | None
    seen: str


@dataclass(frozen=True)
class Divergence:
    """Token-level KL(trained || merged) in nats over `tokens` positions."""

    mean: float
    largest: float
    tokens: int

    def __str__(self) -> str:
        return f"mean KL {self.mean:.2e} nats a token, largest {self.largest:.2e}, over {self.tokens} tokens"


def differs_from_base(merged: Any, base: Any) -> ProofResult:
    """How far the weights moved: a merge that changed nothing is none."""
    weights, moved = base.state_dict(), []
    for name, ours in merged.state_dict().items():
        theirs = weights.get(name)
        if theirs is not None and ours.shape == theirs.shape:
            distance = (ours.float() - theirs.float()).norm() / theirs.float().norm().clamp_min(1e-12)
            moved.append(float(distance))
    changed = sum(distance > 0 for distance in moved)
    seen = f"{changed} of {len(moved)} weights moved, by up to {max(moved, default=0):.2%} of their norm"
    return ProofResult("differs from its base", changed > 0, seen)


def divergence(trained: Any, merged: Any, tokenizer: Any, texts: Sequence[str]) -> Divergence:
    """KL of the next-token distributions at every token of the texts (prompts with responses), each alone."""
    import torch

    found = []
    for text in tqdm(texts, "comparing", unit="text"):
        ids = torch.tensor([tokenizer(text)["input_ids"]], device=trained.device)  # (1, T)
        with torch.no_grad():
            p = torch.log_softmax(trained(ids).logits[0].float(), dim=-1)  # (T, V)
            q = torch.log_softmax(merged(ids.to(merged.device)).logits[0].float(), dim=-1).to(p.device)
        found.append((p.exp() * (p - q)).sum(dim=-1))
    each = torch.cat(found)
    return Divergence(float(each.mean()), float(each.max()), int(each.numel()))


def close_to_trained(found: Divergence, other_base: bool = False) -> ProofResult:
    """The merged model, before it is rounded, predicts what the trained one does.

    `other_base`: it was merged onto weights that it was not trained on, so that it is another model.
    """
    close = found.mean < MAX_MEAN_KL
    name = f"merged: mean KL under {MAX_MEAN_KL:g}"
    if other_base and not close:
        return ProofResult(name, None, f"merged onto another base than in training: {found}")
    return ProofResult(name, close, str(found))


def close_when_saved(saved: Divergence, arithmetic: Divergence) -> ProofResult:
    """Rounding the weights to what they are saved in takes the model no further than bfloat16 sums do.

    Args:
        saved: from the merged model before it was rounded to the saved one, both in float32.
        arithmetic: from the trained model in float32 to itself in bfloat16.
    """
    close = saved.mean < max(MAX_MEAN_KL, MAX_ROUNDING * arithmetic.mean)
    return ProofResult(
        "saved: as near as bfloat16", close, f"{saved}; bfloat16 arithmetic alone: {arithmetic}"
    )


def tied_head(merged: Any) -> ProofResult:
    """Where the configuration ties input and output embeddings, they must be equal."""
    if not merged.config.tie_word_embeddings:
        return ProofResult("tied head", True, "the model has a head of its own")
    equal = bool((merged.get_input_embeddings().weight == merged.get_output_embeddings().weight).all())
    return ProofResult(
        "tied head", equal, f"input and output embeddings {'are equal' if equal else 'differ'}"
    )


def ends(folder: Path, tokenizer: Any) -> ProofResult:
    """Generation must end at the token that training ends responses with."""
    from transformers import GenerationConfig

    ids = as_list(GenerationConfig.from_pretrained(folder).eos_token_id)
    seen = f"eos_token_id in generation_config is {ids}, the tokenizer's is {tokenizer.eos_token_id}"
    return ProofResult("ends at the token it was trained on", tokenizer.eos_token_id in ids, seen)


def template(folder: Path, tokenizer: Any) -> ProofResult:
    """The chat template of training must be saved with the model."""
    from transformers import AutoTokenizer

    saved = AutoTokenizer.from_pretrained(folder).chat_template
    kind = "none" if saved is None else f"{len(saved)} characters"
    return ProofResult("chat template saved", saved == tokenizer.chat_template, f"chat template: {kind}")
