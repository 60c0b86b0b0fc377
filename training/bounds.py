"""A callback of transformers' Trainer that stops a run which has gone wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from transformers import TrainerCallback

INFINITE = (-math.inf, math.inf)


class StopOnBound(TrainerCallback):
    """Stops training when a logged value leaves its bounds, is not a number, or is not logged at all.

    Args:
        bounds: name in the log -> (lowest, highest) value: {"kl": (None, 0.5), "entropy": (0.05, None)}.

    Attributes:
        broken: why training was stopped; None if it was not.
    """

    def __init__(self, bounds: Mapping[str, tuple[float | None, float | None]]) -> None:
        self.bounds = dict(bounds)
        self.broken: str | None = None

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """The trainer's hook, after each logged step."""
        if self.broken is None and "loss" in (logs or {}):
            found = [what for name in self.bounds if (what := self._broken(name, logs))]
            self.broken = f"step {state.global_step}: {found[0]}; training stopped" if found else None
        if self.broken is not None:
            control.should_training_stop = True

    def _broken(self, name: str, logs: Mapping[str, Any]) -> str | None:
        """What is wrong; None if nothing is. A value of None was not measured in this step."""
        if name not in logs:
            return f"bounds has {name}, which is not logged; the log has {', '.join(sorted(logs))}"
        low, high = (
            inf if end is None else end for end, inf in zip(self.bounds[name], INFINITE, strict=True)
        )
        value = logs[name]
        if value is None or low <= float(value) <= high:
            return None
        what = "is not a number" if math.isnan(float(value)) else f"left its bounds, {low:g} to {high:g}"
        return f"{name} {what} ({float(value):.4g})"
