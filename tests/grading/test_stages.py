"""Two stages: chunks for the quick one, single tasks for the other, and a bad pair costs only itself."""

import time

import pytest

from lm_eval_ext.grading import worker
from lm_eval_ext.grading.pool import CHUNK, Failure, KillablePool

pytestmark = pytest.mark.unit

STAGES = ("tests.grading.quick_stage", "tests.grading.slow_stage")
TIMEOUT_S = 0.4


@pytest.fixture(scope="module")
def pool():
    pool = KillablePool(2, TIMEOUT_S, 4096, STAGES)
    yield pool
    pool.close()


def outcomes(pool, golds):
    """What becomes of an answer equal to each gold, and the gold's word in front of an unequal one."""
    futures = [pool.submit(f"{i} answer", f"{i} {gold}") for i, gold in enumerate(golds)]
    pool.flush()
    return [told(future.result(timeout=60)) for future in futures]


def told(outcome):
    """(equal, reason) of an outcome."""
    return outcome if isinstance(outcome, Failure) else (outcome.equal, outcome.detail)


def test_each_stage_decides_what_it_can(pool):
    found = outcomes(pool, ["quick", "slow", "raises-at-once", "unknown"])
    assert found == [
        (True, "quickly"),
        (True, "slowly"),
        (True, "slowly"),
        (None, "the second stage cannot tell"),
    ]


def test_different_answers_are_different_in_both_stages(pool):
    assert told(pool.submit("1 answer", "2 quick").result(10)) == (False, "quickly")
    assert told(pool.submit("1 answer", "2 slow").result(10)) == (False, "slowly")


@pytest.mark.parametrize(
    "gold, reason",
    [
        ("hangs", "timed out after 0.4 s"),
        ("hangs-at-once", "timed out after 0.4 s"),
        ("dies", "the worker died"),
        ("raises", "ZeroDivisionError: on purpose"),
        ("hogs", "ran out of memory"),
    ],
)
def test_a_bad_pair_costs_only_itself(pool, gold, reason):
    found = outcomes(pool, ["quick"] * 70 + [gold] + ["slow"] * 70)
    assert isinstance(found[70], Failure) and reason in found[70].reason
    del found[70]
    assert found == [(True, "quickly")] * 70 + [(True, "slowly")] * 70


def test_a_chunk_whose_worker_dies_is_taken_apart(pool):
    found = outcomes(pool, ["quick"] * 40 + ["dies-at-once"] + ["quick"] * 40)
    assert found.pop(40).reason.startswith("the worker died")
    assert found == [(True, "quickly")] * 80


def test_a_pair_that_meets_an_idle_pool_does_not_wait_for_others(pool):
    assert told(pool.submit("1 answer", "1 quick").result(5)) == (True, "quickly")
    assert told(pool.submit("1 answer", "1 slow").result(5)) == (True, "slowly")


def test_a_partial_chunk_does_not_wait_for_a_hanging_one():
    pool = KillablePool(2, 30, 4096, STAGES)
    hanging = pool.submit("1 answer", "1 hangs")
    assert outcomes(pool, ["quick"] * (CHUNK // 2)) == [(True, "quickly")] * (CHUNK // 2)
    assert not hanging.done()
    pool.close()


def test_what_is_cancelled_before_its_turn_is_not_compared(pool):
    busy = [pool.submit(f"{i} answer", f"{i} hangs") for i in range(8)]
    time.sleep(0.1)
    late = pool.submit("1 answer", "1 quick")
    assert late.cancel()
    assert all(isinstance(future.result(20), Failure) for future in busy)
    assert told(pool.submit("1 answer", "1 quick").result(10)) == (True, "quickly")


def test_closing_tells_whoever_waits():
    pool = KillablePool(1, 60, 4096, STAGES)
    futures = [pool.submit(f"{i} answer", f"{i} {what}") for i, what in enumerate(["hangs", "slow"] * 50)]
    time.sleep(0.2)
    pool.close()
    for future in futures:
        if not future.done() or future.exception():
            with pytest.raises(RuntimeError, match="the pool was closed"):
                future.result(1)
    with pytest.raises(RuntimeError, match="the pool was closed"):
        pool.submit("1 answer", "1 quick")


def test_a_stage_that_cannot_be_loaded_is_an_error():
    with pytest.raises(RuntimeError, match=r"no symbolic worker.*import tests\.grading\.no_such"):
        KillablePool(1, 1, 4096, ("tests.grading.no_such_stage", STAGES[1])).submit("1", "2").result(30)


def test_the_worker_names_no_computer_algebra_of_its_own():
    assert not {"sympy", "math_verify"} & set(vars(worker))
