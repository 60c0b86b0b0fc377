"""When to ask, and when to stop asking."""

import threading
import time

import pytest

from lm_eval_ext.grading.judge.pace import MAX_REJECTED, Fuse, Pace, Refused, Unreachable

pytestmark = pytest.mark.unit


def test_requests_are_spaced():
    pace, stop = Pace(1_200), threading.Event()
    start = time.monotonic()
    threads = [threading.Thread(target=pace.wait, args=[stop]) for _ in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0.4 <= time.monotonic() - start < 2
    Pace(None).wait(stop)


def test_a_stop_ends_the_wait():
    pace, stop = Pace(1), threading.Event()
    stop.set()
    start = time.monotonic()
    for _ in range(3):
        pace.wait(stop)
    assert time.monotonic() - start < 1


def test_failures_in_a_row_blow_the_fuse_and_a_success_between_them_does_not():
    fuse = Fuse(3, 60)
    for _ in range(5):
        fuse.failed("gone")
        fuse.failed("gone")
        fuse.worked()
        fuse.check(first=True)
    for _ in range(3):
        fuse.failed("gone")
    with pytest.raises(Unreachable, match=r"gone.*after 3 failures"):
        fuse.check(first=True)


def test_a_blown_fuse_lets_one_question_through_after_a_rest():
    fuse = Fuse(1, 0.1)
    fuse.failed("gone")
    time.sleep(0.15)
    fuse.check(first=True)
    with pytest.raises(Unreachable):
        fuse.check(first=False)  # that one is not tried again
    with pytest.raises(Unreachable):
        fuse.check(first=True)  # and nobody else is let through
    fuse.worked()
    fuse.check(first=True)


def test_who_rejects_everything_refuses():
    fuse = Fuse(3, 60)
    for _ in range(MAX_REJECTED - 1):
        fuse.rejected("400")
    with pytest.raises(Refused, match=r"400 \(10 questions in a row\)"):
        fuse.rejected("400")
    with pytest.raises(Refused):
        fuse.check(first=True)
    lenient = Fuse(3, 60)
    lenient.worked()
    for _ in range(100):
        lenient.rejected("400")
