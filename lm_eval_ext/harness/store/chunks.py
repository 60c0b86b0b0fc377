"""Requests cut into chunks at fixed places.

Greedy outputs in half precision depend on which requests are computed together, so a chunk is generated
whole or not at all, and where it is cut depends on its task alone: not on the other tasks, nor on where an
earlier run stopped.
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lm_eval.api.instance import Instance

from lm_eval_ext.harness.identity import digest
from lm_eval_ext.redaction import redacted


@dataclass(frozen=True)
class Chunk:
    """Neighbouring requests of one task and one repeat, generated together.

    Attributes:
        task: name of the task.
        repeat: which of the K responses of a document; 0 unless there are repeats.
        index: which chunk of the task and repeat.
        requests: (position among all requests, request), in the order of the documents.
    """

    task: str
    repeat: int
    index: int
    requests: tuple[tuple[int, Instance], ...]

    @property
    def positions(self) -> list[int]:
        """Where the responses go among those of all requests."""
        return [position for position, _ in self.requests]

    @property
    def prompts(self) -> list[str]:
        """What the model gets, exemplars and chat template included."""
        return [str(instance.args[0]) for _, instance in self.requests]

    @cached_property
    def generation(self) -> list[dict[str, Any]]:
        """The distinct generation settings, nearly always one."""
        found: dict[str, dict[str, Any]] = {}
        for _, instance in self.requests:
            settings = redacted(dict(instance.args[1]))
            found.setdefault(digest(settings), settings)
        return list(found.values())

    @cached_property
    def key(self) -> str:
        """SHA-256 over prompts, generation settings and repeat: what else the responses depend on."""
        asked = [[str(i.args[0]), redacted(i.args[1])] for _, i in self.requests]
        return digest({"requests": asked, "repeat": self.repeat})

    @property
    def name(self) -> str:
        """Readable and unique in a store; the place comes first, so that files sort in order."""
        return f"{self.place}.{self.key[:16]}"

    @property
    def place(self) -> str:
        """Task, repeat and number, as a file name begins."""
        task = re.sub(r"[^\w-]", "_", self.task)
        return f"{task}.repeat{self.repeat}.chunk{self.index:05d}"


def cut(requests: Sequence[Instance], size: int) -> list[Chunk]:
    """Chunks of up to `size` requests per task and repeat, in the order of the requests.

    lm-eval passes a request that is to be repeated several times in a row.
    """
    rows: dict[tuple[str, int], list[tuple[int, Instance]]] = {}
    seen: dict[int, int] = {}
    for position, instance in enumerate(requests):
        repeat = seen.get(id(instance), 0)
        seen[id(instance)] = repeat + 1
        rows.setdefault((str(instance.task_name), repeat), []).append((position, instance))
    return [
        Chunk(task, repeat, index, tuple(row[start : start + size]))
        for (task, repeat), row in rows.items()
        for index, start in enumerate(range(0, len(row), size))
    ]


def seed_of(*parts: Any) -> int:
    """A seed of 31 bits that depends on all parts, and on nothing else."""
    return int.from_bytes(hashlib.sha256(digest(parts).encode()).digest()[:4], "big") >> 1


def with_settings(instance: Instance, **settings: Any) -> Instance:
    """A copy of the request with some generation settings replaced; the request keeps its own."""
    prompt, generation, *rest = instance.args
    return Instance(
        request_type=instance.request_type,
        doc=instance.doc,
        arguments=(prompt, {**copy.deepcopy(generation), **settings}, *rest),
        idx=instance.idx,
        metadata=instance.metadata,
    )


def samples(generation: Mapping[str, Any]) -> bool:
    """Whether responses are drawn at random, as lm-eval reads its settings."""
    return generation.get("do_sample") is not False and float(generation.get("temperature") or 0) > 0
