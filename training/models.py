"""A model's tokenizer, weights and EOS tokens, by folder or name; a missing one is a one-line error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lm_eval_ext.harness.errors import UserError, model_errors


def loaded_tokenizer(name: str, revision: str | None = None) -> Any:
    """The tokenizer, padding on the left; encodes texts as lm-eval does. Raises ModelError if missing."""
    from transformers import AutoTokenizer

    with model_errors(name):
        return as_evaluated(AutoTokenizer.from_pretrained(name, revision=revision, padding_side="left"))


def training_tokenizer(model: Any) -> Any:
    """The model's tokenizer; raises UserError where it has no padding token."""
    found = loaded_tokenizer(model.model_name_or_path, model.model_revision)
    if found.pad_token is None:
        raise UserError(
            f"the tokenizer of {model.model_name_or_path} has no padding token; give it one that no text "
            "has, not the EOS token: padding is masked out of the loss, so the model would never learn to end"
        )
    return found


def as_evaluated(tokenizer: Any) -> Any:
    """The same tokenizer, but without a second BOS before a text that starts with one.

    Chat templates write BOS as text. lm-eval encodes such prompts without special tokens; TRL, which calls
    the tokenizer, does not. Saving the tokenizer saves the original.
    """
    kind = type(tokenizer)
    if not issubclass(kind, _AsEvaluated):
        named = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
        tokenizer.__class__ = type(kind.__name__, (_AsEvaluated, kind), named)  # its name is saved with it
    return tokenizer


class _AsEvaluated:
    def __call__(self, text: Any = None, *more: Any, **settings: Any) -> Any:
        texts = [text] if isinstance(text, str) else text or ()
        if texts and all(_has_bos(self, one) for one in texts):
            settings.setdefault("add_special_tokens", False)
        return super().__call__(text, *more, **settings)  # type: ignore[misc]


def ids_of(tokenizer: Any, text: str, special: bool | None = None) -> list[int]:
    """Tokens of a prompt as lm-eval sends it: without special tokens if the text starts with BOS.

    `special`: `add_bos_token` of the model arguments; None: as the tokenizer does by itself.
    """
    wanted = False if _has_bos(tokenizer, text) else special
    return list(tokenizer(text, **({} if wanted is None else {"add_special_tokens": wanted}))["input_ids"])


def _has_bos(tokenizer: Any, text: Any) -> bool:
    bos = tokenizer.bos_token
    return bool(bos) and isinstance(text, str) and text.startswith(bos)


def loaded_model(name: str, **settings: Any) -> Any:
    """The causal language model; `settings` as transformers takes them. Raises ModelError if missing."""
    from transformers import AutoModelForCausalLM

    with model_errors(name):
        return AutoModelForCausalLM.from_pretrained(name, **settings)


def model_arguments(model: Any, training: Any) -> dict[str, Any]:
    """How the model is loaded: type and quantization are explicit (by name alone, TRL loads in fp32)."""
    import torch
    from trl import get_quantization_config

    dtype = model.dtype if model.dtype in ("auto", None) else getattr(torch, model.dtype)
    quantization = get_quantization_config(model)
    return {
        "revision": model.model_revision,
        "attn_implementation": model.attn_implementation,
        "dtype": dtype,
        **(training.model_init_kwargs or {}),
        **({} if quantization is None else {"quantization_config": quantization}),
    }


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
