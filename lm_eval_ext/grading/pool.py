"""A pool whose workers can be killed: the only place where computer algebra runs.

`pebble` gives hard deadlines, replaces dead workers and reports a crash as the failure of one task. On top
of it: workers come from a fork server that has the symbolic layer loaded (a replacement costs about
0.1 s, not the 2 s of a fresh interpreter), their memory is bounded, they end themselves should the
parent be gone, and tasks are handed out through a window, so that a million need no more memory than
a thousand.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import types
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import TimeoutError as DeadlineExceeded
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any, cast

from pebble import ProcessExpired, ProcessPool

from lm_eval_ext.grading.verdict import Outcome

SYMBOLIC = "lm_eval_ext.grading.symbolic"
START_S = 60.0
"""How long the first worker may take to load the symbolic layer, in seconds."""
_SELF_DESTRUCT_S = 2.0
_WINDOW_PER_WORKER = 64
_WATCH_S = 1.0


@dataclass(frozen=True)
class Failure:
    """Why a task has no result: "timed out after 5 s", "ran out of memory", "the worker died (-9)"."""

    reason: str


def usable_cores() -> int:
    """Cores this process may use, by affinity where the system knows it."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class KillablePool:
    """Runs `compare(answer, gold)` of the symbolic layer in killable workers.

    Args:
        workers: number of processes.
        timeout_s: hard deadline of one comparison, in seconds.
        memory_mb: address space a worker may take, in MiB.
    """

    def __init__(self, workers: int, timeout_s: float, memory_mb: int) -> None:
        self.timeout_s = timeout_s
        self.workers = workers
        context = _CleanMainContext()
        context.set_forkserver_preload([SYMBOLIC])
        self._pool = ProcessPool(
            max_workers=workers,
            context=context,
            initializer=_start_worker,
            initargs=(memory_mb, os.getpid()),
        )
        self._await_first_worker()

    def _await_first_worker(self) -> None:
        """Loading is not the first item's time, and a worker that cannot load is a fault, not a verdict."""
        try:
            self._pool.schedule(_compare, args=("1", "1", START_S)).result(timeout=START_S)
        except (DeadlineExceeded, ProcessExpired, BrokenProcessPool) as error:
            self.close()
            raise RuntimeError(
                f"no symbolic worker came up within {START_S:g} s ({type(error).__name__}); "
                f"`python -c 'import {SYMBOLIC}'` shows what is in its way"
            ) from error

    def compare(self, pairs: Iterable[tuple[str, str]]) -> Iterator[Outcome | Failure]:
        """One outcome or `Failure` per (answer, gold), in order."""
        pending: deque[Any] = deque()
        for answer, gold in pairs:
            pending.append(self._schedule(answer, gold))
            if len(pending) >= self.workers * _WINDOW_PER_WORKER:
                yield self._result(pending.popleft())
        while pending:
            yield self._result(pending.popleft())

    def _schedule(self, answer: str, gold: str) -> Any:
        return self._pool.schedule(_compare, args=(answer, gold, self.timeout_s), timeout=self.timeout_s)

    def _result(self, future: Any) -> Outcome | Failure:
        try:
            return cast(Outcome, future.result())
        except DeadlineExceeded:
            return Failure(f"timed out after {self.timeout_s:g} s")
        except ProcessExpired as error:
            return Failure(f"the worker died (exit code {error.exitcode})")
        except MemoryError:
            return Failure("ran out of memory")
        except BrokenProcessPool:  # no fault of the item: nothing after it would be graded either
            raise
        except Exception as error:  # whatever sympy raises: reported, never a score
            return Failure(f"{type(error).__name__}: {str(error)[:200]}")

    def close(self) -> None:
        """Kills the workers; tasks under way are lost."""
        self._pool.stop()
        self._pool.join()


def _compare(answer: str, gold: str, timeout_s: float) -> Outcome:
    """In the worker. The kernel ends it if the parent is no longer there to do so."""
    symbolic = sys.modules[SYMBOLIC]
    signal.setitimer(signal.ITIMER_REAL, timeout_s + _SELF_DESTRUCT_S)
    try:
        return cast(Outcome, symbolic.compare(answer, gold))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _start_worker(memory_mb: int, parent: int) -> None:
    """In the worker, before its first task: limits first, then the symbolic layer, warmed up."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a handler would wait for sympy's C code to return
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _die_with_parent(parent)
    _limit_memory(memory_mb)
    __import__(SYMBOLIC)
    sys.modules[SYMBOLIC].warm_up()


def _die_with_parent(parent: int) -> None:
    """A thread that ends the worker once the process that started the pool is gone.

    The worker's own parent is the fork server, which lives as long as its children. Where a computation
    holds the interpreter lock the thread cannot run, and the timer of `_compare` ends the worker.
    """

    def watch() -> None:
        while _is_alive(parent):
            time.sleep(_WATCH_S)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _limit_memory(memory_mb: int) -> None:
    if sys.platform != "linux":
        return  # elsewhere the address space cannot be limited reliably
    import resource

    limit = memory_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


class _CleanMainProcess(ForkServerProcess):
    """A worker that does not import the caller's main script, which may have no `__main__` guard."""

    @staticmethod
    def _Popen(process_obj: Any) -> Any:
        with _blank_main():
            return ForkServerProcess._Popen(process_obj)


class _CleanMainContext(ForkServerContext):
    Process = _CleanMainProcess


_main_lock = threading.Lock()


@contextmanager
def _blank_main() -> Iterator[None]:
    with _main_lock:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main
