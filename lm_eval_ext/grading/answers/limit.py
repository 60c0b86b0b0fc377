"""A limit on the time of a comparison in a process that cannot be killed.

The loops of a comparison call `check`, so that it ends within milliseconds of its limit.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class OutOfTime(Exception):
    """The limit has passed. Not an `AnswerError`: it says nothing about the answer."""


class _Limit(threading.local):
    until = math.inf


_limit = _Limit()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Comparisons of this thread raise `OutOfTime` after so many seconds."""
    _limit.until = time.perf_counter() + seconds
    try:
        yield
    finally:
        _limit.until = math.inf


def check() -> None:
    """Raises OutOfTime if this thread's limit has passed."""
    if time.perf_counter() > _limit.until:
        raise OutOfTime
