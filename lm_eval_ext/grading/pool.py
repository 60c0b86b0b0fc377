"""Compare answers in a pool of killable workers: the only place where computer algebra runs.

Comparison has two stages. The first is quick, so it takes pairs in chunks: a task per pair would cost more
than the comparison. Each pair it leaves to the second becomes one task, with a hard deadline. If a chunk
fails as a whole, each of its pairs runs alone. Workers load the second stage when the first pair needs it.

One thread dispatches the tasks. Each worker has its own connection and shares no lock or queue, so its death
closes one connection and affects no other worker. Its tasks are retried; a pair is undecided after its
worker died three times, twice running it alone. A fork server with the stages loaded replaces a worker in
about 0.1 s.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing.connection import wait
from typing import Any

from lm_eval_ext.grading import worker
from lm_eval_ext.grading.pipeline import STAGES
from lm_eval_ext.grading.types import Outcome
from lm_eval_ext.grading.worker import Failure, WorkerDied
from lm_eval_ext.grading.worker_process import WorkerProcess

log = logging.getLogger(__name__)
CHUNK = 32
"""Pairs per task of the first stage: at 0.3 ms per task, 10 µs each."""
_AHEAD_CHARS = 2**15
"""A chunk sent to a busy worker must fit into the connection's buffer."""
_LONGEST_WAIT_S = 60.0
OutcomeFuture = Future[Outcome | Failure]


@dataclass(frozen=True, eq=False)
class _Job:
    answer: str
    gold: str
    future: OutcomeFuture = field(default_factory=Future)


@dataclass(frozen=True, eq=False)
class _Task:
    """Jobs for one worker: a chunk for the first stage, or a single job for `stages` in turn.

    `again`: retry a single job if its worker dies, which may have an unrelated cause.
    """

    jobs: tuple[_Job, ...]
    stages: tuple[str, ...] = ()
    again: bool = True

    @property
    def chars(self) -> int:
        return sum(len(job.answer) + len(job.gold) for job in self.jobs)


class KillablePool:
    """Compares answers in killable workers. Thread safe.

    Args:
        workers: number of processes.
        timeout_s: hard deadline of one comparison, and of one chunk, in seconds.
        memory_mb: address space a worker may take, in MiB.
        stages: the two modules whose `compare` decides, the quick one first.

    The workers start in the background. If none does, the futures raise RuntimeError.
    """

    def __init__(
        self, workers: int, timeout_s: float, memory_mb: int, stages: tuple[str, ...] = STAGES
    ) -> None:
        self.timeout_s = timeout_s
        self._stages = stages
        self._lock = threading.Lock()
        self._pending: deque[_Job] = deque()
        self._singles: deque[_Task] = deque()
        self._running: set[_Task] = set()
        self._flushing = False
        self._has_capacity = False
        self._wake_sent = False
        self._warned = False
        self._error: RuntimeError | None = None
        self._workers = [
            WorkerProcess[_Task](stages, memory_mb, timeout_s, self._warn) for _ in range(workers)
        ]
        self._ready = False
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="grading", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @property
    def ready(self) -> bool:
        """Whether a worker has started."""
        return self._ready

    @property
    def broken(self) -> bool:
        """Whether the pool accepts no more pairs: it is closed, or workers cannot start."""
        return self._error is not None

    def submit(self, answer: str, gold: str) -> OutcomeFuture:
        """The future outcome, or `Failure`, of comparing two answers.

        In an idle pool the pair starts at once; otherwise pairs wait for a full chunk or `flush`. A future
        can be cancelled until its chunk starts. Raises RuntimeError if the pool is closed or broken.
        """
        job = _Job(answer, gold)
        with self._lock:
            if self._error is not None:
                raise self._error
            self._pending.append(job)
            if not self._running or len(self._pending) >= CHUNK:
                self._wake()
        return job.future

    def flush(self) -> None:
        """Sends waiting pairs to the workers without waiting for a full chunk."""
        with self._lock:
            self._flushing = bool(self._pending)
            if self._flushing:
                self._wake()

    def close(self) -> None:
        """Kills the workers. Pending futures raise RuntimeError."""
        self._break(RuntimeError("the pool was closed before this was compared"))
        with self._lock:
            self._wake(always=True)
        if threading.current_thread() is not self._thread:
            self._thread.join()
        atexit.unregister(self.close)

    def forget(self) -> None:
        """In a forked child: releases the parent's workers. The pool cannot be used any more."""
        self._error = RuntimeError("the pool belongs to the parent process")
        atexit.unregister(self.close)
        self._close_pipe()
        for process in self._workers:
            process.close()

    def _close_pipe(self) -> None:
        os.close(self._wake_read)
        os.close(self._wake_write)
        self._wake_write = -1  # the descriptor may be reused

    def _wake(self, always: bool = False) -> None:
        """Wakes the thread if a worker has capacity. Requires the lock."""
        if always or (self._has_capacity and not self._wake_sent):
            self._wake_sent = True
            with suppress(OSError):  # the thread has ended
                os.write(self._wake_write, b"w")

    def _run(self) -> None:
        """The pool's thread."""
        try:
            while self._error is None:
                self._hand_out()
                connections = [process.connection for process in self._workers if process.connection]
                due = min(process.due for process in self._workers) - time.monotonic()
                heard = wait([*connections, self._wake_read], min(max(due, 0), _LONGEST_WAIT_S))
                if self._wake_read in heard:
                    os.read(self._wake_read, 64)
                for process in self._workers:
                    for task, result in process.poll(process.connection in heard):
                        self._complete(task, result)
                self._ready = self._ready or any(process.ready for process in self._workers)
        except BaseException as error:
            self._break(error if isinstance(error, RuntimeError) else RuntimeError(f"in the pool: {error!r}"))
        finally:
            for act in (WorkerProcess.kill, partial(WorkerProcess.close, wait=True)):
                for process in self._workers:
                    act(process)
            with self._lock:
                self._close_pipe()

    def _hand_out(self) -> None:
        """Gives idle workers a task, then busy ones a second chunk, so that none waits for this thread."""
        with self._lock:
            self._wake_sent = False
            for ahead in (False, True):
                for process in self._workers:
                    if self._can_take(process, ahead) and (task := self._next_task(process, ahead)):
                        self._running.add(task)
                        process.send(task, self._call(task))
            self._has_capacity = any(
                self._can_take(process, ahead) for process in self._workers for ahead in (False, True)
            )

    def _can_take(self, process: WorkerProcess[_Task], ahead: bool) -> bool:
        """Whether a worker can take a task; none queues behind a single job, which may need its deadline."""
        if not ahead:
            return process.ready and not process.tasks
        return process.ready and len(process.tasks) == 1 and not process.tasks[0].stages

    def _next_task(self, process: WorkerProcess[_Task], ahead: bool) -> _Task | None:
        """The next task. Single jobs come first: they are older, and a caller may be waiting for them."""
        if self._singles and not ahead:
            if not self._singles[0].stages or process.loaded == len(self._stages):
                return self._singles.popleft()
            if not self._pending or all(other.loaded == 1 for other in self._workers):
                process.load_all()
                return None
        while self._pending:
            if self._waits_for_more():
                return None
            task = self._chunk()
            if ahead and task.chars > _AHEAD_CHARS:
                self._singles.append(task)
                return None
            if task.jobs:
                return task
        self._flushing = False
        if not ahead:
            self._prepare(process)
        return None

    def _waits_for_more(self) -> bool:
        return len(self._pending) < CHUNK and bool(self._running) and not self._flushing

    def _chunk(self) -> _Task:
        """The next pending jobs without those cancelled; a share of all where no more will come."""
        waiting = len(self._pending)
        share = -(-waiting // len(self._workers)) if self._flushing else waiting
        taken = [self._pending.popleft() for _ in range(min(share, CHUNK))]
        return _Task(tuple(job for job in taken if job.future.set_running_or_notify_cancel()))

    def _prepare(self, process: WorkerProcess[_Task]) -> None:
        """Loads all stages into a worker without a task, so that a killed worker is not waited for."""
        if process.loaded == 1 and any(other.ready and other.loaded > 1 for other in self._workers):
            process.load_all()

    def _call(self, task: _Task) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        if task.stages:
            job = task.jobs[0]
            return worker.compare_one, (task.stages, job.answer, job.gold, self.timeout_s)
        pairs = [(job.answer, job.gold) for job in task.jobs]
        return worker.compare_many, (self._stages[0], pairs, self.timeout_s)

    def _complete(self, task: _Task, result: Any) -> None:
        """Resolves the futures that a task decided and queues the rest."""
        with self._lock:
            if task not in self._running:
                return  # the pool was closed and the futures have their error
            self._running.remove(task)
            told = list(self._settle(task, result))
        for job, outcome in told:
            job.future.set_result(outcome)

    def _settle(self, task: _Task, result: Any) -> Iterator[tuple[_Job, Outcome | Failure]]:
        """The outcomes that a task decided; queues the undecided jobs of a chunk to run alone."""
        if result is None:  # it never started
            self._singles.appendleft(task)
            return
        if task.stages:
            if task.again and isinstance(result, WorkerDied):
                self._singles.append(replace(task, again=False))
            else:
                yield task.jobs[0], result
            return
        failed = isinstance(result, Failure)
        stages = self._stages if failed else self._stages[1:]
        outcomes = [None] * len(task.jobs) if failed else result
        for job, outcome in zip(task.jobs, outcomes, strict=True):
            if outcome is None:
                self._singles.append(_Task((job,), stages))
            else:
                yield job, outcome

    def _break(self, error: RuntimeError) -> None:
        """Stops comparing; all pending futures raise the error."""
        with self._lock:
            self._error = error = self._error or error
            tasks = [*self._running, *self._singles, _Task(tuple(self._pending))]
            self._running.clear()
            self._singles.clear()
            self._pending.clear()
        for job in (job for task in tasks for job in task.jobs):
            with suppress(InvalidStateError):  # cancelled or already resolved
                job.future.set_exception(error)

    def _warn(self, reason: str) -> None:
        """Logs the death of an idle worker, once."""
        if not self._warned:
            log.warning(
                "an idle grading worker died: %s (low on memory?). It is replaced and no verdict is lost; "
                "further replacements are not logged",
                reason,
            )
        self._warned = True
