"""Recipe files: where they are, which trainer each is for, and the settings in them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from lm_eval_ext.harness.errors import UserError

TRAINERS = {"sft": "sft", "grpo": "grpo", "async_grpo": "grpo", "distill": "grpo"}
"""Trainers -> the one whose settings, checks and rows they have."""
NAMED = "sft, grpo, async_grpo or distill"
SHIPPED = Path(__file__).resolve().parent / "configs"


def found(file: str | Path) -> Path:
    """This file, else the shipped recipe of that name, `smoke_sft` or `training/configs/smoke_sft.yaml`.

    Raises UserError if there is neither.
    """
    given = Path(file)
    if given.is_file():
        return given
    if given.parent in (Path(), Path("training/configs")):
        shipped = SHIPPED / f"{given.name.removesuffix('.yaml')}.yaml"
        if shipped.is_file():
            return shipped
    names = sorted(path.stem for path in SHIPPED.glob("*.yaml"))
    near = ", ".join(difflib.get_close_matches(given.stem, names, n=3, cutoff=0))
    raise UserError(f"recipe {file}: no such file, and no shipped recipe has this name; similar: {near}")


def trainer_of(file: str | Path) -> str:
    """The trainer that a recipe file is for, of TRAINERS. Raises UserError if it does not say."""
    trainer = settings_in(file).get("trainer")
    if trainer not in TRAINERS:
        raise UserError(f"recipe {file}: trainer is {trainer!r}; say which it is for: {NAMED}")
    return str(trainer)


def settings_given(arguments: Sequence[str]) -> dict[str, Any]:
    """The settings of the file behind `--config`, and those of the command line, as text, in their place."""
    options = [
        (name[2:].split("=", 1), after) for name, after in pairwise([*arguments, ""]) if name[:2] == "--"
    ]
    named = {name.replace("-", "_"): (value or [after])[0] for (name, *value), after in options}
    return {**(settings_in(named["config"]) if "config" in named else {}), **named}


def settings_in(file: str | Path) -> dict[str, Any]:
    """The settings in a recipe file. Raises UserError if it cannot be read."""
    import yaml

    try:
        content = yaml.safe_load(found(file).read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"recipe {file}: {error}") from error
    if not isinstance(content, dict):
        raise UserError(f"recipe {file}: it has no settings")
    return content
