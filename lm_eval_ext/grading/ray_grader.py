"""Grade on a Ray cluster: batches of items to one grader per worker process, verdicts in the items' order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, TypeVar

from lm_eval_ext.errors import UserError
from lm_eval_ext.grading.config import GraderConfig
from lm_eval_ext.grading.grader import Grader
from lm_eval_ext.grading.types import Item, Verdict

AnItem = TypeVar("AnItem", bound=Item)
_BATCH = 1000
_BATCH_CHARS = 2**22
_AHEAD = 3
"""Batches that are submitted per CPU: Ray starts the next while the first is awaited."""


class RayGrader:
    """Grades a stream on every CPU of a cluster; a batch whose node dies is graded on another.

    Args:
        ray: the module, connected to a cluster, see `lm_eval_ext.cluster.joined`.
        config: without a judge, whose budget and limits are those of one process.
    """

    def __init__(self, ray: Any, config: GraderConfig) -> None:
        if config.judge is not None:
            raise UserError(
                "--on ray with --judge: a judge has one process; grade with the judge on one machine"
            )
        self.config = config
        self._ray = ray
        self._grade = ray.remote(num_cpus=1, max_retries=-1)(_graded)

    def stream(
        self, items: Iterable[AnItem], *, size: Callable[[AnItem], int] = lambda item: len(item.response)
    ) -> Iterator[Verdict]:
        """Yields one verdict per item, in order. Reads a few batches per CPU ahead."""
        waiting: deque[Any] = deque()
        most = _AHEAD * max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        for batch in _batches(items, size):
            waiting.append(self._grade.remote(self.config, batch))
            if len(waiting) > most:
                yield from self._ray.get(waiting.popleft())
        while waiting:
            yield from self._ray.get(waiting.popleft())


def _batches(items: Iterable[AnItem], size: Callable[[AnItem], int]) -> Iterator[list[Item]]:
    batch, chars = list[Item](), 0
    for item in items:
        batch.append(Item(item.response, item.gold, item.problem))
        chars += size(item)
        if len(batch) == _BATCH or chars > _BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


def _graded(config: GraderConfig, items: list[Item]) -> list[Verdict]:
    return _grader(config, os.getpid()).grade(items)


@lru_cache(maxsize=1)
def _grader(config: GraderConfig, process: int) -> Grader:
    return Grader(config)
