"""GRPO with the largest KL and importance ratio in its log: means hide the spikes that end runs."""

from __future__ import annotations

from typing import Any

import torch
from trl import GRPOTrainer


class WatchedTrainer(GRPOTrainer):
    """TRL's GRPOTrainer, which logs two more values, each the largest of any token since the last log.

    kl_max     exp(r) - r - 1 with r = log p_ref - log p, where there is a reference (beta)
    ratio_max  p / p_old, where completions are used for more than one step, or sampled by vLLM
    """

    def __init__(self, *given: Any, **settings: Any) -> None:
        super().__init__(*given, **settings)
        self._largest: dict[str, float] = {}

    def _get_per_token_logps_and_entropies(self, *given: Any, **named: Any) -> Any:
        found = super()._get_per_token_logps_and_entropies(*given, **named)
        self._policy = found[0].detach()  # (B, T); the last call before a loss is that of the policy
        return found

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Any:
        loss = super()._compute_loss(model, inputs)
        mask = inputs["completion_mask"] * inputs.get("tool_mask", 1)
        if (reference := inputs.get("ref_per_token_logps")) is not None:
            ratio = reference - self._policy
            self._note("kl_max", ratio.exp() - ratio - 1, mask)
        if (old := inputs.get("old_per_token_logps")) is not None:
            self._note("ratio_max", (self._policy - old).exp(), mask)
        return loss

    def _note(self, name: str, values: torch.Tensor, mask: torch.Tensor) -> None:
        largest = self.accelerator.gather(values.masked_fill(mask == 0, 0.0).max()).max().item()
        self._largest[name] = max(self._largest.get(name, 0.0), largest)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """As TRL's, with the two values."""
        self._metrics["train"].update({name: [value] for name, value in self._largest.items()})
        self._largest.clear()
        super().log(logs, start_time)
