"""When to ask: a rate limit, and a breaker that spares a run the wait for a dead judge. Thread safe."""

from __future__ import annotations

import threading
import time

from lm_eval_ext.grading.judge.errors import JudgeRefused, JudgeUnreachable

MAX_REJECTED = 10
"""Questions in a row that a judge rejects, having accepted none, until it is taken to reject all."""


class RateLimiter:
    """At most so many requests per minute, evenly spaced."""

    def __init__(self, per_minute: float | None) -> None:
        self._interval = 60 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, stop: threading.Event) -> None:
        """Until it is this request's turn."""
        if not self._interval:
            return
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + self._interval
        stop.wait(max(0.0, turn - time.monotonic()))


class CircuitBreaker:
    """Remembers failures in a row. Blown, it lets one question through every `rest_s` seconds.

    Args:
        give_up_after: failed questions in a row that blow it.
        rest_s: seconds.
    """

    def __init__(self, give_up_after: int, rest_s: float) -> None:
        self._give_up_after = give_up_after
        self._rest_s = rest_s
        self._failed = 0
        self._rejected: int | None = 0  # None: some were accepted
        self._closed_until = 0.0
        self._why = ""
        self._refused: JudgeRefused | None = None
        self._lock = threading.Lock()

    def before_call(self, first: bool) -> None:
        """Raises JudgeUnreachable or JudgeRefused where asking is no use.

        Args:
            first: this is no retry; the one question that a blown breaker lets through has none.
        """
        with self._lock:
            if self._refused is not None:
                raise self._refused
            if self._failed < self._give_up_after:
                return
            if first and time.monotonic() >= self._closed_until:
                self._closed_until = time.monotonic() + self._rest_s
                return
            raise JudgeUnreachable(f"{self._why} (not tried again after {self._failed} failures in a row)")

    def record_success(self) -> None:
        with self._lock:
            self._failed, self._rejected = 0, None

    def record_failure(self, why: str) -> None:
        with self._lock:
            self._failed += 1
            self._why = why
            self._closed_until = time.monotonic() + self._rest_s

    def record_rejection(self, why: str) -> None:
        """Raises JudgeRefused where the judge has rejected many questions and never accepted one."""
        with self._lock:
            self._failed = 0
            if self._rejected is not None:
                self._rejected += 1
                if self._rejected >= MAX_REJECTED:
                    self._refused = JudgeRefused(f"{why} ({self._rejected} questions in a row)")
                    raise self._refused

    def refuse_all(self, error: JudgeRefused) -> None:
        """Nobody asks any more."""
        with self._lock:
            self._refused = error
