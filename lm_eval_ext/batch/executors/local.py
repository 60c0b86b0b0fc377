"""Jobs on this machine: one per GPU, or per group of cores."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lm_eval_ext.batch.executors.base import start
from lm_eval_ext.errors import UserError
from lm_eval_ext.harness import hardware

_GRACE_S = 10.0


@dataclass(frozen=True)
class Slot:
    """A GPU, or cores, for one job."""

    gpu: str | None = None
    cores: tuple[int, ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        if self.gpu is not None:
            return {"CUDA_VISIBLE_DEVICES": self.gpu}
        return {"OMP_NUM_THREADS": str(len(self.cores))}


@dataclass(frozen=True)
class LocalJob:
    """A running process and the slot that it holds."""

    process: subprocess.Popen[bytes]
    slot: Slot


class LocalExecutor:
    """A queue over GPUs, or over groups of cores where there are none.

    Args:
        gpus: indices or UUIDs; None: those that are free.
        cores: per job, without GPUs; None: all.

    Raises UserError if no GPU is free, or there are fewer cores.
    """

    name = "local"

    def __init__(self, gpus: Sequence[str] | None = None, cores: int | None = None) -> None:
        named = free_gpus() if gpus is None and cores is None else list(gpus or ())
        self._free = [Slot(gpu=gpu) for gpu in named] or core_slots(cores)
        self.slots = len(self._free)

    def submit(self, folder: Path) -> LocalJob:
        slot = self._free.pop(0)
        process = start(folder, slot.environment)
        if slot.cores:
            with suppress(OSError, AttributeError):  # ended already, or a system without affinity
                os.sched_setaffinity(process.pid, slot.cores)
        return LocalJob(process, slot)

    def poll(self, job: LocalJob) -> int | None:
        code = job.process.poll()
        if code is not None and job.slot not in self._free:
            self._free.append(job.slot)
        return code

    def cancel(self, job: LocalJob) -> None:
        end_group(job.process)
        self.poll(job)

    def close(self) -> None:
        """There is nothing to free."""


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and its children: asks first, kills after ten seconds."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)


def core_slots(cores: int | None) -> list[Slot]:
    """Groups of this many of the usable cores. Raises UserError if there are fewer."""
    usable = (
        sorted(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else list(range(os.cpu_count() or 1))
    )
    each = cores or len(usable)
    if each > len(usable):
        raise UserError(f"--cores {each}: this process may use {len(usable)}")
    starts = range(0, len(usable) - each + 1, each)
    return [Slot(cores=tuple(usable[first : first + each])) for first in starts]


def free_gpus() -> list[str]:
    """The visible GPUs whose memory is unused; empty without GPUs.

    Raises UserError if all are in use; it names the processes that hold their memory.
    """
    found = hardware.gpu_use()
    free = [gpu.index for gpu in found if gpu.is_free]
    if found and not free:
        raise UserError(
            f"no GPU is free ({'; '.join(map(str, found))}): wait, end what runs there (a process that stays "
            "at 0% was perhaps left behind), or name some: --gpus, CUDA_VISIBLE_DEVICES"
        )
    return free
