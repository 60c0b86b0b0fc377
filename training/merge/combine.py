"""Merging a LoRA adapter into its base model, and loading either as they were trained."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lm_eval_ext.harness.errors import UserError

from ..models import loaded_model
from ..recipe import Recipe

Onto = Literal["dequantised", "bf16"]
TRAINED_WITH = "trained_with.json"
"""Written by training beside the adapter: what peft's own configuration does not say."""

_SHORTEST = '{"quantization": null, "recipe": {"task": "arith_words"}}'


@dataclass(frozen=True)
class Adapter:
    """An adapter in its folder.

    Attributes:
        folder: with `adapter_config.json`.
        base: name or folder of the model it belongs to.
        revision: of the base.
        quantization: the settings its base was quantized with in training; None: it was not.
        recipe: that it was trained by.
    """

    folder: Path
    base: str
    revision: str | None
    quantization: dict[str, Any] | None
    recipe: Recipe

    @classmethod
    def at(cls, folder: Path) -> Adapter:
        """Raises UserError if there is none, or if it is not known how its base was loaded."""
        file = folder / "adapter_config.json"
        if not file.is_file():
            raise UserError(
                f"{folder} has no adapter_config.json: name the folder that training saved an adapter in"
            )
        config = json.loads(file.read_text("utf-8"))
        record = next((p for p in (folder, folder.parent) if (p / TRAINED_WITH).is_file()), None)
        if record is None:
            raise UserError(
                f"{folder} has no {TRAINED_WITH}, so it is not known whether its base was quantized, nor "
                "what it is evaluated on; train it with lm-eval-ext train sft or grpo, or write "
                f"{_SHORTEST} into it"
            )
        known = json.loads((record / TRAINED_WITH).read_text("utf-8"))
        try:
            recipe = Recipe(**known["recipe"])
            revision = config.get("revision") or known.get("revision")
            return cls(folder, config["base_model_name_or_path"], revision, known["quantization"], recipe)
        except (KeyError, TypeError) as error:
            raise UserError(f"{record / TRAINED_WITH}: {error!r}; it needs at least {_SHORTEST}") from error

    def base_model(self) -> Any:
        """The base as it was in training: quantized if it was, else in bfloat16."""
        import torch
        from transformers import BitsAndBytesConfig

        quantized = (
            {"quantization_config": BitsAndBytesConfig(**self.quantization)} if self.quantization else {}
        )
        return loaded_model(self.base, revision=self.revision, dtype=torch.bfloat16, **quantized)

    def model(self) -> Any:
        """The model that was trained: base and adapter, apart."""
        from peft import PeftModel

        return PeftModel.from_pretrained(self.base_model(), str(self.folder)).eval()

    def exact(self) -> Any:
        """The same in float32: the weights that were trained, without the rounding of bfloat16 sums."""
        from peft import PeftModel

        return PeftModel.from_pretrained(self._plain_base("dequantised"), str(self.folder)).eval()

    def merged(self, onto: Onto = "dequantised") -> Any:
        """One model of both, in float32.

        Args:
            onto: of a quantized base: its dequantised weights, on which the adapter was trained, or the
                unquantized ones (`bf16`), which it has never seen.
        """
        from peft import PeftModel

        return PeftModel.from_pretrained(self._plain_base(onto), str(self.folder)).merge_and_unload().eval()

    def unadapted(self, onto: Onto = "dequantised") -> Any:
        """What the adapter is merged onto, without it, in float32."""
        return self._plain_base(onto).eval()

    def _plain_base(self, onto: Onto) -> Any:
        import torch

        if self.quantization and onto == "dequantised":
            return self.base_model().dequantize().float()
        return loaded_model(self.base, revision=self.revision, dtype=torch.float32)
