"""How to grade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lm_eval_ext.grading.extraction import Formats
from lm_eval_ext.grading.pipeline import STAGES
from lm_eval_ext.grading.types import Item, Verdict

_DAY_S = 86_400
_LEAST = {"workers": 1, "memory_mb": 512, "cache_size": 0, "judge_block": 1}
"""The least value of each whole number."""


class Judge(Protocol):
    """The last step. `lm_eval_ext.grading.judge.LlmJudge` is one."""

    def judge(self, items: Sequence[Item], verdicts: Sequence[Verdict]) -> list[Verdict]:
        """One verdict per item, given those of the steps before; those it was not asked about stay.

        It gets all items, and chooses what to ask. Where the judge is unreachable, `correct` is None.
        """
        ...


@dataclass(frozen=True)
class GraderConfig:
    """How to grade.

    Attributes:
        workers: worker processes; None: one per usable core, shared among the ranks that a launcher started
            on this host; a single one in a child of multiprocessing.
        timeout_s: seconds one comparison may take before its worker is killed; a day at most.
        memory_mb: address space of a worker, in MiB.
        cache_size: verdicts of workers kept from call to call.
        stages: modules whose `compare(answer, gold)` the workers call: the quick one, then the one that
            may hang.
        judge: the last step, if any.
        judge_block: how many items a stream gathers for the judge.
        thinking: (opening, closing) marks of thinking, besides the known formats.

    Raises ValueError for an impossible value.
    """

    workers: int | None = None
    timeout_s: float = 5.0
    memory_mb: int = 4096
    cache_size: int = 2**16
    stages: tuple[str, ...] = STAGES
    judge: Judge | None = None
    judge_block: int = 256
    thinking: Formats = ()

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if name == "workers" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
        seconds = self.timeout_s
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= _DAY_S:
            raise ValueError(f"timeout_s must be a number of seconds above 0, a day at most; got {seconds!r}")
        if isinstance(self.stages, str) or len(self.stages) != 2:
            raise ValueError(f"stages must be the names of two modules, got {self.stages!r}")
        if self.judge is not None and not callable(getattr(self.judge, "judge", None)):
            raise ValueError(f"judge must have a method `judge`, as LlmJudge has; got {self.judge!r}")
