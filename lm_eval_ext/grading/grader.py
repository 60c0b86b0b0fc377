"""Responses in, verdicts out: extraction and the cheap layers here, the rest in the killable pool."""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from tqdm import tqdm

from lm_eval_ext.grading import choices, layers
from lm_eval_ext.grading.cache import Memory, Pending
from lm_eval_ext.grading.extraction import Extractor as Reader
from lm_eval_ext.grading.extraction import Formats, extract
from lm_eval_ext.grading.golds import Gold, GoldError, acceptable
from lm_eval_ext.grading.pool import STAGES, KillablePool, share_of, usable_cores
from lm_eval_ext.grading.types import VALUES_DIFFER, Item, Verdict

Extractor = Callable[[str], str | None]
AnItem = TypeVar("AnItem", bound=Item)
_WINDOW_PER_WORKER = 4096
"""Verdicts under way at most, per worker: the others have work while one of them hangs for seconds."""
_WINDOW_CHARS = 64 * 2**20
_DAY_S = 86_400


class Judge(Protocol):
    """The fourth layer. `lm_eval_ext.grading.judge.LlmJudge` is one."""

    def judge(self, items: Sequence[Item], verdicts: Sequence[Verdict]) -> list[Verdict]:
        """One verdict per item, given those of the layers; what it was not asked stays as it is.

        It gets all items, and chooses what to ask. Unreachable, it leaves `correct=None`.
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
        cache_size: verdicts remembered from call to call.
        stages: modules whose `compare(answer, gold)` the workers ask: the quick one, then the one that
            may hang.
        judge: the fourth layer, if any.
        judge_block: how many items a stream gathers for the judge.
        thinking: (opening, closing) marks of thinking, besides the formats that are known.
    """

    workers: int | None = None
    timeout_s: float = 5.0
    memory_mb: int = 4096
    cache_size: int = 2**16
    stages: tuple[str, str] = STAGES
    judge: Judge | None = None
    judge_block: int = 256
    thinking: Formats = ()

    def __post_init__(self) -> None:
        """Raises ValueError for a value that cannot be."""
        if self.workers is not None:
            _check_whole("workers", self.workers, 1)
        _check_whole("memory_mb", self.memory_mb, 512)
        _check_whole("cache_size", self.cache_size, 0)
        _check_whole("judge_block", self.judge_block, 1)
        seconds = self.timeout_s
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= _DAY_S:
            raise ValueError(f"timeout_s must be a number of seconds above 0, a day at most; got {seconds!r}")
        if isinstance(self.stages, str) or len(self.stages) != 2:
            raise ValueError(f"stages must be the names of two modules, got {self.stages!r}")
        if self.judge is not None and not callable(getattr(self.judge, "judge", None)):
            raise ValueError(f"judge must have a method `judge`, as LlmJudge has; got {self.judge!r}")


def _check_whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")


class Grader:
    """Grades responses. A context manager: leaving it ends the workers, which start when first needed.

    Thread safe. A pickled or forked copy starts its own workers, in any kind of child process.

    >>> with Grader() as grader:
    ...     grader.grade([Item(r"Final answer: $\\boxed{\\frac{2}{4}}$", "1/2")])[0].correct
    True
    """

    def __init__(self, config: GraderConfig | None = None) -> None:
        self.config = config or GraderConfig()
        self._pool: KillablePool | None = None
        self._memory = Memory(self.config.cache_size)
        self._lock = threading.Lock()
        _graders.add(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"config": self.config}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["config"])  # type: ignore[misc]

    def _forget_parent(self) -> None:
        """In a forked child: threads that held locks or worked for this grader are not here."""
        if self._pool is not None:
            self._pool.forget()
        self.__init__(self.config)  # type: ignore[misc]

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

    def stream(
        self,
        items: Iterable[AnItem],
        *,
        extractor: Extractor = extract,
        size: Callable[[AnItem], int] = lambda item: len(item.response),
    ) -> Iterator[Verdict]:
        """One verdict per item, in order, each as soon as it and those before it are there.

        Items are read as verdicts are taken, ahead of them by a bounded window, so that any number of them
        takes no more memory than a few thousand. A judge gets them in blocks of `judge_block`, and verdicts
        come block by block.

        Args:
            items: what to grade.
            extractor: from a response to its answer.
            size: what an item that awaits its verdict takes in memory, in characters; 64 Mi of them fill
                the window.

        Raises RuntimeError if the workers cannot start or are closed, and what the judge raises.
        """
        if self.config.judge is None:
            return self._verdicts(self._asked(item, extractor, size(item)) for item in items)
        return self._in_blocks(items, extractor, size)

    def _in_blocks(
        self, items: Iterable[AnItem], extractor: Extractor, size: Callable[[AnItem], int]
    ) -> Iterator[Verdict]:
        """Verdicts through the judge, a block at a time."""
        ahead: deque[AnItem] = deque()

        def asked() -> Iterator[_Asked]:
            for item in items:
                ahead.append(item)
                yield self._asked(item, extractor, size(item))

        block: list[AnItem] = []
        verdicts: list[Verdict] = []
        chars = 0
        for verdict in self._verdicts(asked()):
            block.append(ahead.popleft())
            verdicts.append(verdict)
            chars += size(block[-1])
            if len(block) == self.config.judge_block or chars > _WINDOW_CHARS:
                yield from self._judged(block, verdicts)
                block, verdicts, chars = [], [], 0
        yield from self._judged(block, verdicts)

    def grade(
        self, items: Sequence[Item], *, extractor: Extractor = extract, progress: str | None = None
    ) -> list[Verdict]:
        """One verdict per item, in order.

        Args:
            items: what to grade.
            extractor: from a response to its answer.
            progress: label of a progress bar on stderr; None for no bar.
        """
        verdicts: Iterable[Verdict] = self._verdicts(self._asked(item, extractor) for item in items)
        if progress is not None:  # a bar brings a semaphore, which a child that is killed would leave behind
            verdicts = tqdm(verdicts, total=len(items), desc=progress, unit="answer")
        return self._judged(items, list(verdicts))

    def equal(self, pairs: Iterable[tuple[str, str]]) -> list[Verdict]:
        """Verdicts on answers already extracted: (answer, gold) pairs, in order."""
        return list(self._verdicts(_Asked(answer, gold) for answer, gold in pairs))

    def _asked(self, item: Item, extractor: Extractor, size: int = 0) -> _Asked:
        if not isinstance(extractor, Reader):
            return _Asked(extractor(item.response), item.gold, item.problem, size)
        found = extractor.with_thinking(self.config.thinking).find(item.response)
        answer, reading = (found.text, found.reading) if found else (None, None)
        return _Asked(answer, item.gold, item.problem, size, reading)

    def _verdicts(self, questions: Iterable[_Asked]) -> Iterator[Verdict]:
        """Verdicts in order, through a window."""
        call = object()
        window: deque[tuple[_Begun, _Asked]] = deque()
        chars, most = 0, _WINDOW_PER_WORKER * self._workers()
        try:
            for asked in questions:
                window.append((self._begin(asked, call), asked))
                chars += asked.size
                while window and (len(window) > most or chars > _WINDOW_CHARS or _is_there(window[0][0])):
                    verdict = self._await(*window[0])
                    chars -= window.popleft()[1].size
                    yield verdict
            while window:
                verdict = self._await(*window[0])
                window.popleft()
                yield verdict
        finally:
            for begun, _ in window:
                for one in begun:
                    if isinstance(one, Pending):
                        self._memory.abandon(one)

    def _begin(self, asked: _Asked, call: object) -> _Begun:
        """For each acceptable answer the verdict of what needs no worker, else the verdict under way."""
        if asked.answer is None:
            return (Verdict(False, "none", None, "the response commits to no answer"),)
        try:
            golds = acceptable(asked.gold)
        except GoldError as error:
            return (Verdict(None, "none", asked.answer, str(error)),)
        return tuple(self._begin_one(asked.answer, gold, asked.problem, call) for gold in golds)

    def _begin_one(self, answer: str, gold: str, problem: str | None, call: object) -> Verdict | Pending:
        if (verdict := choices.decide(answer, gold, problem)) is not None:
            return verdict
        pair = answer, choices.option_text(gold, problem)
        if (known := self._memory.find(pair, call)) is not None:
            return known
        if (verdict := layers.decide(*pair)) is not None:
            self._memory.keep(pair, verdict)
            return verdict
        return self._memory.begin(pair, self._started_pool().submit, call)

    def _await(self, begun: _Begun, asked: _Asked) -> Verdict:
        """Right if one of the acceptable answers is met, else undecided if one is, else wrong.

        Of several that differ, the one that a judge may still be asked about.
        """
        verdicts = [self._await_one(one) for one in begun]
        verdict = max(verdicts, key=lambda v: (v.correct is True, v.correct is None, v.rule != VALUES_DIFFER))
        return replace(verdict, extraction=asked.reading) if asked.reading else verdict

    def _await_one(self, begun: Verdict | Pending) -> Verdict:
        if isinstance(begun, Verdict):
            return begun
        pool = self._pool
        if pool is not None and not begun.slot.done():
            pool.hurry()
        return begun.verdict()

    def _workers(self) -> int:
        return self.config.workers or share_of(usable_cores())

    def _started_pool(self) -> KillablePool:
        with self._lock:
            if self._pool is None or self._pool.broken:
                self._pool = KillablePool(
                    self._workers(), self.config.timeout_s, self.config.memory_mb, self.config.stages
                )
            return self._pool

    def _judged(self, items: Sequence[Item], verdicts: list[Verdict]) -> list[Verdict]:
        """The verdicts once the judge has seen them, if there is one."""
        if self.config.judge is None:
            return verdicts
        judged = self.config.judge.judge(items, verdicts)
        assert len(judged) == len(verdicts), f"the judge returned {len(judged)} verdicts for {len(verdicts)}"
        return [replace(now, extraction=v.extraction) for now, v in zip(judged, verdicts, strict=True)]


@dataclass(frozen=True)
class _Asked:
    """What is compared, what its answer was found by, and what awaits the verdict, in characters (`size`)."""

    answer: str | None
    gold: Gold
    problem: str | None = None
    size: int = 0
    reading: str | None = None


_Begun = tuple[Verdict | Pending, ...]
"""The verdict on each acceptable answer, there or under way."""


def _is_there(begun: _Begun) -> bool:
    return all(isinstance(one, Verdict) or one.slot.done() for one in begun)


_graders: weakref.WeakSet[Grader] = weakref.WeakSet()


def _forget_parent() -> None:
    for grader in list(_graders):
        grader._forget_parent()


os.register_at_fork(after_in_child=_forget_parent)
_shared = Grader()


def shared_grader() -> Grader:
    """The process's own grader with default settings; its workers start when first needed and end with it."""
    return _shared


def grade_one(response: str, gold: Gold) -> Verdict:
    """The verdict on one response, without a judge."""
    return shared_grader().grade([Item(response, gold)])[0]
