"""Failure modes of responses: a wrong answer, a used-up budget, or no answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lm_eval_ext.analysis.report.entries import ERROR, RIGHT, UNDECIDED, Entry

CORRECT = "correct"
COMMITTED = "wrong but committed"
SATURATED_BOXED = "saturated, boxed, wrong"
SATURATED_UNBOXED = "saturated, never boxed"
SHORT = "short and no answer"
WRONG_UNKNOWN = "wrong, length not known"
NONE_UNKNOWN = "no answer, length not known"
MODES = (
    CORRECT, UNDECIDED, COMMITTED, SATURATED_BOXED, SATURATED_UNBOXED, SHORT, WRONG_UNKNOWN, NONE_UNKNOWN,
)  # fmt: skip


def mode(entry: Entry) -> str:
    """The mode of an entry, one of MODES.

    "boxed" is any statement that the grader extracts an answer from, boxed or announced. A response is
    saturated if it used up max_gen_toks to within 1% (`protocol.used_up`): counting again may give fewer.
    """
    if entry.outcome in (RIGHT, UNDECIDED):
        return CORRECT if entry.outcome == RIGHT else UNDECIDED
    answered = entry.answer is not None
    if entry.saturated is None:
        return WRONG_UNKNOWN if answered else NONE_UNKNOWN
    if entry.saturated:
        return SATURATED_BOXED if answered else SATURATED_UNBOXED
    return COMMITTED if answered else SHORT


def mode_counts(entries: Sequence[Entry]) -> dict[str, int]:
    """How many responses fall in each mode; errors are none."""
    found = Counter(mode(entry) for entry in entries if entry.outcome != ERROR)
    return {name: found[name] for name in MODES}
