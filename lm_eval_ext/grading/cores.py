"""How many cores this process may use."""

from __future__ import annotations

import multiprocessing
import os

_LOCAL_RANKS = ("LOCAL_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS")
_forked = False


def _note_fork() -> None:
    global _forked
    _forked = True


os.register_at_fork(after_in_child=_note_fork)


def usable_cores() -> int:
    """Cores this process may use; respects CPU affinity where the system supports it."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share_of(cores: int) -> int:
    """This process's share of the host's cores, by the number of local ranks that the launcher set.

    Without a launcher, a forked process or a child of multiprocessing takes one core.
    """
    for name in _LOCAL_RANKS:
        if os.environ.get(name, "").isdigit():
            return max(1, cores // max(1, int(os.environ[name])))
    return 1 if _forked or multiprocessing.parent_process() is not None else cores
