"""A rate limiter, and a circuit breaker that skips an unreachable judge. Thread safe."""

from __future__ import annotations

import threading
import time

from lm_eval_ext.grading.judge.errors import JudgeRefused, JudgeUnreachable

MAX_REJECTED = 10
"""A judge that rejects this many questions in a row, and has accepted none, counts as refusing all."""


class RateLimiter:
    """Spaces requests evenly, up to `per_minute`."""

    def __init__(self, per_minute: float | None) -> None:
        self._interval = 60 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, stop: threading.Event) -> None:
        """Blocks until this request may be sent."""
        if not self._interval:
            return
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + self._interval
        stop.wait(max(0.0, turn - time.monotonic()))


class CircuitBreaker:
    """Opens after consecutive failures, then lets one question through every `rest_s` seconds.

    Args:
        give_up_after: consecutive failures that open it.
        rest_s: seconds between trial questions while it is open.
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
        """Raises JudgeUnreachable or JudgeRefused if the judge must not be asked.

        Args:
            first: not a retry; an open breaker lets no retry through.
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
        """Raises JudgeRefused after `MAX_REJECTED` rejections in a row if no question was ever accepted."""
        with self._lock:
            self._failed = 0
            if self._rejected is not None:
                self._rejected += 1
                if self._rejected >= MAX_REJECTED:
                    self._refused = JudgeRefused(f"{why} ({self._rejected} questions in a row)")
                    raise self._refused

    def refuse_all(self, why: str) -> JudgeRefused:
        """The error to raise, which every later call raises too."""
        with self._lock:
            self._refused = JudgeRefused(why)
            return self._refused
