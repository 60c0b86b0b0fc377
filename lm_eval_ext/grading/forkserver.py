"""The fork server: a process that has the stages loaded, and forks workers on request in about 10 ms.

multiprocessing has one too, and its processes cannot be used here: a daemonic process (a DataLoader's, a
`multiprocessing.Pool`'s) may not start them, a child forked after the server started cannot reach it, a
child that ends waits for them for ever, and they run the caller's main script again. A subprocess and a
socket do without all of that, and end by themselves when the process that started them does.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from lm_eval_ext.grading import worker

_WATCH_S = 1.0


class ForkServer:
    """The server of this process, started when first needed and again when it died. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def fork(self, stages: Sequence[str], memory_mb: int) -> Connection:
        """A connection to a new worker (`worker.serve` says what comes through it). Does not wait for it."""
        ours, theirs = Pipe()
        with theirs, self._lock:
            try:
                self._hand_over(theirs)
            except OSError:  # not started, or dead
                self._start(stages)
                self._hand_over(theirs)
        with suppress(OSError):  # dead already, as whoever listens to the connection learns
            ours.send((stages, memory_mb))
        return ours

    def stop(self) -> None:
        """Ends the server; the next `fork` starts another. Workers live on."""
        with self._lock:
            self._stop()

    def _hand_over(self, connection: Connection) -> None:
        if self._control is None:
            raise ConnectionError("there is no fork server yet")
        socket.send_fds(self._control, [b"w"], [connection.fileno()])

    def _start(self, stages: Sequence[str]) -> None:
        """The first pool's stages are loaded in the server; those of a later one, in its workers."""
        self._stop()
        self._control, theirs = socket.socketpair()
        call = f"main({theirs.fileno()}, {os.getpid()}, {list(stages)!r})"
        program = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import main; {call}"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", program], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
            )
        atexit.unregister(self.stop)
        atexit.register(self.stop)

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None

    def forget(self) -> None:
        """In a forked child: the server is the parent's, and this process needs its own."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.returncode = 0  # not a child of this process: nothing to wait for
        self.__init__()  # type: ignore[misc]


SERVER = ForkServer()
os.register_at_fork(after_in_child=SERVER.forget)


def main(control_fd: int, parent: int, preload: Sequence[str]) -> None:
    """The server's program: a worker for each descriptor it gets, until the parent closes the socket or ends.

    It keeps a copy of each worker's connection and writes there how the worker ended.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # masks and ignored signals are inherited
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for module in preload:
        with suppress(Exception):  # the worker that needs it says so
            import_module(module)
    workers: dict[int, Connection] = {}

    def reap(*_: Any) -> None:
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                with suppress(OSError), workers.pop(ended[0]) as connection:
                    connection.send(worker.WorkerExit(os.waitstatus_to_exitcode(ended[1])))

    signal.signal(signal.SIGCHLD, reap)
    control = socket.socket(fileno=control_fd)
    control.settimeout(_WATCH_S)
    while os.getppid() == parent:
        try:
            message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        except TimeoutError:
            continue
        if not message:
            break
        connection = Connection(descriptors[0])
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])  # until the worker is on the list
        try:
            if (pid := os.fork()) == 0:
                control.close()
                for other in workers.values():
                    other.close()
                worker.serve(connection, parent)
            workers[pid] = connection
        except OSError:  # no process to be had: whoever waits sees the connection closed
            connection.close()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    os._exit(0)
