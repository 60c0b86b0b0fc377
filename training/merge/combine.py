"""Merging a LoRA adapter into its base model, and loading either as they were trained."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lm_eval_ext.harness.errors import UserError

from ..models import loaded_model
from ..recipe import Recipe

TRAINED_WITH = "trained_with.json"
"""Training writes it beside the adapter: what peft's own configuration does not say."""
DEQUANTISED = "dequantised"

_SHORTEST = '{"quantization": null, "recipe": {"task": "arith_words"}}'


@dataclass(frozen=True)
class Adapter:
    """An adapter in its folder.

    Attributes:
        folder: with `adapter_config.json`.
        base: name or folder of the model that was trained.
        revision: of the base.
        quantization: settings that the base was quantized with in training; None: it was not.
        recipe: of the training.
        dtype: "float32" if the training had nothing in bfloat16, else "bfloat16".
    """

    folder: Path
    base: str
    revision: str | None
    quantization: dict[str, Any] | None
    recipe: Recipe
    dtype: str = "bfloat16"

    @classmethod
    def at(cls, folder: Path) -> Adapter:
        """Raises UserError if there is none, or if nothing says how its base was loaded."""
        file = folder / "adapter_config.json"
        if not file.is_file():
            raise UserError(
                f"{folder} has no adapter_config.json: name the folder that training saved an adapter in"
            )
        config = json.loads(file.read_text("utf-8"))
        records = [parent / TRAINED_WITH for parent in (folder, folder.parent)]
        record = next((path for path in records if path.is_file()), None)
        if record is None:
            raise UserError(
                f"{folder} has no {TRAINED_WITH}, which says whether the base was quantized and what it is "
                f"evaluated on; train with lm-eval-ext train sft or grpo, or write {_SHORTEST} into it"
            )
        known = json.loads(record.read_text("utf-8"))
        try:
            recipe = Recipe(**known["recipe"])
            revision = config.get("revision") or known.get("revision")
            dtype = "float32" if known.get("dtype") == "float32" else "bfloat16"
            base = config["base_model_name_or_path"]
            return cls(folder, base, revision, known["quantization"], recipe, dtype)
        except (KeyError, TypeError) as error:
            raise UserError(f"{record}: {error!r}; it needs at least {_SHORTEST}") from error

    def adapted(self, base: Any) -> Any:
        """The base with this adapter, not merged."""
        from peft import PeftModel

        return PeftModel.from_pretrained(base, str(self.folder)).eval()

    def base_in_training(self) -> Any:
        """The base as it was trained: quantized if it was, in its dtype."""
        import torch
        from transformers import BitsAndBytesConfig

        given = self.quantization
        quantized = {"quantization_config": BitsAndBytesConfig(**given)} if given else {}
        return loaded_model(self.base, revision=self.revision, dtype=getattr(torch, self.dtype), **quantized)

    def base_in_float32(self, onto: str = DEQUANTISED) -> Any:
        """The base in float32; of a quantized one its dequantised weights, or with "bf16" the original ones.

        An adapter was trained on the former, and has never seen the latter.
        """
        import torch

        if self.quantization and onto == DEQUANTISED:
            return self.base_in_training().dequantize().float().eval()
        return loaded_model(self.base, revision=self.revision, dtype=torch.float32).eval()
