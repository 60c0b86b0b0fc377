"""Jobs on a Ray cluster: one task per cell.

All nodes need one file system at the same path, and this package in the workers' Python. If a node dies, Ray
starts its tasks again on another one; their cells resume from their stores.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lm_eval_ext.batch.executors.base import MANY, forwarded, run_here
from lm_eval_ext.cluster import joined
from lm_eval_ext.errors import UserError

_NODE_DIED = 1


class RayExecutor:
    """One task per cell, with one GPU, or with `cores` CPUs and none.

    Args:
        address: of the cluster; None: the one that RAY_ADDRESS or this machine has, else a new one here.
        retries: how often Ray starts a task again whose node died.

    Raises UserError without Ray, or without `cores` where the cluster has no GPU.
    """

    name = "ray"
    slots = MANY

    def __init__(self, address: str | None = None, cores: int | None = None, retries: int = 3) -> None:
        with ExitStack() as stack:
            self._ray = stack.enter_context(joined(address))
            if cores is None and not self._ray.cluster_resources().get("GPU"):
                raise UserError("--on ray: the cluster has no GPU; give --cores N to evaluate on CPUs")
            needs = {"num_gpus": 1} if cores is None else {"num_cpus": cores}
            self._run = self._ray.remote(max_retries=retries, **needs)(run_here)
            self._joined = stack.pop_all()

    def submit(self, folder: Path) -> Any:
        return self._run.remote(str(folder), forwarded(), os.getcwd())

    def poll(self, job: Any) -> int | None:
        ready, _ = self._ray.wait([job], timeout=0)
        if not ready:
            return None
        try:
            return int(self._ray.get(job))
        except self._ray.exceptions.RayError:
            return _NODE_DIED

    def cancel(self, job: Any) -> None:
        self._ray.cancel(job, force=True)

    def close(self) -> None:
        """Leaves the cluster, unless the caller had joined it."""
        self._joined.close()
