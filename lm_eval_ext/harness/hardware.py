"""The machine a run was made on, described without loading torch."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

from lm_eval_ext.grading.cores import usable_cores


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


@lru_cache(maxsize=1)
def gpus() -> tuple[str, ...]:
    """One line per GPU from the driver's own program; none without it."""
    if shutil.which("nvidia-smi") is None:
        return ()
    command = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip() for line in listed.stdout.splitlines() if line.strip())
