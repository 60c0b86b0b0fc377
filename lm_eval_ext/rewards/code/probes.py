"""What a program can reach on this system, tried out."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

from lm_eval_ext.rewards.code.runner import Limits, Tests, run_all

_PROBES = {
    "connect to servers": "import socket; socket.create_connection(('127.0.0.1', {port}), 1)",
    "read the user's files": "open({file!r}).read()",
    "write to the user's files": "open({file!r}, 'w').close()",
    "see the environment of other processes": "open('/proc/{pid}/environ').read()",
    "send signals to other processes": "import os; os.kill({pid}, 0)",
    "start processes": "import os; os.fork() or os._exit(0)",
    "use more memory than allowed": "bytearray(2 * {memory})",
}
"""What -> statements that raise unless it can."""


def reachable() -> list[str]:
    """What a program can do and should not. Raises RuntimeError if no program runs."""
    limits = Limits()
    found = []
    with tempfile.NamedTemporaryFile() as file, socket.create_server(("127.0.0.1", 0)) as server:
        given = {"port": server.getsockname()[1], "file": str(Path(file.name).resolve()), "pid": os.getpid()}
        steps = [
            step.format(**given, memory=limits.memory_mb * 2**20) for step in ("pass", *_PROBES.values())
        ]
        jobs = [(f"{step}\ndef done(): return 1", Tests("assert done() == 1")) for step in steps]
        for what, outcome in zip(("", *_PROBES), run_all(jobs, limits), strict=True):
            if outcome.undecided or not (what or outcome.failure is None):
                raise RuntimeError(outcome.undecided or outcome.failure)
            if what and outcome.failure is None:
                found.append(what)
    return found
