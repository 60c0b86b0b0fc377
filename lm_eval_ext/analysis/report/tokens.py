"""Tokens of responses: counted and cut with the tokenizer of the model that wrote them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lm_eval_ext.harness.errors import ModelError
from lm_eval_ext.harness.protocol import load_tokenizer

_AT_ONCE = 256


class Tokenizer:
    """The tokenizer of a model under evaluation.

    Args:
        name: for remarks.
        tokenizer: of transformers, a fast one: it says where in the text each token ends.
    """

    def __init__(self, name: str, tokenizer: Any) -> None:
        self.name = name
        self._tokenizer = tokenizer

    def counts(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special ones not counted."""
        return [len(ends) for ends in self.ends(texts)]

    def ends(self, texts: Sequence[str]) -> list[list[int]]:
        """For each text the index in it after each token, rising: cutting there leaves that many tokens."""
        found: list[list[int]] = []
        for start in range(0, len(texts), _AT_ONCE):
            some = list(texts[start : start + _AT_ONCE])
            encoded = self._tokenizer(
                some, add_special_tokens=False, return_offsets_mapping=True, verbose=False
            )
            found += [[end for _, end in offsets] for offsets in encoded["offset_mapping"]]
        return found


def tokenizer_of(model_args: Mapping[str, Any]) -> Tokenizer | str:
    """The tokenizer that model arguments name, or why there is none, in a few words."""
    name = model_args.get("tokenizer") or model_args.get("pretrained")
    if not name:
        return "the run does not name one"
    try:
        tokenizer = load_tokenizer(model_args)
    except ImportError:
        return "transformers is not installed"
    except ModelError as error:
        return str(error)
    if not getattr(tokenizer, "is_fast", False):
        return f"the tokenizer of {name} does not say where its tokens end"
    return Tokenizer(str(name), tokenizer)
