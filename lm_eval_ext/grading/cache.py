"""Verdicts remembered: a bounded number of decided ones, and those under way. Thread safe."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from lm_eval_ext.grading.pool import Slot
from lm_eval_ext.grading.types import Layer, Outcome, Verdict
from lm_eval_ext.grading.worker import Failure

Pair = tuple[str, str]
MAX_PAIR_CHARS = 500
"""A longer pair is not remembered, so that the memory is bounded in bytes too: short ones come again."""


class Pending:
    """A verdict under way, which several may wait for."""

    def __init__(self, pair: Pair, slot: Slot) -> None:
        self.pair = pair
        self.slot = slot
        self.waiting = 1

    def verdict(self) -> Verdict:
        """The verdict, once there. Raises RuntimeError if the pool was closed or broke."""
        return _as_verdict(self.pair[0], self.slot.result())


def _as_verdict(answer: str, outcome: Outcome | Failure) -> Verdict:
    if isinstance(outcome, Failure):
        return Verdict(None, "none", answer, outcome.reason)
    layer: Layer = "none" if outcome.equal is None else "symbolic"
    return Verdict(outcome.equal, layer, answer, outcome.detail, outcome.rule)


class Memory:
    """Verdicts by (answer, gold); where it is full, the one not asked for longest is forgotten.

    A `Failure` (a timeout, say) holds for the call that met it and no longer: a later call may have more
    luck. A call is any object that stands for it.

    Args:
        size: how many verdicts it keeps.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._known: OrderedDict[Pair, tuple[Verdict, object | None]] = OrderedDict()
        self._under_way: dict[Pair, Pending] = {}
        self._lock = threading.RLock()  # a slot already done calls back within `begin`

    def find(self, pair: Pair, call: object) -> Verdict | None:
        """The verdict remembered, None if there is none that holds for `call`."""
        with self._lock:
            verdict, only_for = self._known.get(pair, (None, None))
            if verdict is None or only_for not in (None, call):
                return None
            self._known.move_to_end(pair)
            return verdict

    def keep(self, pair: Pair, verdict: Verdict, only_for: object | None = None) -> None:
        """Remembers a verdict, for every call or for one."""
        if len(pair[0]) + len(pair[1]) > MAX_PAIR_CHARS:
            return
        with self._lock:
            self._known[pair] = verdict, only_for
            self._known.move_to_end(pair)
            while len(self._known) > self.size:
                self._known.popitem(last=False)

    def begin(self, pair: Pair, submit: Callable[[str, str], Slot], call: object) -> Verdict | Pending:
        """What is known or under way for the pair, submitted if nothing is."""
        with self._lock:
            if (known := self.find(pair, call)) is not None:
                return known  # since the caller looked
            pending = self._under_way.get(pair)
            if pending is not None:
                pending.waiting += 1
                return pending
            pending = self._under_way[pair] = Pending(pair, submit(*pair))
            pending.slot.add_done_callback(partial(self._done, pending, call))
            return pending

    def abandon(self, pending: Pending) -> None:
        """Somebody waits no longer; where nobody does, the comparison is cancelled if it can be."""
        with self._lock:
            pending.waiting -= 1
            if pending.waiting == 0:
                self._forget(pending)
                pending.slot.cancel()

    def _done(self, pending: Pending, call: object, slot: Slot) -> None:
        with self._lock:
            self._forget(pending)
            if slot.cancelled() or slot.exception() is not None:
                return
            outcome = slot.result()
            verdict = _as_verdict(pending.pair[0], outcome)
            self.keep(pending.pair, verdict, call if isinstance(outcome, Failure) else None)

    def _forget(self, pending: Pending) -> None:
        if self._under_way.get(pending.pair) is pending:
            del self._under_way[pending.pair]
