"""The batch of one process, from that of all: `global_batch` in a recipe."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from lm_eval_ext.harness.errors import UserError


def batch_options(given: Mapping[str, Any], processes: int | None = None) -> list[str]:
    """Options that make `global_batch` of these settings the batch of one optimizer step; none without it.

    The batch of a forward pass is the largest divisor of a process's share that is not above the recipe's
    per_device_train_batch_size; the rest is accumulated.

    Args:
        given: settings of a recipe, those of the command line as text.
        processes: that train together; default: those of the launcher's environment.

    Raises UserError where the batch cannot be divided among the processes.
    """
    if given.get("global_batch") in (None, ""):
        return []
    if "gradient_accumulation_steps" in given:
        raise UserError("recipe: global_batch decides gradient_accumulation_steps; give one of them")
    world = processes or int(os.environ.get("WORLD_SIZE", "1"))
    total = whole(given, "global_batch")
    share, rest = divmod(total, world)
    if rest or not share:
        raise UserError(f"recipe: global_batch is {total}; it must be a multiple of the {world} processes")
    most = min(whole(given, "per_device_train_batch_size", share), share)
    each = max(size for size in range(1, most + 1) if share % size == 0)
    accumulated = str(share // each)
    return ["--per_device_train_batch_size", str(each), "--gradient_accumulation_steps", accumulated]


def whole(given: Mapping[str, Any], name: str, default: int = 0) -> int:
    """A setting that is a whole number, 0 or more. Raises UserError if it is none."""
    value = given.get(name)
    if value in (None, ""):
        return default
    if not str(value).isdigit():
        raise UserError(f"recipe: {name} must be a whole number, got {value!r}")
    return int(str(value))
