"""Responses in, verdicts out: extraction and the cheap layers here, the rest in the killable pool."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tqdm import tqdm

from lm_eval_ext.grading import layers
from lm_eval_ext.grading.extract import extract
from lm_eval_ext.grading.pool import Failure, KillablePool, usable_cores
from lm_eval_ext.grading.verdict import Item, Verdict

Extractor = Callable[[str], str | None]


class Judge(Protocol):
    """The fourth layer: asked about what the others do not find equal."""

    def judge(self, items: Sequence[Item], verdicts: Sequence[Verdict]) -> list[Verdict]:
        """One verdict per item; an unreachable judge leaves `correct=None`."""
        ...


@dataclass(frozen=True)
class GraderConfig:
    """How to grade.

    Attributes:
        workers: symbolic worker processes; None: one per usable core.
        timeout_s: seconds one symbolic comparison may take before its worker is killed.
        memory_mb: address space of a worker, in MiB.
        judge: the fourth layer, if any.
    """

    workers: int | None = None
    timeout_s: float = 5.0
    memory_mb: int = 4096
    judge: Judge | None = None

    def __post_init__(self) -> None:
        assert self.workers is None or self.workers >= 1, f"workers must be at least 1, got {self.workers}"
        assert self.timeout_s > 0, f"timeout_s must be positive, got {self.timeout_s}"
        assert self.memory_mb >= 512, f"memory_mb must be at least 512, got {self.memory_mb}"


class Grader:
    """Grades responses. A context manager: leaving it ends the workers, which start when first needed.

    >>> with Grader() as grader:
    ...     grader.grade([Item(r"Final answer: $\\boxed{\\frac{2}{4}}$", "1/2")])[0].correct
    True
    """

    def __init__(self, config: GraderConfig | None = None) -> None:
        self.config = config or GraderConfig()
        self._pool: KillablePool | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the workers. The grader can be used again and starts new ones."""
        with self._lock:
            if self._pool is not None:
                self._pool.close()
                self._pool = None

    def grade(
        self, items: Sequence[Item], *, extractor: Extractor = extract, progress: str | None = None
    ) -> list[Verdict]:
        """One verdict per item, in order.

        Args:
            items: what to grade.
            extractor: from a response to its answer.
            progress: label of a progress bar on stderr; None for no bar.
        """
        answers = [extractor(item.response) for item in items]
        pairs = list(zip(answers, (item.gold for item in items), strict=True))
        decided = self._decide(dict.fromkeys(pairs), progress)
        verdicts = [decided[pair] for pair in pairs]
        return self._judged(items, verdicts)

    def equal(self, pairs: Iterable[tuple[str, str]]) -> list[Verdict]:
        """Verdicts on answers already extracted: (answer, gold) pairs, in order."""
        wanted = list(pairs)
        decided = self._decide(dict.fromkeys(wanted), None)
        return [decided[pair] for pair in wanted]

    def _decide(
        self, pairs: Iterable[tuple[str | None, str]], progress: str | None
    ) -> dict[tuple[str | None, str], Verdict]:
        """Each distinct (answer, gold) once: the cheap layers, then the pool."""
        decided: dict[tuple[str | None, str], Verdict] = {}
        left: list[tuple[str, str]] = []
        for answer, gold in pairs:
            verdict = _without_algebra(answer, gold)
            if verdict is not None:
                decided[answer, gold] = verdict
            elif answer is not None:
                left.append((answer, gold))
        bar = tqdm(total=len(decided) + len(left), desc=progress, disable=progress is None, unit="answer")
        with bar:
            bar.update(len(decided))
            for (answer, gold), verdict in zip(left, self._symbolic(left), strict=True):
                decided[answer, gold] = verdict
                bar.update()
        return decided

    def _symbolic(self, pairs: list[tuple[str, str]]) -> Iterable[Verdict]:
        if not pairs:
            return
        for (answer, _), outcome in zip(pairs, self._started_pool().compare(pairs), strict=True):
            if isinstance(outcome, Failure):
                yield Verdict(None, "none", answer, outcome.reason)
            else:
                equal, reason = outcome
                yield Verdict(equal, "none" if equal is None else "symbolic", answer, reason)

    def _started_pool(self) -> KillablePool:
        with self._lock:
            if self._pool is None:
                workers = self.config.workers or usable_cores()
                self._pool = KillablePool(workers, self.config.timeout_s, self.config.memory_mb)
            return self._pool

    def _judged(self, items: Sequence[Item], verdicts: list[Verdict]) -> list[Verdict]:
        """Answers that the layers leave undecided or unequal go to the judge, if there is one."""
        if self.config.judge is None:
            return verdicts
        asked = [i for i, v in enumerate(verdicts) if v.answer is not None and not v.correct]
        judged = self.config.judge.judge([items[i] for i in asked], [verdicts[i] for i in asked])
        assert len(judged) == len(asked), f"the judge returned {len(judged)} verdicts for {len(asked)}"
        for i, verdict in zip(asked, judged, strict=True):
            verdicts[i] = verdict
        return verdicts


def _without_algebra(answer: str | None, gold: str) -> Verdict | None:
    """What can be decided in the caller: no answer, no gold, or one of the cheap layers."""
    if answer is None:
        return Verdict(False, "none", None, "the response commits to no answer")
    if not isinstance(gold, str) or not gold.strip():
        return Verdict(None, "none", answer, f"the gold is empty: {gold!r}")
    return layers.decide(answer, gold)


_shared: tuple[int, Grader] | None = None
_shared_lock = threading.Lock()


def shared_grader() -> Grader:
    """The process's own grader with default settings, started when first used, closed at exit."""
    global _shared
    with _shared_lock:
        if _shared is None or _shared[0] != os.getpid():  # a forked child must not use its parent's pool
            _shared = (os.getpid(), Grader())
            atexit.register(_shared[1].close)
        return _shared[1]


def grade_one(response: str, gold: str) -> Verdict:
    """The verdict on one response, without a judge."""
    return shared_grader().grade([Item(response, gold)])[0]
