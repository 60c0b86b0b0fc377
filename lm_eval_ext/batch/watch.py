"""Checkpoints that training writes, evaluated like the models of a plan as they become complete."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from glob import has_magic
from pathlib import Path

from lm_eval_ext import remote
from lm_eval_ext.batch.cells import Cell, cells_of
from lm_eval_ext.batch.job import LAUNCHER, Launcher
from lm_eval_ext.batch.models import at
from lm_eval_ext.batch.plan import ModelEntry, Plan
from lm_eval_ext.errors import UserError

STATE = "trainer_state.json"
"""The trainer writes it last."""
SETTLED_S = 2.0
"""Sizes must not change for so long: a network file system may show files before their content."""


@dataclass
class Watch:
    """Gives the scheduler the cells of checkpoints that are new.

    Polls, since file events do not cross network file systems.

    Attributes:
        pattern: of checkpoint folders: runs/*/checkpoint-*.
        poll_s: seconds between two looks at the pattern.
        until_step: stop after a checkpoint of this step or a later one.
        idle_s: stop when nothing ran and nothing came for so long.
    """

    plan: Plan
    pattern: str
    out: Path
    poll_s: float = 30.0
    until_step: int | None = None
    idle_s: float | None = None
    launcher: Launcher = LAUNCHER
    clock: Callable[[], float] = time.monotonic
    _known: set[str] = field(default_factory=set)
    _settling: dict[str, tuple[int, float]] = field(default_factory=dict)
    _last_look: float = float("-inf")
    _last_step: int = -1
    _busy: float = field(init=False)

    def __post_init__(self) -> None:
        if remote.is_remote(self.pattern) or not has_magic(self.pattern):
            raise UserError(
                f"--watch {self.pattern}: expected a local pattern, such as 'runs/*/checkpoint-*'"
            )
        self._busy = self.clock()

    def __call__(self, idle: bool) -> list[Cell] | None:
        """The cells of checkpoints that became complete; None once the watch has ended and all is idle."""
        now = self.clock()
        self._look(now)
        entry = self.plan.with_defaults(ModelEntry(path=self.pattern))
        models = [at(entry, path) for path in list(self._settling) if self._is_complete(path, now)]
        models.sort(key=lambda model: (model.step or 0, model.name))
        if models or not idle:
            self._busy = now
        self._last_step = max([self._last_step, *(model.step or 0 for model in models)])
        reached = self.until_step is not None and self._last_step >= self.until_step
        waited = self.idle_s is not None and now - self._busy >= self.idle_s
        if idle and not models and (reached or waited):
            return None
        return cells_of(self.plan, self.out, self.launcher, models)

    def _look(self, now: float) -> None:
        """Finds new checkpoints, every `poll_s` seconds."""
        if now - self._last_look >= self.poll_s:
            self._last_look = now
            for path in set(remote.matches(self.pattern)) - self._known - set(self._settling):
                self._settling[path] = (-1, now)

    def _is_complete(self, path: str, now: float) -> bool:
        """Whether `trainer_state.json` is there and the sizes have settled."""
        folder = Path(path)
        if not (folder / STATE).is_file():
            return False
        size, since = self._settling[path]
        if (current := _size(folder)) != size:
            self._settling[path] = (current, now)
            return False
        if now - since < min(SETTLED_S, self.poll_s):
            return False
        del self._settling[path]
        self._known.add(path)
        return True


def _size(folder: Path) -> int:
    try:
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    except OSError:  # a file was renamed meanwhile
        return -1
