"""Where jobs run: this machine, Ray, Slurm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lm_eval_ext.batch.executors.base import Executor
from lm_eval_ext.errors import UserError

_OF = {"gpus": "local", "address": "ray", "slurm": "slurm"}
"""Option -> the place that it is for."""


def opened(
    on: str,
    out: Path,
    cores: int | None,
    *,
    gpus: str | None = None,
    address: str | None = None,
    slurm: Sequence[str] = (),
    submitit: str = "slurm",
) -> Executor:
    """The executor for `--on` and its options. Raises UserError for the options of another."""
    given = {"gpus": gpus, "address": address, "slurm": slurm}
    if wrong := next((name for name, value in given.items() if value and _OF[name] != on), None):
        raise UserError(f"the options of --on {_OF[wrong]} with --on {on}: leave them out, or change --on")
    if on == "local":
        from lm_eval_ext.batch.executors.local import LocalExecutor

        return LocalExecutor(gpus.split(",") if gpus else None, cores)
    if on == "ray":
        from lm_eval_ext.batch.executors.ray_cluster import RayExecutor

        return RayExecutor(address, cores)
    from lm_eval_ext.batch.executors.slurm import SlurmExecutor

    if wrong := next((text for text in slurm if "=" not in text), None):
        raise UserError(f"--slurm {wrong}: expected KEY=VALUE, such as time=240")
    pairs = (text.partition("=") for text in slurm)
    return SlurmExecutor(out / "slurm", {key: value for key, _, value in pairs}, cores, submitit)
