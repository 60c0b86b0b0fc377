"""Settings of the grader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lm_eval_ext.grading.extraction import Formats
from lm_eval_ext.grading.pipeline import STAGES
from lm_eval_ext.grading.tolerance import Tolerance
from lm_eval_ext.grading.types import Item, Verdict

_DAY_S = 86_400
_LEAST = {"workers": 1, "memory_mb": 512, "cache_size": 0, "judge_block": 1}
"""Minimum of each integer setting."""


class Judge(Protocol):
    """Interface of the last step, implemented by `lm_eval_ext.grading.judge.LlmJudge`."""

    def judge(self, items: Sequence[Item], verdicts: Sequence[Verdict]) -> list[Verdict]:
        """Returns one verdict per item, given the verdicts of the earlier steps.

        Receives all items and chooses which to ask about; other verdicts stay. If the judge is unreachable,
        `correct` is None.
        """
        ...


@dataclass(frozen=True)
class GraderConfig:
    """Settings of the grader.

    Attributes:
        workers: worker processes; None: one per usable core, divided among the launcher's ranks on this host;
            one in a child of multiprocessing.
        timeout_s: seconds before a comparison's worker is killed; at most a day.
        memory_mb: limit of a worker's address space, in MiB.
        cache_size: number of workers' verdicts kept between calls.
        stages: modules whose `compare(answer, gold)` the workers call: the quick one, then the one that
            may hang, for the pairs of which the first returns None.
        judge: the last step, if any.
        judge_block: number of items a stream collects before it asks the judge.
        thinking: additional (opening, closing) marks of thinking.
        tolerance: how far numbers may be from their golds, where an item does not say.

    Raises ValueError for an invalid value.
    """

    workers: int | None = None
    timeout_s: float = 5.0
    memory_mb: int = 4096
    cache_size: int = 2**16
    stages: tuple[str, ...] = STAGES
    judge: Judge | None = field(default=None, hash=False)
    judge_block: int = 256
    thinking: Formats = ()
    tolerance: Tolerance | None = None

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if name == "workers" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
        seconds = self.timeout_s
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= _DAY_S:
            raise ValueError(
                f"timeout_s must be a positive number of seconds, at most a day, got {seconds!r}"
            )
        if isinstance(self.stages, str) or len(self.stages) != 2:
            raise ValueError(f"stages must be the names of two modules, got {self.stages!r}")
        if self.judge is not None and not callable(getattr(self.judge, "judge", None)):
            raise ValueError(f"judge must have a method `judge`, as LlmJudge has; got {self.judge!r}")
