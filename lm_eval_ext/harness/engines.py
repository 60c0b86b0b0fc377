"""vLLM's engine ends with the program that started it."""

from __future__ import annotations

import atexit
import multiprocessing

ENGINE = "EngineCore"
"""How the names of vLLM's engine processes begin."""


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
