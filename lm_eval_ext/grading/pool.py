"""A pool whose workers can be killed, in two stages: the only place where computer algebra runs.

A pair of answers goes to a worker among others, in a chunk, and the first stage decides what it can: it
is quick, and a task of its own would cost more than the comparison. What it leaves undecided goes to the
second stage, one task and one hard deadline each. A chunk that fails as a whole is taken apart, and each
of its pairs runs alone, so that a bad one costs only itself.

`pebble` gives hard deadlines, replaces dead workers and reports a crash as the failure of one task. On top
of it: workers come from a fork server that has the stages loaded (a replacement costs about 0.1 s, not the
2 s of a fresh interpreter), their memory is bounded, and they end themselves should the parent be gone.
"""

from __future__ import annotations

import os
import sys
import threading
import types
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as DeadlineExceeded
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

from pebble import ProcessExpired, ProcessPool

from lm_eval_ext.grading import worker
from lm_eval_ext.grading.verdict import Outcome

STAGES = ("lm_eval_ext.grading.reading", "lm_eval_ext.grading.symbolic")
"""Modules with `compare(answer, gold) -> Outcome`: the quick one, then the one that may hang."""
START_S = 60.0
"""How long the first worker may take to load the stages, in seconds."""
CHUNK = 32
"""Pairs that the first stage takes at once: at 0.3 ms for a task, 10 µs each."""
_TASKS_PER_WORKER = 2


@dataclass(frozen=True)
class Failure:
    """Why a task has no result: "timed out after 5 s", "ran out of memory", "the worker died (-9)"."""

    reason: str


Slot = Future[Outcome | Failure]


@dataclass(frozen=True, eq=False)
class _Job:
    answer: str
    gold: str
    slot: Slot = field(default_factory=Future)


@dataclass(frozen=True, eq=False)
class _Task:
    """Jobs for one worker: a chunk for the first stage, or a single one for `stages` in turn."""

    jobs: tuple[_Job, ...]
    stages: tuple[str, ...] = ()


def usable_cores() -> int:
    """Cores this process may use, by affinity where the system knows it."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class KillablePool:
    """Compares answers in killable workers. Thread safe.

    Args:
        workers: number of processes.
        timeout_s: hard deadline of one comparison, and of one chunk, in seconds.
        memory_mb: address space a worker may take, in MiB.
        stages: the two modules whose `compare` is asked, the quick one first.

    Raises RuntimeError if no worker comes up.
    """

    def __init__(
        self, workers: int, timeout_s: float, memory_mb: int, stages: tuple[str, str] = STAGES
    ) -> None:
        self.timeout_s = timeout_s
        self.workers = workers
        self._stages = stages
        self._lock = threading.Lock()
        self._fresh: deque[_Job] = deque()
        self._alone: deque[_Task] = deque()
        self._running: set[_Task] = set()
        self._hurried = False
        self._error: RuntimeError | None = None
        context = _CleanMainContext()
        # The process has one fork server, started for its first pool: later ones may have other stages.
        context.set_forkserver_preload(list(dict.fromkeys([*STAGES, *stages])))
        self._pool = ProcessPool(
            max_workers=workers,
            context=context,
            initializer=worker.start,
            initargs=(stages, memory_mb, os.getpid()),
        )
        self._await_first_worker()

    def _await_first_worker(self) -> None:
        """Loading is not the first item's time, and a worker that cannot load is a fault, not a verdict."""
        try:
            args = (self._stages, "1", "1", START_S)
            self._pool.schedule(worker.compare_one, args=args).result(timeout=START_S)
        except (DeadlineExceeded, ProcessExpired, BrokenProcessPool) as error:
            self.close()
            raise RuntimeError(
                f"no symbolic worker came up within {START_S:g} s ({type(error).__name__}); "
                f"`python -c 'import {', '.join(self._stages)}'` shows what is in its way"
            ) from error

    def submit(self, answer: str, gold: str) -> Slot:
        """The future outcome, or `Failure`, of comparing two answers.

        A pair that meets an idle pool starts at once; others gather to a chunk, or until `hurry`. A slot can
        be cancelled until its chunk starts. Raises RuntimeError once the pool is closed or broken.
        """
        job = _Job(answer, gold)
        with self._lock:
            if self._error is not None:
                raise self._error
            self._fresh.append(job)
        self._advance()
        return job.slot

    def hurry(self) -> None:
        """Somebody waits: what has gathered goes to the workers although it makes no whole chunk."""
        with self._lock:
            self._hurried = bool(self._fresh)
        self._advance()

    def close(self) -> None:
        """Kills the workers. Whoever waits for a slot gets a RuntimeError."""
        self._break(RuntimeError("the pool was closed before this was compared"))
        self._pool.stop()
        self._pool.join()

    def _advance(self) -> None:
        """Hands tasks to the workers as long as they can take some."""
        try:
            with self._lock:
                started = list(self._start_tasks())
        except RuntimeError as error:
            self._break(error)
            return
        for task, future in started:  # without the lock: on a finished task the callback runs here
            future.add_done_callback(partial(self._finished, task))

    def _start_tasks(self) -> Iterator[tuple[_Task, Any]]:
        while len(self._running) < self.workers * _TASKS_PER_WORKER and (task := self._next_task()):
            self._running.add(task)
            yield task, self._schedule(task)

    def _next_task(self) -> _Task | None:
        """Single jobs first: they are older than what is fresh, and somebody may wait for their turn."""
        if self._alone:
            return self._alone.popleft()
        while self._fresh:
            waiting = len(self._fresh)
            if waiting < CHUNK and self._running and not self._hurried:
                return None
            share = -(-waiting // self.workers) if self._hurried else waiting
            taken = [self._fresh.popleft() for _ in range(min(share, CHUNK))]
            jobs = tuple(job for job in taken if job.slot.set_running_or_notify_cancel())
            if jobs:
                return _Task(jobs)
        self._hurried = False
        return None

    def _schedule(self, task: _Task) -> Any:
        if task.stages:
            job = task.jobs[0]
            one = task.stages, job.answer, job.gold, self.timeout_s
            return self._pool.schedule(worker.compare_one, args=one, timeout=self.timeout_s)
        pairs = [(job.answer, job.gold) for job in task.jobs]
        many = self._stages[0], pairs, self.timeout_s
        return self._pool.schedule(worker.compare_many, args=many, timeout=self.timeout_s)

    def _finished(self, task: _Task, future: Any) -> None:
        """In pebble's thread, or in that of `_advance`. What is decided is told, the rest is next."""
        try:
            result = self._result(future)
        except BrokenProcessPool as error:
            self._break(error)
            return
        with self._lock:
            if task not in self._running:
                return  # the pool was closed or broke, and whoever waited knows
            self._running.remove(task)
            told = list(self._settle(task, result))
        for job, outcome in told:
            job.slot.set_result(outcome)
        self._advance()

    def _settle(self, task: _Task, result: Any) -> Iterator[tuple[_Job, Outcome | Failure]]:
        """What a task decided; jobs of a chunk that it did not decide are queued to run alone."""
        if task.stages:
            yield task.jobs[0], result
            return
        failed = isinstance(result, Failure)
        stages = self._stages if failed else self._stages[1:]
        outcomes = [None] * len(task.jobs) if failed else result
        for job, outcome in zip(task.jobs, outcomes, strict=True):
            if outcome is None:
                self._alone.append(_Task((job,), stages))
            else:
                yield job, outcome

    def _result(self, future: Any) -> Any:
        """What the worker returned, or a `Failure`. Raises BrokenProcessPool: no fault of the items."""
        try:
            return future.result()
        except DeadlineExceeded:
            return Failure(f"timed out after {self.timeout_s:g} s")
        except ProcessExpired as error:
            return Failure(f"the worker died (exit code {error.exitcode})")
        except MemoryError:
            return Failure("ran out of memory")
        except BrokenProcessPool:
            raise
        except Exception as error:  # whatever sympy raises: reported, never a score
            return Failure(f"{type(error).__name__}: {str(error)[:200]}")

    def _break(self, error: RuntimeError) -> None:
        """Nothing more will be compared: everybody who waits gets the error."""
        with self._lock:
            self._error = self._error or error
            tasks = [*self._running, *self._alone, _Task(tuple(self._fresh))]
            self._running.clear()
            self._alone.clear()
            self._fresh.clear()
        for task in tasks:
            for job in task.jobs:
                with suppress(InvalidStateError):  # cancelled
                    job.slot.set_exception(error)


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
