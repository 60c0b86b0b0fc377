"""The tokens that end a response (EOS)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lm_eval_ext.harness.errors import model_errors


def as_list(eos_token_id: int | Sequence[int] | None) -> list[int]:
    """A configuration's `eos_token_id`, which is a number, several or None, as a list."""
    if eos_token_id is None:
        return []
    return [eos_token_id] if isinstance(eos_token_id, int) else list(eos_token_id)


def model_eos_tokens(model: str, revision: str | None = None) -> list[int]:
    """`eos_token_id` of the model's generation_config; without that file, of its config.

    Raises ModelError if neither is available.
    """
    from transformers import AutoConfig, GenerationConfig

    revision = revision or "main"
    try:
        found = GenerationConfig.from_pretrained(model, revision=revision).eos_token_id
    except OSError:
        with model_errors(model):
            config = AutoConfig.from_pretrained(model, revision=revision)
        found = config.get_text_config().eos_token_id
    return as_list(found)


def eos_tokens(tokenizer: Any, of_model: int | Sequence[int] | None) -> list[int]:
    """The tokenizer's EOS token, which training teaches, then the model's others.

    Qwen3 ends at `<|im_end|>`, its tokenizer's, and at `<|endoftext|>`.
    """
    tokens = [tokenizer.eos_token_id, *as_list(of_model)]
    return [token for token in dict.fromkeys(tokens) if token is not None]
