"""The machine a run was made on, described without loading torch."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lm_eval_ext.grading.cores import usable_cores

_FREE = 0.1
"""A GPU counts as free while less than this share of its memory is used."""


def hardware() -> dict[str, Any]:
    """CPU model, usable cores, memory in GiB, GPUs with their memory, system."""
    return {
        "cpu": cpu_model(),
        "cores": usable_cores(),
        "memory_gib": memory_gib(),
        "gpus": list(gpus()),
        "visible_gpus": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except OSError:
        return ""


def cpu_model() -> str:
    """Linux's name for the CPU, else Python's."""
    lines = _read("/proc/cpuinfo").splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


@lru_cache(maxsize=1)
def small_dtype() -> str:
    """`bfloat16`; `float32` on a CPU without bf16 products, where PyTorch is 20 times slower in bfloat16.

    They need AVX-512 on x86, bf16 instructions on Arm (torch: mkldnn_bf16_device_check).
    """
    flags = set(_read("/proc/cpuinfo").split())
    native = {"avx512bw", "avx512vl", "avx512dq"} <= flags or "bf16" in flags
    return "bfloat16" if gpus() or native or not flags else "float32"


def memory_gib() -> float:
    """Physical memory, or the control group's limit if lower."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _read("/sys/fs/cgroup/memory.max").strip()
    return round(min(total, int(limit) if limit.isdigit() else total) / 2**30, 1)


def model_options() -> tuple[str, ...]:
    """Options of `lm-eval-ext run` to suggest here: vLLM with a GPU, else transformers."""
    model, more = ("vllm", ",seed=42") if gpus() else ("hf", "")
    return "--model", model, "--model_args", f"pretrained=MODEL{more}"


@lru_cache(maxsize=1)
def gpus() -> tuple[str, ...]:
    """One line per GPU from the driver's own program; none without it."""
    return tuple(
        map(", ".join, _smi("--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"))
    )


@dataclass(frozen=True)
class GpuUse:
    """What a GPU is used for now, as the driver's program says.

    Attributes:
        used: MiB.
        busy: percent of the last second.
        holders: the processes that hold its memory; empty if they cannot be listed.
    """

    index: str
    uuid: str
    used: str
    total: str
    busy: str
    holders: Sequence[str] = ()

    @property
    def is_free(self) -> bool:
        """Whether less than a tenth of its memory is used."""
        return float(self.used) < _FREE * float(self.total)

    def __str__(self) -> str:
        held = ", ".join(self.holders) or "no process listed"
        return f"GPU {self.index}: {self.used} of {self.total} MiB, {self.busy}% busy, {held}"


def gpu_use() -> list[GpuUse]:
    """The visible GPUs; none without the driver's program."""
    plain = "--format=csv,noheader,nounits"
    holders: dict[str, list[str]] = {}
    for uuid, pid, name in _smi("--query-compute-apps=gpu_uuid,pid,process_name", plain):
        holders.setdefault(uuid, []).append(f"pid {pid} {name}")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    named = None if visible is None else {name.strip() for name in visible.split(",")}
    return [
        GpuUse(index, uuid, used, total, busy, holders.get(uuid, ()))
        for index, uuid, used, total, busy in _smi(
            "--query-gpu=index,uuid,memory.used,memory.total,utilization.gpu", plain
        )
        if named is None or {index, uuid} & named
    ]


def _smi(*options: str) -> list[list[str]]:
    """The rows of the driver's own program; none without it."""
    if shutil.which("nvidia-smi") is None:
        return []
    try:
        command = ["nvidia-smi", *options]
        said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [[part.strip() for part in line.split(",")] for line in said.splitlines() if line.strip()]
