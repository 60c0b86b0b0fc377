"""Verdicts as logged, and in words."""

from __future__ import annotations

from lm_eval_ext.analysis.lm_eval_files import LoggedRow
from lm_eval_ext.grading import Verdict


def outcome(verdict: Verdict) -> str:
    """One of "right", "wrong", "undecided", "no answer"."""
    if verdict.correct is None:
        return "undecided"
    if verdict.answer is None:
        return "no answer"
    return "right" if verdict.correct else "wrong"


def logged_verdicts(row: LoggedRow) -> tuple[Verdict, ...]:
    """The verdicts that our filter logged as JSON; none where it was another filter."""
    logged = row.get("filtered_resps") or []
    texts = logged[0] if logged and isinstance(logged[0], list) else logged
    try:
        return tuple(Verdict.from_json(text) for text in texts)
    except (ValueError, TypeError, AssertionError):
        return ()
