"""Memory of a process and of all that it has started."""

from __future__ import annotations

from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Memory:
    """Resident memory in MiB; pages that processes share count for each of them: an upper bound.

    Attributes:
        own: of the process itself.
        children: of all processes below it, together.
    """

    own: float
    children: float

    @property
    def total(self) -> float:
        """Both, in MiB."""
        return self.own + self.children


def memory(pid: int | None = None) -> Memory:
    """What process `pid` (this one by default) and its descendants take now; nothing if it has ended."""
    try:
        process = psutil.Process(pid)
        return Memory(_resident(process), sum(map(_resident, process.children(recursive=True))))
    except psutil.NoSuchProcess:
        return Memory(0.0, 0.0)


def _resident(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / 2**20
    except psutil.NoSuchProcess:
        return 0.0
