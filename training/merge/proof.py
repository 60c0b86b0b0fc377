"""What must hold of a merged model, each checked on what was saved: a list of findings, passed or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..eos import as_list

MAX_MEAN_KL = 1e-4
"""Nats a token between the model that was trained and the merged one, on average over held prompts, in
float32."""
MAX_ROUNDING = 4.0
"""Saved in bfloat16, the model may be so many times as far from the trained one as bfloat16 arithmetic alone
takes that one from itself. (SmolLM2-135M: arithmetic 1.4e-3 nats, rounded weights 2.5e-3.)"""


@dataclass(frozen=True)
class Finding:
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


def differs_from_base(merged: Any, base: Any) -> Finding:
    """A merge that changed nothing is none: how far the weights moved."""
    ours, theirs = merged.state_dict(), base.state_dict()
    moved = [
        float(
            (ours[name].float() - theirs[name].float()).norm() / theirs[name].float().norm().clamp_min(1e-12)
        )
        for name in ours
        if name in theirs and ours[name].shape == theirs[name].shape
    ]
    changed = sum(distance > 0 for distance in moved)
    seen = f"{changed} of {len(moved)} weights moved, by up to {max(moved, default=0):.2%} of their norm"
    return Finding("differs from its base", changed > 0, seen)


def divergence(trained: Any, merged: Any, tokenizer: Any, texts: Sequence[str]) -> Divergence:
    """KL of the next-token distributions at every token of the texts, each read alone.

    Args:
        trained: base and adapter, as in training.
        merged: one model of both.
        tokenizer: of both.
        texts: prompts with the responses that are to be expected.
    """
    import torch

    found = []
    for text in texts:
        ids = torch.tensor([tokenizer(text)["input_ids"]], device=trained.device)  # (1, T)
        with torch.no_grad():
            p = torch.log_softmax(trained(ids).logits[0].float(), dim=-1)  # (T, V)
            q = torch.log_softmax(merged(ids.to(merged.device)).logits[0].float(), dim=-1).to(p.device)
        found.append((p.exp() * (p - q)).sum(dim=-1))
    each = torch.cat(found)
    return Divergence(float(each.mean()), float(each.max()), int(each.numel()))


def close_to_trained(found: Divergence, other_base: bool = False) -> Finding:
    """The merged model, before it is rounded, says what the trained one says.

    `other_base`: it was merged onto weights that it was not trained on, so that it is another model.
    """
    close = found.mean < MAX_MEAN_KL
    name = f"merged: mean KL under {MAX_MEAN_KL:g}"
    if other_base and not close:
        return Finding(name, None, f"merged onto another base than in training: {found}")
    return Finding(name, close, str(found))


def close_when_saved(saved: Divergence, arithmetic: Divergence) -> Finding:
    """Rounding the weights to what they are saved in takes the model no further than bfloat16 sums do.

    Args:
        saved: from the merged model before it was rounded to the saved one, both in float32.
        arithmetic: from the trained model in float32 to itself in bfloat16.
    """
    close = saved.mean < max(MAX_MEAN_KL, MAX_ROUNDING * arithmetic.mean)
    return Finding("saved: as near as bfloat16", close, f"{saved}; bfloat16 arithmetic alone: {arithmetic}")


def tied_head(merged: Any) -> Finding:
    """Where the configuration ties input and output embeddings, both are the same numbers."""
    if not merged.config.tie_word_embeddings:
        return Finding("tied head", True, "the model has a head of its own")
    equal = bool((merged.get_input_embeddings().weight == merged.get_output_embeddings().weight).all())
    return Finding(
        "tied head", equal, "input and output embeddings are " + ("equal" if equal else "different")
    )


def ends(folder: Path, tokenizer: Any) -> Finding:
    """The token that training ends responses with ends them in generation, too."""
    from transformers import GenerationConfig

    ids = as_list(GenerationConfig.from_pretrained(folder).eos_token_id)
    seen = f"eos_token_id in generation_config is {ids}, the tokenizer's is {tokenizer.eos_token_id}"
    return Finding("ends where it was taught to", tokenizer.eos_token_id in ids, seen)


def template(folder: Path, tokenizer: Any) -> Finding:
    """The chat template that it was trained with is saved with it."""
    from transformers import AutoTokenizer

    saved = AutoTokenizer.from_pretrained(folder).chat_template
    kind = "none" if saved is None else f"{len(saved)} characters"
    return Finding("chat template saved", saved == tokenizer.chat_template, f"chat template: {kind}")
