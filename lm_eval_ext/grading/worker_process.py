"""One slot of the pool: a worker that starts, waits or works, or the pause before the next one."""

from __future__ import annotations

import math
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from lm_eval_ext.grading.forkserver import SERVER
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.worker import Failure, WorkerDied, WorkerExit

Task = TypeVar("Task")
START_S = 60.0
"""Time limit for a worker to load the stages, in seconds."""
MAX_STARTS = 50
"""Failed starts in a row before giving up: about 20 s."""
MAX_FAULTS = 3
"""The same for starts that raise, which usually means a broken installation."""
_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.5
_END_S = 1.0


class WorkerProcess(Generic[Task]):
    """A worker, replaced when it dies. Only the pool's thread uses it.

    Args:
        stages: modules that the worker loads: at first the first of them.
        memory_mb: limit of its address space, in MiB.
        timeout_s: deadline of a task, in seconds.
        on_idle_death: called with the reason if an idle worker dies.

    Attributes:
        tasks: tasks sent and not answered; the first is running.
        ready: whether it accepts tasks.
        loaded: number of stages that it has.
        due: when to check a silent worker, by `time.monotonic()`.
    """

    def __init__(
        self, stages: Sequence[str], memory_mb: int, timeout_s: float, on_idle_death: Callable[[str], None]
    ) -> None:
        self.tasks: deque[Task] = deque()
        self.ready = False
        self.due = 0.0
        self.connection: Connection | None = None
        self.loaded = 1
        self._stages, self._memory_mb, self._timeout_s = stages, memory_mb, timeout_s
        self._on_idle_death = on_idle_death
        self._pid: int | None = None
        self._failed_starts = 0

    def send(self, task: Task, call: tuple[Callable[..., Any], tuple[Any, ...]]) -> None:
        """Sends a call; `poll` returns its result with the task."""
        assert self.connection is not None and self.ready, "there is no worker to take this"
        self.tasks.append(task)
        if len(self.tasks) == 1:
            self.due = time.monotonic() + self._timeout_s
        with suppress(OSError):  # dead; the closed connection will show it
            self.connection.send(call)

    @rule("undecided.timeout")
    def poll(self, readable: bool) -> list[tuple[Task, Any]]:
        """Handles messages and deadlines; returns finished tasks with their results.

        A result is the worker's return value, a `Failure`, or None for a task that never started.

        Raises RuntimeError after too many failed starts.
        """
        overdue = time.monotonic() >= self.due
        if self.connection is not None and (readable or (overdue and self.connection.poll())):
            return self._receive()  # before the deadline: this thread may itself be late
        if not overdue:
            return []
        if self.connection is None:
            self.connection = SERVER.fork(self._stages, self.loaded, self._memory_mb)
            self.due = time.monotonic() + START_S
            return []
        if self.ready:
            return self._replace(Failure(f"timed out after {self._timeout_s:g} s", "undecided.timeout"))
        SERVER.stop()  # the server itself may hang
        return self._replace(Failure(f"it was not ready within {START_S:g} s", "undecided.timeout"))

    @rule("undecided.worker-died")
    def _receive(self) -> list[tuple[Task, Any]]:
        assert self.connection is not None
        try:
            message = self.connection.recv()
        except Exception:  # closed, or cut off within a message
            message = WorkerExit()
        if isinstance(message, WorkerExit):
            known = "" if message.code is None else f" (exit code {message.code})"
            return self._replace(WorkerDied(f"the worker died{known}", "undecided.worker-died"))
        if self.ready:
            task = self.tasks.popleft()
            self.due = time.monotonic() + self._timeout_s if self.tasks else math.inf
            return [(task, message)]
        if isinstance(message, Failure):
            return self._replace(message, fault=True)
        if message is None:
            self.ready, self.due, self._failed_starts = True, math.inf, 0
        else:
            self._pid = message
        return []

    def _replace(self, why: Failure, fault: bool = False) -> list[tuple[Task, Any]]:
        """Ends the worker; the next one starts at once, or after a pause if this one failed to start."""
        if not self.ready:
            self._failed_starts += 1
            if self._failed_starts >= (MAX_FAULTS if fault else MAX_STARTS):
                raise RuntimeError(
                    f"no symbolic worker came up in {self._failed_starts} attempts ({why.reason}); "
                    f"run `python -c 'import {', '.join(self._stages)}'` to see why"
                )
        if not self.tasks:
            self._on_idle_death(why.reason)
        ended = [(task, None if place else why) for place, task in enumerate(self.tasks)]
        self.kill()
        self.close()
        self.due = time.monotonic() + min(_PAUSE_S * self._failed_starts, _LONGEST_PAUSE_S)
        return ended

    def load_all(self) -> None:
        """Replaces the idle worker by one that has all stages."""
        self.kill()
        self.close()
        self.loaded, self.due = len(self._stages), time.monotonic()

    def kill(self) -> None:
        """Kills the worker and its child processes; call `close` next."""
        if self._pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)

    def close(self, wait: bool = False) -> None:
        """Releases the worker; with `wait`, after the fork server reports its end."""
        if self.connection is not None:
            with suppress(EOFError, OSError), self.connection:
                while wait and self._pid is not None and self.connection.poll(_END_S):
                    self.connection.recv_bytes()
        self.connection = self._pid = None
        self.ready = False
        self.tasks.clear()
