"""The maximum cost of a call, and a budget that calls cannot exceed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from lm_eval_ext.grading.judge.errors import BudgetExceeded
from lm_eval_ext.grading.judge.prompt import Message

_TOKENS_PER_MESSAGE = 64
"""Generous bound on what a chat template adds to a message."""


@dataclass(frozen=True)
class Price:
    """USD per prompt token and per completion token."""

    prompt: float
    completion: float

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        return self.prompt * prompt_tokens + self.completion * completion_tokens

    def upper_bound(self, messages: Sequence[Message], max_tokens: int) -> float:
        """Upper bound on the cost: a text has at most as many tokens as bytes."""
        size = sum(len(message["content"].encode()) + _TOKENS_PER_MESSAGE for message in messages)
        return self.cost(size, max_tokens)


class Budget:
    """Reserves the maximum cost before a call and settles the actual cost after it. Thread safe.

    Args:
        limit_usd: total; None: no limit.
    """

    def __init__(self, limit_usd: float | None) -> None:
        self.limit_usd = limit_usd
        self.spent_usd = 0.0
        self._reserved = 0.0
        self._under_way = 0
        self._reached = False
        self._changed = threading.Condition()

    def reserve(self, worst_usd: float) -> None:
        """Waits until the call fits the budget. After a BudgetExceeded, every later call raises it too."""
        with self._changed:
            while not self._reached and not self._fits(worst_usd):
                if not self._under_way:
                    self._reached = True
                    self._changed.notify_all()
                    break
                self._changed.wait()
            if self._reached:
                raise BudgetExceeded("budget reached")
            self._reserved += worst_usd
            self._under_way += 1

    def settle(self, worst_usd: float, cost_usd: float) -> None:
        """Replaces the reservation with the actual cost."""
        with self._changed:
            self._reserved -= worst_usd
            self._under_way -= 1
            self.spent_usd += cost_usd
            self._changed.notify_all()

    def _fits(self, worst_usd: float) -> bool:
        return self.limit_usd is None or self.spent_usd + self._reserved + worst_usd <= self.limit_usd
