"""Requests cut into chunks at fixed places.

Greedy outputs in half precision depend on which requests are computed together, so a chunk is generated as a
whole or not at all, and its place depends only on its task: not on other tasks, nor on where an earlier run
stopped.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lm_eval.api.instance import Instance

from lm_eval_ext.harness.weights import digest
from lm_eval_ext.redaction import redacted


@dataclass(frozen=True)
class Chunk:
    """Neighbouring requests of one task and one repeat, generated together.

    Attributes:
        repeat: which of the K responses of a document; 0 unless there are repeats.
        index: number of the chunk within its task and repeat.
        positions: of the requests among all requests of the run.
        requests: in the order of the documents.
    """

    task: str
    repeat: int
    index: int
    positions: list[int]
    requests: list[Instance]

    @property
    def prompts(self) -> list[str]:
        """What the model gets, exemplars and chat template included."""
        return [str(request.args[0]) for request in self.requests]

    @cached_property
    def generation(self) -> list[dict[str, Any]]:
        """The distinct generation settings, nearly always one."""
        settings = [redacted(dict(request.args[1])) for request in self.requests]
        return list({digest(one): one for one in settings}.values())

    @cached_property
    def key(self) -> str:
        """SHA-256 over prompts, generation settings and repeat, which decide the responses."""
        asked = [[str(request.args[0]), redacted(request.args[1])] for request in self.requests]
        return digest({"requests": asked, "repeat": self.repeat})

    @property
    def name(self) -> str:
        """Readable and unique in a store; begins with the place, so that files sort in order."""
        return f"{self.place}.{self.key[:16]}"

    @property
    def place(self) -> str:
        """Task, repeat and number, with which a file's name begins."""
        task = re.sub(r"[^\w-]", "_", self.task)
        return f"{task}.repeat{self.repeat}.chunk{self.index:05d}"


def cut(requests: Sequence[Instance], size: int) -> list[Chunk]:
    """Chunks of up to `size` requests per task and repeat, in the order of the requests.

    lm-eval passes a request that is to be repeated several times in a row.
    """
    rows: dict[tuple[str, int], list[int]] = {}
    seen: dict[int, int] = {}
    for position, request in enumerate(requests):
        repeat = seen.get(id(request), 0)
        seen[id(request)] = repeat + 1
        rows.setdefault((str(request.task_name), repeat), []).append(position)
    return [
        Chunk(task, repeat, index, part := row[start : start + size], [requests[i] for i in part])
        for (task, repeat), row in rows.items()
        for index, start in enumerate(range(0, len(row), size))
    ]


def with_settings(request: Instance, **settings: Any) -> Instance:
    """A copy of the request with some generation settings replaced."""
    prompt, generation, *rest = request.args
    copied = copy.copy(request)
    copied.arguments = (prompt, {**copy.deepcopy(generation), **settings}, *rest)
    return copied


def is_sampled(generation: Mapping[str, Any]) -> bool:
    """Whether responses are drawn at random, as lm-eval reads its settings."""
    return generation.get("do_sample") is not False and float(generation.get("temperature") or 0) > 0
