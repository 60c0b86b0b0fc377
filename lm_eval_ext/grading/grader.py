"""Turn responses into verdicts: run the steps of `pipeline` in the caller and in the killable pool."""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from tqdm import tqdm

from lm_eval_ext.grading import asked, pipeline
from lm_eval_ext.grading.cache import Pending, VerdictCache
from lm_eval_ext.grading.config import GraderConfig
from lm_eval_ext.grading.cores import share_of, usable_cores
from lm_eval_ext.grading.extraction import Extractor as ResponseExtractor
from lm_eval_ext.grading.extraction import extract
from lm_eval_ext.grading.golds import Gold, GoldError, acceptable
from lm_eval_ext.grading.pool import KillablePool
from lm_eval_ext.grading.reading import ALONE_S, START_S, Call
from lm_eval_ext.grading.types import UNREAD, VALUES_DIFFER, Context, Item, Verdict

Extractor = Callable[[str], str | None]
AnItem = TypeVar("AnItem", bound=Item)
_WINDOW_PER_WORKER = 4096
"""Maximum pending verdicts per worker: the others stay busy while one hangs for seconds."""
_WINDOW_CHARS = 64 * 2**20


class Grader:
    """Grades responses. Workers start when first needed, which is seldom for single short answers.

    Leaving the context ends them.

    Thread safe. A pickled or forked copy starts its own workers.

    >>> with Grader() as grader:
    ...     grader.grade([Item(r"Final answer: $\\boxed{\\frac{2}{4}}$", "1/2")])[0].correct
    True
    """

    def __init__(self, config: GraderConfig | None = None) -> None:
        self.config = config or GraderConfig()
        self._pool: KillablePool | None = None
        self._cache = VerdictCache(self.config.cache_size)
        self._lock = threading.Lock()
        _graders.add(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"config": self.config}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["config"])  # type: ignore[misc]

    def _forget_parent(self) -> None:
        """In a forked child: starts afresh, because the parent's threads do not exist here."""
        if self._pool is not None:
            self._pool.forget()
        self.__init__(self.config)  # type: ignore[misc]

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the workers; the next use starts new ones."""
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
        """Yields one verdict per item, in order, as soon as it and those before it are decided.

        A bounded window of items is read ahead, so memory does not grow with the number of items. A judge is
        asked in blocks of `judge_block` items, and verdicts then arrive block by block.

        Args:
            extractor: extracts the answer from a response.
            size: size of a waiting item in characters; the window holds 64 Mi of them.

        Raises RuntimeError if the workers cannot start or are closed, and whatever the judge raises.
        """
        graded = self._graded(items, extractor, size)
        if self.config.judge is None:
            yield from (verdict for _, verdict in graded)
            return
        block: list[tuple[AnItem, Verdict]] = []
        chars = 0
        for item, verdict in graded:
            block.append((item, verdict))
            chars += size(item)
            if len(block) == self.config.judge_block or chars > _WINDOW_CHARS:
                yield from self._judged(block)
                block, chars = [], 0
        yield from self._judged(block)

    def grade(
        self, items: Sequence[Item], *, extractor: Extractor = extract, progress: str | None = None
    ) -> list[Verdict]:
        """Returns one verdict per item, in order.

        Args:
            extractor: extracts the answer from a response.
            progress: label of a progress bar on stderr; None for no bar.
        """
        graded: Iterable[tuple[Item, Verdict]] = self._graded(items, extractor)
        if progress is not None:  # a bar creates a semaphore, which a killed child would leak
            graded = tqdm(graded, total=len(items), desc=progress, unit="answer")
        return self._judged(list(graded))

    def equal(self, pairs: Iterable[tuple[str, str]]) -> list[Verdict]:
        """Verdicts on extracted answers, given as (answer, gold) pairs, in order. No judge is asked."""
        items = (Item(answer, gold) for answer, gold in pairs)
        return [verdict for _, verdict in self._graded(items, extractor=str)]

    def _graded(
        self,
        items: Iterable[AnItem],
        extractor: Extractor,
        size: Callable[[AnItem], int] = lambda item: 0,
    ) -> Iterator[tuple[AnItem, Verdict]]:
        """Each item, in order, with the verdict of the steps before the judge."""
        call = Call()
        window: deque[_Waiting[AnItem]] = deque()
        chars, most = 0, _WINDOW_PER_WORKER * self._workers()
        try:
            for item in items:
                window.append(self._begin(item, extractor, size(item), call))
                chars += window[-1].size
                while window and (len(window) > most or chars > _WINDOW_CHARS or window[0].is_done):
                    verdict = self._await(window[0])
                    first = window.popleft()
                    chars -= first.size
                    yield first.item, verdict
            while window:
                verdict = self._await(window[0])
                yield window.popleft().item, verdict
        finally:
            for pending in (one for waiting in window for one in waiting.begun if isinstance(one, Pending)):
                self._cache.abandon(pending)

    def _begin(self, item: AnItem, extractor: Extractor, size: int, call: Call) -> _Waiting[AnItem]:
        """Extracts the answer and starts its comparison with each acceptable answer."""
        if isinstance(extractor, ResponseExtractor):
            span = extractor.with_thinking(self.config.thinking).find(item.response)
            answer, language = (span.text, span.language) if span else (None, None)
        else:
            span, answer, language = None, extractor(item.response), None
        extraction = span.reading if span else None
        return _Waiting(item, size, answer, extraction, self._compared(answer, item, language, call))

    def _compared(
        self, answer: str | None, item: Item, language: str | None, call: Call
    ) -> tuple[Verdict | Pending, ...]:
        if answer is None:
            return (pipeline.no_answer(),)
        try:
            golds = acceptable(item.gold)
        except GoldError as error:
            return (pipeline.no_gold(answer, str(error)),)
        answer = asked.value(answer, item.problem)
        tolerance = item.tolerance or self.config.tolerance
        prepared = (pipeline.prepared(gold, item.problem, tolerance) for gold in golds)
        return tuple(self._compared_one(answer, *each, language, call) for each in prepared)

    def _compared_one(
        self, answer: str, gold: str, context: Context, language: str | None, call: Call
    ) -> Verdict | Pending:
        if (verdict := pipeline.decide(answer, gold, context)) is not None:
            return verdict
        pair = pipeline.in_english(answer, gold, language)
        if pair != (answer, gold) and (verdict := pipeline.decide(*pair, context)) is not None:
            return verdict
        if (verdict := self._cache.find(pair, call)) is not None:
            return verdict
        if self._reads(call) and (outcome := call.compare(*pair)) is not None:
            return self._cache.keep(pair, pipeline.from_workers(pair[0], outcome))
        return self._cache.begin(pair, self._started_pool().submit, call)

    def _reads(self, call: Call) -> bool:
        """Whether this process compares the call's short pairs: at first, and until workers are ready."""
        if self.config.stages != pipeline.STAGES:
            return False
        pool = self._started_pool() if call.spent_s > START_S else self._pool
        return call.spent_s < ALONE_S or pool is None or not pool.ready

    def _await(self, waiting: _Waiting[AnItem]) -> Verdict:
        """Waits for the best verdict over the acceptable answers: right, else undecided, else wrong.

        Among wrong ones, prefers a verdict that a judge may still overturn.
        """
        pool = self._pool
        if pool is not None and not waiting.is_done:
            pool.flush()
        verdicts = [one if isinstance(one, Verdict) else one.verdict() for one in waiting.begun]
        verdict = max(verdicts, key=lambda v: (v.correct is True, v.correct is None, v.rule != VALUES_DIFFER))
        if self.config.judge is None and waiting.extraction == "short response" and verdict.rule == UNREAD:
            return pipeline.no_answer()  # a sentence that says nothing that can be read commits to nothing
        return replace(verdict, answer=waiting.answer, extraction=waiting.extraction or verdict.extraction)

    def _workers(self) -> int:
        return self.config.workers or share_of(usable_cores())

    def _started_pool(self) -> KillablePool:
        with self._lock:
            if self._pool is None or self._pool.broken:
                self._pool = KillablePool(
                    self._workers(), self.config.timeout_s, self.config.memory_mb, self.config.stages
                )
            return self._pool

    def _judged(self, graded: Sequence[tuple[Item, Verdict]]) -> list[Verdict]:
        """The verdicts after the judge, if there is one."""
        items, verdicts = [item for item, _ in graded], [verdict for _, verdict in graded]
        if self.config.judge is None:
            return verdicts
        judged = self.config.judge.judge(items, verdicts)
        assert len(judged) == len(verdicts), f"the judge returned {len(judged)} verdicts for {len(verdicts)}"
        return [replace(now, extraction=v.extraction) for now, v in zip(judged, verdicts, strict=True)]


@dataclass(frozen=True)
class _Waiting(Generic[AnItem]):
    """An item in the window, and its decided or pending verdict on each acceptable answer."""

    item: AnItem
    size: int
    answer: str | None
    extraction: str | None
    begun: tuple[Verdict | Pending, ...]

    @property
    def is_done(self) -> bool:
        return all(isinstance(one, Verdict) or one.future.done() for one in self.begun)


_graders: weakref.WeakSet[Grader] = weakref.WeakSet()


def _forget_parent() -> None:
    for grader in list(_graders):
        grader._forget_parent()


os.register_at_fork(after_in_child=_forget_parent)
_shared: dict[GraderConfig, Grader] = {}


def shared_grader(config: GraderConfig | None = None) -> Grader:
    """The process's grader with these settings; its workers start when first needed."""
    config = config or GraderConfig()
    return _shared.setdefault(config, Grader(config))


def grade_one(response: str, gold: Gold) -> Verdict:
    """Grades one response without a judge."""
    return shared_grader().grade([Item(response, gold)])[0]
