"""Streams of any length: in order, in bounded memory, each pair once, and hangs cost what they must."""

import itertools
import os
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from lm_eval_ext.grading import Grader, GraderConfig, Item
from lm_eval_ext.grading.cache import MAX_PAIR_CHARS, VerdictCache
from lm_eval_ext.grading.pool import Failure
from lm_eval_ext.grading.types import Outcome
from tests.clock import STALL_S
from tests.grading.test_stages import STAGES

pytestmark = pytest.mark.unit


def grader(**settings):
    return Grader(GraderConfig(**{"workers": 2, "stages": STAGES, **settings}))


def item(number, gold, what="quick"):
    """An item that the stages, and nothing before them, decide."""
    return Item(f"Final answer: {number} apples", f"{gold} {what}")


def resident_mb():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def test_order_is_kept_over_every_kind():
    kinds = itertools.cycle(["quick", "slow", "unknown", "raises-at-once"])
    items = [item(i, i + i % 3, next(kinds)) for i in range(2_000)]
    with grader() as g:
        verdicts = list(g.stream(iter(items)))
    wanted = [None if "unknown" in each.gold else i % 3 == 0 for i, each in enumerate(items)]
    assert [v.correct for v in verdicts] == wanted
    assert [v.answer for v in verdicts] == [f"{i} apples" for i in range(2_000)]


def test_a_stream_reads_no_further_than_its_window():
    read = itertools.count()
    items = (item(next(read), 1) for _ in itertools.count())  # endless
    with grader() as g:
        first = list(itertools.islice(g.stream(items), 10))
    assert len(first) == 10 and next(read) < 3 * 4096


def test_the_window_is_bounded_in_characters_too():
    read = itertools.count()
    items = (item(next(read), 1, "slow") for _ in itertools.count())
    with grader() as g:
        first = list(itertools.islice(g.stream(items, size=lambda _: 2**25), 10))
    assert len(first) == 10 and next(read) < 20


def test_what_is_ready_does_not_wait_for_more_input():
    def items():
        yield Item("Final answer: 1", "1")
        pytest.fail("the first verdict needs no second item")

    with grader() as g:
        assert next(g.stream(items())).correct is True


@pytest.mark.alone
@pytest.mark.full
def test_hangs_among_many_cost_their_deadlines_and_change_no_other_verdict():
    timeout_s, workers, hangs, good = 0.3, 4, 100, 10_000
    items = [item(i, i + i % 2, "quick" if i % 10 else "slow") for i in range(good)]
    with grader(workers=workers, timeout_s=timeout_s, cache_size=0) as g:
        g.equal([("1 apples", "1 slow")])
        start = time.perf_counter()
        alone = g.grade(items)
        good_s = time.perf_counter() - start
        for i in range(hangs):
            items.insert(i * 101 + 7, item(i, i, "hangs"))
        start = time.perf_counter()
        verdicts = list(g.stream(items))
        took = time.perf_counter() - start
    others = [v for v, each in zip(verdicts, items, strict=True) if "hangs" not in each.gold]
    assert others == alone
    assert [v.reason for v in verdicts if v.correct is None] == ["timed out after 0.3 s"] * hangs
    assert {v.rule for v in verdicts if v.correct is None} == {"undecided.timeout"}
    assert took < hangs * (timeout_s + 0.5) / workers + good_s + STALL_S


@pytest.mark.alone
@pytest.mark.full
def test_memory_stays_flat():
    items = (item(i // 2, i // 2, "quick" if i % 100 else "slow") for i in range(80_000))
    with grader(cache_size=10_000) as g:
        for number, verdict in enumerate(g.stream(items)):
            assert verdict.correct
            if number == 40_000:
                before = resident_mb()
    assert resident_mb() - before < 20


def test_equal_pairs_under_way_are_compared_once():
    cache, futures = VerdictCache(10), []

    def submit(answer, gold):
        futures.append(Future())
        return futures[-1]

    first, second = (cache.begin(("1", "2"), submit, call=call) for call in "ab")
    assert first is second and len(futures) == 1
    cache.abandon(first)
    assert not futures[0].cancelled()  # the other still waits
    futures[0].set_result(Outcome(False, "values.differ", "different"))
    assert cache.begin(("1", "2"), submit, call="c") == first.verdict() and len(futures) == 1


def test_what_nobody_waits_for_is_cancelled():
    cache, future = VerdictCache(10), Future()
    cache.abandon(cache.begin(("1", "2"), lambda answer, gold: future, call="a"))
    assert future.cancelled()


def test_a_failure_holds_for_its_call_and_no_longer():
    cache, future = VerdictCache(10), Future()
    cache.begin(("1", "2"), lambda answer, gold: future, call="a")
    future.set_result(Failure("timed out after 5 s", "undecided.timeout"))
    assert cache.find(("1", "2"), "a").reason == "timed out after 5 s"
    assert cache.find(("1", "2"), "b") is None


def test_a_timeout_is_met_once_in_a_call_however_far_apart():
    woke = []

    def items():
        yield item(1, 1, "hangs")
        time.sleep(2.5)  # longer than the deadline
        woke.append(time.monotonic())
        yield from [item(1, 1, "hangs")] * 2

    with grader(timeout_s=2) as g:
        g.equal([("1 apples", "1 slow")])
        _, second, third = g.stream(items())
        assert time.monotonic() - woke[0] < 2, "met again"
    assert second == third and second.reason == "timed out after 2 s"


def test_decided_pairs_are_remembered_and_long_ones_are_not():
    long = "9" * MAX_PAIR_CHARS
    with grader(cache_size=3) as g:
        for number in (0, 1, 2, 3, 4, long):
            g.equal([(f"{number} apples", f"{number} slow")])
        assert list(g._cache._known) == [(f"{i} apples", f"{i} slow") for i in (2, 3, 4)]


def test_a_stream_left_early_leaves_nothing_to_do():
    with grader(timeout_s=30, workers=1) as g:
        stream = g.stream(item(i, i, "hangs" if i == 100 else "quick") for i in range(4_000))
        assert next(stream).correct
        stream.close()
        due = time.monotonic() + 2  # a future wakes who waits for it before it calls the cache back
        while g._cache._under_way and time.monotonic() < due:
            time.sleep(0.01)
        assert not g._cache._under_way and len(g._started_pool()._pending) < 4_000


def test_errors_of_the_input_reach_the_caller():
    def items():
        yield from (item(i, i) for i in range(100))
        raise OSError("the disk is gone")

    with grader() as g, pytest.raises(OSError, match="the disk is gone"):
        list(g.stream(items()))
