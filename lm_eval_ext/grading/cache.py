"""Bounded cache of the workers' verdicts, known and pending. Thread safe."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from lm_eval_ext.grading.pipeline import from_workers
from lm_eval_ext.grading.pool import OutcomeFuture
from lm_eval_ext.grading.types import Verdict
from lm_eval_ext.grading.worker import Failure

Pair = tuple[str, str]
MAX_PAIR_CHARS = 500
"""Longer pairs are not cached: this bounds the cache in bytes, and long pairs rarely repeat."""


class Pending:
    """A pending verdict that several callers may wait for."""

    def __init__(self, pair: Pair, future: OutcomeFuture) -> None:
        self.pair = pair
        self.future = future
        self.waiting = 1

    def verdict(self) -> Verdict:
        """Waits for the verdict. Raises RuntimeError if the pool was closed or broke."""
        return from_workers(self.pair[0], self.future.result())


class VerdictCache:
    """Verdicts by (answer, gold); a full cache drops the least recently used.

    A `Failure`, such as a timeout, is valid only for the call that met it; later calls try again. Any object
    can identify a call.

    Args:
        size: number of verdicts kept.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._known: OrderedDict[Pair, tuple[Verdict, object | None]] = OrderedDict()
        self._under_way: dict[Pair, Pending] = {}
        self._lock = threading.RLock()  # a finished future calls back within `begin`

    def find(self, pair: Pair, call: object) -> Verdict | None:
        """The cached verdict that is valid for `call`, or None."""
        with self._lock:
            verdict, only_for = self._known.get(pair, (None, None))
            if verdict is None or only_for not in (None, call):
                return None
            self._known.move_to_end(pair)
            return verdict

    def begin(
        self, pair: Pair, submit: Callable[[str, str], OutcomeFuture], call: object
    ) -> Verdict | Pending:
        """The known or pending verdict of the pair; submits the pair if there is none."""
        with self._lock:
            if (known := self.find(pair, call)) is not None:
                return known
            pending = self._under_way.get(pair)
            if pending is not None:
                pending.waiting += 1
                return pending
            pending = self._under_way[pair] = Pending(pair, submit(*pair))
            pending.future.add_done_callback(partial(self._done, pending, call))
            return pending

    def keep(self, pair: Pair, verdict: Verdict, only_for: object | None = None) -> Verdict:
        """Adds a verdict, if the pair is short; `only_for`: the call that it is valid for."""
        with self._lock:
            if sum(map(len, pair)) <= MAX_PAIR_CHARS:
                self._known[pair] = verdict, only_for
            while len(self._known) > self.size:
                self._known.popitem(last=False)
        return verdict

    def abandon(self, pending: Pending) -> None:
        """Stops waiting; the last caller cancels a comparison that has not started."""
        with self._lock:
            pending.waiting -= 1
            if pending.waiting == 0:
                self._forget(pending)
                pending.future.cancel()

    def _done(self, pending: Pending, call: object, future: OutcomeFuture) -> None:
        with self._lock:
            self._forget(pending)
            if future.cancelled() or future.exception() is not None:
                return
            only_for = call if isinstance(future.result(), Failure) else None
            self.keep(pending.pair, pending.verdict(), only_for)

    def _forget(self, pending: Pending) -> None:
        if self._under_way.get(pending.pair) is pending:
            del self._under_way[pending.pair]
