"""vLLM's engine: what it starts under on a CPU, and that it ends with the program that started it."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import sys

from lm_eval_ext.grading.pool import usable_cores
from lm_eval_ext.harness.hardware import gpus

PLUGIN = "lm_eval_ext"
"""How vLLM knows `settle_lm_eval`."""
ENGINE = "EngineCore"
"""How the names of vLLM's engine processes begin."""


def settle_on_cpu() -> None:
    """Sets `on_cpu` for this process where nothing else is set; to be called before torch is loaded."""
    for name, value in on_cpu().items():
        os.environ.setdefault(name, value)


def on_cpu() -> dict[str, str]:
    """Environment under which vLLM is at its best without a GPU; nothing where there is one.

    It runs in this process, in place of three that each import all of it, and computes on every core: by
    itself it leaves one to its scheduler, and binds engines that run at once to the same ones. The texts are
    the same. (200 problems, SmolLM2-135M, two cores: 81 s and not 150 s; generating, 24 s and not 38 s.)
    """
    if gpus():
        return {}
    return {
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "VLLM_CPU_KVCACHE_SPACE": "2",  # GiB
        "OMP_NUM_THREADS": str(usable_cores()),
    }


def settle_lm_eval() -> None:
    """`settle_on_cpu` where lm_eval runs: vLLM calls it as a plugin, before it makes an engine.

    Plain `lm_eval` builds its model before it imports the code of any task. Other programs that use vLLM are
    left alone.
    """
    if "lm_eval" in sys.modules:
        settle_on_cpu()


def end_at_exit() -> None:
    """Ends engines when Python exits; to be called once they run.

    vLLM leaves that to a finalizer, which runs before multiprocessing waits for its children only if nothing
    made a finalizer before multiprocessing was imported. filelock (3.32) does, and lm_eval, its table
    printed, then waits for ever. What is registered last runs first: this, before either.
    """
    atexit.unregister(_end)
    atexit.register(_end)


def _end() -> None:
    for child in multiprocessing.active_children():
        if child.name.startswith(ENGINE):
            child.terminate()
