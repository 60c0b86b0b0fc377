"""What trainers give to rewards: completions and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Completion = str | Sequence[dict[str, Any]] | None
"""A completion from TRL: text, or messages whose content is text or a list of parts."""


def text_of(completion: Completion) -> str:
    """The text of a completion: of a conversation, the assistant's last message."""
    if completion is None or isinstance(completion, str):
        return completion or ""
    said = [m.get("content") for m in completion if m.get("role", "assistant") == "assistant"]
    content = said[-1] if said else None
    if content is None or isinstance(content, str):
        return content or ""
    parts = (part if isinstance(part, str) else part.get("text") for part in content)
    return "".join(part or "" for part in parts)


def golds_of(gold: Sequence[Any] | None, columns: Mapping[str, Any]) -> Sequence[Any]:
    """The column `gold`, or else `solution`. Raises ValueError if both are missing."""
    found = columns.get("solution") if gold is None else gold
    if found is None:
        raise ValueError(
            "AccuracyReward: the dataset has no column gold and no column solution (it has "
            f"{', '.join(sorted(columns)) or 'none'}); name the column of reference answers gold"
        )
    return found
