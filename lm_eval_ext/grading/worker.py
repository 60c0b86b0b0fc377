"""Code that runs inside a worker of the pool: limits, start-up and comparisons.

The worker sends its pid, then None when ready (or a `Failure` if it cannot start), then the result or
`Failure` of each call. The fork server sends the last message, a `WorkerExit`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any, NoReturn, cast

from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

_SELF_DESTRUCT_S = 2.0
_WATCH_S = 1.0
_TRIAL = (r"\frac{1}{2}", "0.5")


@dataclass(frozen=True)
class Failure:
    """Why a call has no result: "timed out after 5 s", "ran out of memory", "the worker died".

    Attributes:
        reason: the text that the verdict shows.
        rule: id of the rule that leaves the answer undecided.
    """

    reason: str
    rule: str


class WorkerDied(Failure):
    """The worker died before it answered: it crashed or was killed."""


@dataclass(frozen=True)
class WorkerExit:
    """Exit code of a worker: -N after signal N; None if unknown."""

    code: int | None = None


def serve(connection: Connection, parent: int) -> NoReturn:
    """Runs a worker in a freshly forked process until the connection is closed.

    Args:
        connection: receives the stages and the memory limit, then calls: (function, arguments).
        parent: pid of the process that the worker must not outlive.
    """
    code = 1
    try:
        os.setpgid(0, 0)  # so that its child processes are killed with it
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        connection.send(os.getpid())
        connection.send(_result(start, *connection.recv(), parent))
        while True:
            function, arguments = connection.recv()
            connection.send(_result(function, *arguments))
    except (EOFError, OSError):
        code = 0  # the other end is closed
    finally:
        os._exit(code)


@rule("undecided.memory", "undecided.error")
def _result(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except MemoryError:
        return Failure("ran out of memory", "undecided.memory")
    except Exception as error:  # sympy may raise anything; report it, never score it
        return Failure(f"{type(error).__name__}: {str(error)[:200]}", "undecided.error")


def start(stages: Sequence[str], memory_mb: int, parent: int) -> None:
    """Sets the limits, then imports the stages, which the fork server has already loaded.

    Raises if a stage cannot compare two numbers: the installation is broken.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a handler would wait for sympy's C code to return
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _die_with_parent(parent)
    _limit_memory(memory_mb)
    for stage in stages:
        import_module(stage)
        _ask(stage, *_TRIAL)


def compare_many(stage: str, pairs: Sequence[tuple[str, str]], timeout_s: float) -> list[Outcome | None]:
    """The outcome of `stage` for each (answer, gold); None if it leaves the pair to the next, or raises."""
    with _self_destruct(timeout_s):
        return [_passed(stage, answer, gold) for answer, gold in pairs]


def compare_one(stages: Sequence[str], answer: str, gold: str, timeout_s: float) -> Outcome:
    """The outcome of the first stage that has one. Raises what the last stage raises."""
    with _self_destruct(timeout_s):
        for stage in stages[:-1]:
            if (outcome := _passed(stage, answer, gold)) is not None:
                return outcome
        return cast(Outcome, _ask(stages[-1], answer, gold))


def _passed(stage: str, answer: str, gold: str) -> Outcome | None:
    try:
        return _ask(stage, answer, gold)
    except Exception:  # only errors of the last stage are reported
        return None


def _ask(stage: str, answer: str, gold: str) -> Outcome | None:
    return cast("Outcome | None", sys.modules[stage].compare(answer, gold))


@contextmanager
def _self_destruct(timeout_s: float) -> Iterator[None]:
    """Lets the kernel end the worker if the parent is gone and cannot."""
    signal.setitimer(signal.ITIMER_REAL, timeout_s + _SELF_DESTRUCT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _die_with_parent(parent: int) -> None:
    """Starts a thread that ends the worker once the pool's process is gone.

    A closed connection is not enough: a fork of that process may hold a copy. If a computation blocks the
    thread by holding the GIL, the timer of `_self_destruct` ends the worker.
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
        return  # only Linux limits the address space reliably
    import resource

    limit = memory_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
