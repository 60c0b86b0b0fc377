"""Jobs on Slurm through submitit: one Slurm job per cell."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lm_eval_ext.batch.executors.base import MANY, run_here
from lm_eval_ext.batch.executors.local import core_slots
from lm_eval_ext.errors import UserError, required

_LOST = 1
TIMEOUT_MIN = 480
"""Unless `time` or `timeout_min` is given; submitit's own is 5."""


class SlurmExecutor:
    """One job per cell, with one GPU, or with `cores` CPUs and none.

    Args:
        folder: for submitit's files; all nodes must see it.
        options: of Slurm by submitit's names: partition, account, time (minutes), mem_gb, ...
        cluster: submitit's executor: slurm, or local to run the jobs on this machine.

    Raises UserError without submitit, without Slurm, or for an option that submitit does not know.
    """

    name = "slurm"

    def __init__(
        self, folder: Path, options: Mapping[str, Any], cores: int | None = None, cluster: str = "slurm"
    ) -> None:
        submitit = required("submitit", "--on slurm", "slurm")
        # submitit's local executor starts everything at once
        self.slots = MANY if cluster == "slurm" else len(core_slots(cores))
        self._environment = {"OMP_NUM_THREADS": str(cores)} if cores else {}
        own = {"cpus_per_task": cores} if cores else {"gpus_per_node": 1 if cluster == "slurm" else 0}
        try:
            self._executor = submitit.AutoExecutor(folder=str(folder), cluster=cluster)
            given = {"name": "lm-eval-ext", "timeout_min": TIMEOUT_MIN, **own, **_named(options)}
            self._executor.update_parameters(**given)
        except (RuntimeError, NameError, TypeError, ValueError) as error:
            raise UserError(f"--on slurm: {' '.join(str(error).split())}") from error

    def submit(self, folder: Path) -> Any:
        try:
            return self._executor.submit(run_here, str(folder), self._environment, os.getcwd())
        except RuntimeError as error:  # what sbatch said
            raise UserError(f"--on slurm: {' '.join(str(error).split())}") from error

    def poll(self, job: Any) -> int | None:
        if not job.done():
            return None
        error = job.exception()
        return int(job.result()) if error is None else _LOST

    def cancel(self, job: Any) -> None:
        job.cancel(check=False)

    def close(self) -> None:
        """Slurm keeps what is queued; `cancel` ended it."""


def _named(options: Mapping[str, Any]) -> dict[str, Any]:
    shared = ("timeout_min", "mem_gb", "cpus_per_task", "gpus_per_node", "nodes", "stderr_to_stdout", "name")
    names = {
        name: name if name in shared or name.startswith("slurm_") else f"slurm_{name}" for name in options
    }
    return {names[name]: int(v) if str(v).isdecimal() else v for name, v in options.items()}
