"""Which of several outcomes counts."""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval_ext.grading.types import Outcome


def first(outcomes: Sequence[Outcome], *kinds: bool | None) -> Outcome:
    """The first outcome of the first of `kinds` that occurs, else the first of all."""
    return next((o for kind in kinds for o in outcomes if o.equal is kind), outcomes[0])


def first_failure(outcomes: Sequence[Outcome]) -> Outcome | None:
    """The first outcome that is not equal."""
    return next((o for o in outcomes if not o.equal), None)
