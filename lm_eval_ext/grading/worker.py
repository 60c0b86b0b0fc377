"""What runs inside a worker of the pool: its limits, its start, and the comparisons.

It answers one message after the other on its connection: first its pid, then None when it is ready (or a
`Failure` if it cannot start), then what each call returned, or the `Failure` of it. The last one is an
`WorkerExit`, from the fork server.
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
        reason: in words.
        rule: id of the rule under which the answer stays undecided.
    """

    reason: str
    rule: str


class WorkerDied(Failure):
    """The worker died before it answered: by the call's own doing, or killed by somebody else."""


@dataclass(frozen=True)
class WorkerExit:
    """The end of a worker: its exit code, -N after signal N; None where nobody knows it."""

    code: int | None = None


def serve(connection: Connection, parent: int) -> NoReturn:
    """The life of a worker, in a process just forked: answers what comes until the connection is closed.

    Args:
        connection: brings the stages and the memory limit, then calls: (function, arguments).
        parent: pid of the process whose end is the worker's end.
    """
    code = 1
    try:
        os.setpgid(0, 0)  # it is killed with the processes it may have started
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
    except Exception as error:  # whatever sympy raises: reported, never a score
        return Failure(f"{type(error).__name__}: {str(error)[:200]}", "undecided.error")


def start(stages: Sequence[str], memory_mb: int, parent: int) -> None:
    """Before the first call: limits first, then the stages, which the fork server has loaded.

    A stage that cannot compare two numbers is a fault of the installation, and the worker does not come up.

    Args:
        stages: modules with `compare(answer, gold) -> Outcome`.
        memory_mb: address space, in MiB.
        parent: pid of the process whose end is the worker's end.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a handler would wait for sympy's C code to return
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _die_with_parent(parent)
    _limit_memory(memory_mb)
    for stage in stages:
        import_module(stage)
        _ask(stage, *_TRIAL)


def compare_many(stage: str, pairs: Sequence[tuple[str, str]], timeout_s: float) -> list[Outcome | None]:
    """What `stage` decides of each (answer, gold); None where it cannot tell or raises."""
    with _self_destruct(timeout_s):
        return [_decided(stage, answer, gold) for answer, gold in pairs]


def compare_one(stages: Sequence[str], answer: str, gold: str, timeout_s: float) -> Outcome:
    """The first decision of the stages, else what the last one says. Raises what the last one raises."""
    with _self_destruct(timeout_s):
        for stage in stages[:-1]:
            if (outcome := _decided(stage, answer, gold)) is not None:
                return outcome
        return _ask(stages[-1], answer, gold)


def _decided(stage: str, answer: str, gold: str) -> Outcome | None:
    try:
        outcome = _ask(stage, answer, gold)
    except Exception:  # no score: the next stage is asked, and the last one's errors are reported
        return None
    return None if outcome.equal is None else outcome


def _ask(stage: str, answer: str, gold: str) -> Outcome:
    return cast(Outcome, sys.modules[stage].compare(answer, gold))


@contextmanager
def _self_destruct(timeout_s: float) -> Iterator[None]:
    """The kernel ends the worker if the parent is no longer there to do so."""
    signal.setitimer(signal.ITIMER_REAL, timeout_s + _SELF_DESTRUCT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _die_with_parent(parent: int) -> None:
    """A thread that ends the worker once the process that started the pool is gone.

    The worker's own parent is the fork server, and a fork of that process may hold a copy of the connection.
    Where a computation holds the interpreter lock the thread cannot run, and the timer of `_self_destruct`
    ends the worker.
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
