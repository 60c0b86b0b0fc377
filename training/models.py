"""A model's tokenizer and weights, by folder or name; what is not at hand is said in one line."""

from __future__ import annotations

from typing import Any

from lm_eval_ext.harness.errors import at_hand


def loaded_tokenizer(name: str, revision: str | None = None) -> Any:
    """The tokenizer of that name as it is, padding on the left. Raises ModelError where there is none."""
    from transformers import AutoTokenizer

    with at_hand(name):
        return AutoTokenizer.from_pretrained(name, revision=revision, padding_side="left")


def loaded_model(name: str, **settings: Any) -> Any:
    """The causal language model of that name; `settings` as transformers takes them.

    Raises ModelError where there is none.
    """
    from transformers import AutoModelForCausalLM

    with at_hand(name):
        return AutoModelForCausalLM.from_pretrained(name, **settings)
