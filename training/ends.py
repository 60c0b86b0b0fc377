"""The tokens that end a response."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lm_eval_ext.harness.errors import at_hand


def listed(eos_token_id: int | Sequence[int] | None) -> list[int]:
    """A configuration's `eos_token_id`, which is a number, several or none, as a list."""
    if eos_token_id is None:
        return []
    return [eos_token_id] if isinstance(eos_token_id, int) else list(eos_token_id)


def configured(model: str, revision: str | None = None) -> list[int]:
    """What generation ends at: `eos_token_id` of the generation_config, or of the config without one.

    Raises ModelError where the model, a folder or a name, has neither at hand.
    """
    from transformers import AutoConfig, GenerationConfig

    revision = revision or "main"
    try:
        found = GenerationConfig.from_pretrained(model, revision=revision).eos_token_id
    except OSError:
        with at_hand(model):
            config = AutoConfig.from_pretrained(model, revision=revision)
        found = config.get_text_config().eos_token_id
    return listed(found)


def end_ids(tokenizer: Any, model_ends: Sequence[int]) -> list[int]:
    """The tokenizer's end token, which training teaches, and then those that the model has beside it.

    Qwen3 ends at `<|im_end|>`, its tokenizer's, and at `<|endoftext|>`.
    """
    ends = [tokenizer.eos_token_id, *model_ends]
    return [end for end in dict.fromkeys(ends) if end is not None]
