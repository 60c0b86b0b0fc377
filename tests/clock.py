"""Times in tests: a busy machine holds a process up for seconds, and what hangs does not end at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STALL_S = 15.0
"""By what other processes may delay a test."""


@contextmanager
def within(seconds: float, what: str = "") -> Iterator[None]:
    """Fails where the block takes longer, by more than a machine's load can explain."""
    start = time.monotonic()
    yield
    took = time.monotonic() - start
    assert took < seconds + STALL_S, f"{what} took {took:.1f} s"


def cpu_s(call: Callable[[], object]) -> float:
    """Processor time of a call in this process; the better of two if long, as neighbours slow a core."""
    times: list[float] = []
    while not times or (len(times) < 2 and times[0] > 0.5):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)
