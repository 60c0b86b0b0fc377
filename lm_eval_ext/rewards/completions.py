"""What trainers give to rewards: completions and columns."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lm_eval_ext.grading import Verdict
from lm_eval_ext.rewards.types import Score

Completion = str | Sequence[dict[str, Any]] | None
"""A completion from TRL: text, or messages whose content is text or a list of parts."""
EXPLAINED = 3
"""Number of undecided completions that a warning explains."""

log = logging.getLogger(__name__)


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


def up_to_stop(text: str, stops: Iterable[str]) -> str:
    """The text before the first of the stop strings."""
    return text[: min((place for stop in stops if (place := text.find(stop)) >= 0), default=None)]


def golds_of(gold: Sequence[Any] | None, columns: Mapping[str, Any]) -> Sequence[Any]:
    """The column `gold`, or else `solution`. Raises ValueError if both are missing."""
    found = columns.get("solution") if gold is None else gold
    if found is None:
        raise ValueError(
            "AccuracyReward: the dataset has no column gold and no column solution (it has "
            f"{', '.join(sorted(columns)) or 'none'}); name the column of reference answers gold"
        )
    return found


def warn_of_undecided(found: Sequence[Verdict | Score], rows: Sequence[Mapping[str, Any]]) -> None:
    """Warns about completions that could not be graded, with their golds, the reasons and the fix."""
    undecided = [(row, one.reason) for one, row in zip(found, rows, strict=True) if one.correct is None]
    if not undecided:
        return
    why = {_row(row): reason for row, reason in undecided}
    shown = "; ".join(f"{row}: {reason}" for row, reason in list(why.items())[:EXPLAINED])
    more = f"; and {len(why) - EXPLAINED} more" if len(why) > EXPLAINED else ""
    log.warning(
        "%s of %d completions could not be graded and get no reward: %s%s. %s",
        "all" if len(undecided) == len(found) else len(undecided),
        *(len(found), shown, more),
        "Fix these golds or drop their rows, raise timeout_s, or set undecided=0.0 to count them as wrong",
    )


def _row(row: Mapping[str, Any]) -> str:
    named = "" if row.get("id") is None else f" (id {row['id']})"
    return f"gold {repr(row.get('gold'))[:80]}{named}"
