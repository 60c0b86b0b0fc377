"""Count and cut tokens of responses with the tokenizer of their model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lm_eval_ext.harness.errors import ModelError
from lm_eval_ext.harness.protocol import load_tokenizer

_AT_ONCE = 256


class Tokenizer:
    """The tokenizer of a model under evaluation.

    Args:
        name: name to show in the report.
        tokenizer: a fast tokenizer of transformers, which reports where each token ends in the text.
    """

    def __init__(self, name: str, tokenizer: Any) -> None:
        self.name = name
        self._tokenizer = tokenizer

    def counts(self, texts: Sequence[str]) -> list[int]:
        """Number of tokens in each text, without special tokens."""
        return [len(ends) for ends in self.ends(texts)]

    def ends(self, texts: Sequence[str]) -> list[list[int]]:
        """For each text, the end index of each token: cutting at the n-th end leaves n tokens."""
        found: list[list[int]] = []
        for start in range(0, len(texts), _AT_ONCE):
            some = list(texts[start : start + _AT_ONCE])
            encoded = self._tokenizer(
                some, add_special_tokens=False, return_offsets_mapping=True, verbose=False
            )
            found += [[end for _, end in offsets] for offsets in encoded["offset_mapping"]]
        return found


def tokenizer_of(model_args: Mapping[str, Any]) -> Tokenizer | str:
    """The tokenizer that the model arguments name, or the reason why there is none."""
    name = model_args.get("tokenizer") or model_args.get("pretrained")
    if not name:
        return "the run names no tokenizer"
    try:
        tokenizer = load_tokenizer(model_args)
    except ImportError:
        return "transformers is not installed"
    except ModelError as error:
        return str(error)
    if not getattr(tokenizer, "is_fast", False):
        return f"the tokenizer of {name} does not report token offsets"
    return Tokenizer(str(name), tokenizer)
