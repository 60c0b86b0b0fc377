"""The fork server: a process with the stages loaded that forks a worker in about 10 ms.

It loads a stage when the first worker needs it: computer algebra takes a second that few calls need.

The fork server of multiprocessing does not work here: daemonic processes (of a DataLoader or a
`multiprocessing.Pool`) may not use it, a child forked later cannot reach it, a child that exits waits for
its workers forever, and workers run the caller's main script again. A subprocess with a socket has none of
these problems and ends with the process that started it.
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
    """This process's server, started when first needed and restarted if it dies. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def fork(self, stages: Sequence[str], count: int, memory_mb: int) -> Connection:
        """A connection to a new worker (see `worker.serve`) with so many of the stages.

        Does not wait for the worker to start.
        """
        ours, theirs = Pipe()
        with theirs, self._lock:
            try:
                self._hand_over(theirs, count)
            except OSError:  # not started, or dead
                self._start(stages)
                self._hand_over(theirs, count)
        with suppress(OSError):  # already dead; the closed connection shows it
            ours.send((stages[:count], memory_mb))
        return ours

    def stop(self) -> None:
        """Ends the server but not its workers; the next `fork` starts another server."""
        with self._lock:
            self._stop()

    def _hand_over(self, connection: Connection, count: int) -> None:
        if self._control is None:
            raise ConnectionError("there is no fork server yet")
        socket.send_fds(self._control, [bytes([count])], [connection.fileno()])

    def _start(self, stages: Sequence[str]) -> None:
        """Starts the server with the first pool's stages; workers of later pools load their own."""
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
        """In a forked child: drops the parent's server, so that this process starts its own."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.returncode = 0  # not a child of this process, so never wait for it
        self.__init__()  # type: ignore[misc]


SERVER = ForkServer()
os.register_at_fork(after_in_child=SERVER.forget)


def main(control_fd: int, parent: int, preload: Sequence[str]) -> None:
    """The server: forks a worker for each descriptor received, until the parent closes the socket or ends.

    It keeps a copy of each worker's connection and reports the worker's exit code there.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # masks and ignored signals are inherited
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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
        for module in preload[: message[0]]:
            with suppress(Exception):  # the worker that needs it reports the error
                import_module(module)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])  # until the worker is registered
        try:
            if (pid := os.fork()) == 0:
                control.close()
                for other in workers.values():
                    other.close()
                worker.serve(connection, parent)
            workers[pid] = connection
        except OSError:  # cannot fork; the pool sees the connection closed
            connection.close()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    os._exit(0)
