"""Settings of a recipe that are more than one value: rewards, sources, verifiers, bounds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lm_eval_ext.rewards.types import VERIFIERS

TASK, OVERLONG = "task", "overlong"
Entries = list[dict[str, Any]]
SOURCE_SETTINGS = (
    *("source", "task", "verifier", "data", "size", "levels", "curriculum", "allow_missing_ids"),
    *("num_fewshot", "system_instruction", "target", "boxed", "min_solution_tokens"),
    *("max_solution_tokens", "max_row_tokens", "max_prompt_tokens"),
)
"""Settings of a recipe that each of its sources may have for itself."""
_OWN = ("weight", "count")
_PARAMETERS = {"name", "weight", "only_if", "label"}


def mapping(name: str, given: dict[str, Any] | str | None) -> dict[str, Any]:
    """A setting that is JSON on the command line. Raises ValueError if it is no JSON object."""
    try:
        return dict(json.loads(given) if isinstance(given, str) else given or {})
    except (ValueError, TypeError):
        raise ValueError(f"{name} must be a JSON object, got {given!r}") from None


def bound(name: str, given: Any) -> tuple[float | None, float | None]:
    """(lowest, highest) value, None for no bound; raises ValueError if it is neither a number nor a pair."""
    try:
        low, high = given if isinstance(given, list | tuple) else (None, given)
        return (None if low is None else float(low), None if high is None else float(high))
    except (TypeError, ValueError):
        wanted = "the highest value, or [lowest, highest] with null for none"
        raise ValueError(f"bounds: {name} must be {wanted}, got {given!r}") from None


def listed(name: str, given: Any) -> Entries:
    """A setting that is a list of mappings, JSON on the command line. Raises ValueError for another value."""
    try:
        entries = json.loads(given) if isinstance(given, str) else given or []
    except ValueError:
        entries = None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError(f"{name} must be a list of mappings, as JSON on the command line; got {given!r}")
    return entries


def named(setting: str, given: Any) -> dict[str, Any]:
    """A verifier, by name or as a mapping of `name` and its settings; {} for none. Raises ValueError."""
    if isinstance(given, str) and given.lstrip().startswith("{"):
        (given,) = listed(setting, f"[{given}]")
    entry = {"name": given} if isinstance(given, str) and given else given or {}
    if entry and not (isinstance(entry, dict) and isinstance(entry.get("name"), str)):
        raise ValueError(f"{setting} must be a name, or a mapping of name and settings; got {given!r}")
    return dict(entry)


@dataclass(frozen=True)
class RewardEntry:
    """One of a recipe's `rewards`.

    Attributes:
        name: "task", "overlong", or as in `lm_eval_ext.rewards.verifier`.
        weight: in the sum of the rewards.
        only_if: "correct": 0 unless the row's own verifier finds the response correct; "": always.
        label: the name in the log; the default is `name`.
        settings: of the verifier.
    """

    name: str
    weight: float = 1.0
    only_if: str = ""
    label: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = (TASK, OVERLONG, *VERIFIERS)
        for valid, why in (
            (self.name in known or ":" in str(self.name), f"{', '.join(known)} or module:attribute"),
            (isinstance(self.weight, int | float), "a number as weight"),
            (self.only_if in ("", "correct"), "only_if: correct, or no only_if"),
            (self.name != TASK or not self.settings, "task without settings: its rows' tasks have them"),
        ):
            if not valid:
                raise ValueError(f"rewards: got {vars(self)}; an entry has {why}")

    @property
    def shown(self) -> str:
        """The name in logs and in `rollouts.jsonl`."""
        return self.label or self.name


def reward_entries(given: Entries) -> list[RewardEntry]:
    """The rewards of a recipe; without any, its task's own grading. Raises ValueError for invalid ones."""
    entries = []
    for entry in given or [{"name": TASK}]:
        if "name" not in entry:
            raise ValueError(f"rewards: {entry} has no name")
        settings = {name: value for name, value in entry.items() if name not in _PARAMETERS}
        entries.append(RewardEntry(**{n: v for n, v in entry.items() if n in _PARAMETERS}, settings=settings))
    if twice := _twice([entry.shown for entry in entries]):
        raise ValueError(f"rewards: two are called {twice}; give one of them a label")
    return entries


def check_sources(given: Entries) -> None:
    """Raises ValueError unless these can be a recipe's `sources`."""
    for entry in given:
        if unknown := set(entry) - {*SOURCE_SETTINGS, *_OWN}:
            raise ValueError(
                f"sources: {entry.get('source')} has {', '.join(sorted(unknown))}; an entry has weight or "
                f"count, and may have {', '.join(SOURCE_SETTINGS)}"
            )
    for name, other in (_OWN, _OWN[::-1]):
        if all(_is_positive(entry.get(name)) and other not in entry for entry in given):
            return
    raise ValueError("sources: give each a positive weight, or each a positive count")


def _is_positive(number: Any) -> bool:
    return isinstance(number, int | float) and number > 0


def of_source(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a recipe that trains on one of its sources alone."""
    own = {name: value for name, value in entry.items() if name not in _OWN}
    return {"sources": None, "max_prompts": entry.get("count"), **own}


def _twice(names: Sequence[str]) -> str | None:
    return next((name for i, name in enumerate(names) if name in names[:i]), None)


def check_ranges(settings: Mapping[str, Any]) -> None:
    """Raises ValueError where a count of a recipe is not positive, or a share not over 0 and at most 1."""
    for name in ("size", "last_checkpoints"):
        if settings[name] is not None and settings[name] <= 0:
            raise ValueError(f"{name} must be positive, got {settings[name]}")
    for name in ("pick_up_to", "adaptive_sampling"):
        if not 0 < settings[name] <= 1:
            raise ValueError(f"{name} must be over 0 and at most 1, got {settings[name]}")
