"""The place of one worker in the pool: a process that starts, waits or works, or a pause before the next."""

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
"""How long a worker may take to load the stages, in seconds."""
MAX_STARTS = 50
"""Failed starts in a row after which workers cannot live on this machine: about 20 s."""
MAX_FAULTS = 3
"""The same for starts that end with an exception, which mostly is a fault of the installation."""
_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.5
_END_S = 1.0


class WorkerProcess(Generic[Task]):
    """One worker after the other. Only the pool's thread uses it.

    Args:
        stages, memory_mb: what the worker loads, and the address space it may take, in MiB.
        timeout_s: deadline of a task, in seconds.
        on_idle_death: told how a worker ended that was not at work.

    Attributes:
        tasks: what the worker was given and has not answered; the first is under way.
        ready: whether it takes tasks.
        due: when to look at it although it says nothing, by `time.monotonic()`.
    """

    def __init__(
        self, stages: Sequence[str], memory_mb: int, timeout_s: float, on_idle_death: Callable[[str], None]
    ) -> None:
        self.tasks: deque[Task] = deque()
        self.ready = False
        self.due = 0.0
        self.connection: Connection | None = None
        self._stages, self._memory_mb, self._timeout_s = stages, memory_mb, timeout_s
        self._on_idle_death = on_idle_death
        self._pid: int | None = None
        self._failed_starts = 0

    def send(self, task: Task, call: tuple[Callable[..., Any], tuple[Any, ...]]) -> None:
        """Sends a call; its result comes with the task from `poll`."""
        assert self.connection is not None and self.ready, "there is no worker to take this"
        self.tasks.append(task)
        if len(self.tasks) == 1:
            self.due = time.monotonic() + self._timeout_s
        with suppress(OSError):  # dead, as its connection is about to say
            self.connection.send(call)

    @rule("undecided.timeout")
    def poll(self, readable: bool) -> list[tuple[Task, Any]]:
        """Does what is due, and gives the tasks that came to an end with their results.

        A result is what the worker returned, a `Failure`, or None for a task it was given and did not begin.

        Raises RuntimeError if one worker after the other fails to start.
        """
        overdue = time.monotonic() >= self.due
        if self.connection is not None and (readable or (overdue and self.connection.poll())):
            return self._receive()  # before the clock: this thread may be late itself
        if not overdue:
            return []
        if self.connection is None:
            self.connection = SERVER.fork(self._stages, self._memory_mb)
            self.due = time.monotonic() + START_S
            return []
        if self.ready:
            return self._replace(Failure(f"timed out after {self._timeout_s:g} s", "undecided.timeout"))
        SERVER.stop()  # it may be what hangs
        return self._replace(Failure(f"it was not ready within {START_S:g} s", "undecided.timeout"))

    @rule("undecided.worker-died")
    def _receive(self) -> list[tuple[Task, Any]]:
        assert self.connection is not None
        try:
            message = self.connection.recv()
        except Exception:  # closed, or torn by a death in the middle of a message
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
        """Ends the worker; the next one starts at once, or after a pause if this one never came up."""
        if not self.ready:
            self._failed_starts += 1
            if self._failed_starts >= (MAX_FAULTS if fault else MAX_STARTS):
                raise RuntimeError(
                    f"no symbolic worker came up in {self._failed_starts} attempts ({why.reason}); "
                    f"`python -c 'import {', '.join(self._stages)}'` shows what is in its way"
                )
        if not self.tasks:
            self._on_idle_death(why.reason)
        ended = [(task, None if place else why) for place, task in enumerate(self.tasks)]
        self.kill()
        self.close()
        self.due = time.monotonic() + min(_PAUSE_S * self._failed_starts, _LONGEST_PAUSE_S)
        return ended

    def kill(self) -> None:
        """Kills the worker and the processes it may have started; `close` comes next."""
        if self._pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)

    def close(self, wait: bool = False) -> None:
        """Forgets the worker; where asked, once the fork server says that it is gone."""
        if self.connection is not None:
            with suppress(EOFError, OSError), self.connection:
                while wait and self._pid is not None and self.connection.poll(_END_S):
                    self.connection.recv_bytes()
        self.connection = self._pid = None
        self.ready = False
        self.tasks.clear()
