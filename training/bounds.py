"""A callback of transformers' Trainer that stops a run which has gone wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from transformers import TrainerCallback


class StopOnBound(TrainerCallback):
    """Stops training when a logged value passes its bound or is not a number; `broken` says which.

    Args:
        bounds: name in the log -> the largest value allowed: {"kl": 0.5, "grad_norm": 10.0}.
    """

    def __init__(self, bounds: Mapping[str, float]) -> None:
        self.bounds = dict(bounds)
        self.broken: str | None = None

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """The trainer's hook, after each logged step."""
        for name, bound in self.bounds.items():
            value = (logs or {}).get(name)
            if value is not None and self.broken is None and not float(value) <= bound:
                what = "is not a number" if math.isnan(float(value)) else f"passed {bound:g}"
                self.broken = (
                    f"step {state.global_step}: {name} {what} ({float(value):.4g}); training stopped"
                )
                control.should_training_stop = True
