"""The machine a run was made on, found without loading torch."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

from lm_eval_ext.grading.pool import usable_cores


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


def cpu_model() -> str:
    """As Linux names it, else as Python does."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


@lru_cache(maxsize=1)
def small_dtype() -> str:
    """`bfloat16`; `float32` on a CPU that cannot multiply it, where PyTorch takes 20 times as long for it.

    Its matrix products want AVX-512 on x86, bf16 instructions on Arm (torch: mkldnn_bf16_device_check).
    """
    if gpus():
        return "bfloat16"
    try:
        flags = set(Path("/proc/cpuinfo").read_text("utf-8").split())
    except OSError:
        return "bfloat16"
    native = {"avx512bw", "avx512vl", "avx512dq"} <= flags or "bf16" in flags
    return "bfloat16" if native else "float32"


def memory_gib() -> float:
    """Physical memory, or what the control group allows where that is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text("utf-8").strip()
    except OSError:
        limit = "max"
    return round(min(total, int(limit) if limit.isdigit() else total) / 2**30, 1)


@lru_cache(maxsize=1)
def gpus() -> tuple[str, ...]:
    """One line a GPU, as the driver's own program names it; none without that program."""
    if shutil.which("nvidia-smi") is None:
        return ()
    command = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip() for line in told.stdout.splitlines() if line.strip())
