"""When to ask, and when to stop asking."""

import threading
import time

import pytest

from lm_eval_ext.grading.judge.errors import JudgeRefused, JudgeUnreachable
from lm_eval_ext.grading.judge.limits import MAX_REJECTED, CircuitBreaker, RateLimiter
from tests.clock import within

pytestmark = pytest.mark.unit


def test_requests_are_spaced():
    limiter, stop = RateLimiter(1_200), threading.Event()
    start = time.monotonic()
    threads = [threading.Thread(target=limiter.wait, args=[stop]) for _ in range(9)]
    with within(0.4):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert time.monotonic() - start >= 0.4
    RateLimiter(None).wait(stop)


def test_a_stop_ends_the_wait():
    limiter, stop = RateLimiter(1), threading.Event()
    stop.set()
    with within(0):
        for _ in range(60):  # a minute's worth
            limiter.wait(stop)


def test_failures_in_a_row_open_the_breaker_and_a_success_between_them_does_not():
    breaker = CircuitBreaker(3, 60)
    for _ in range(5):
        breaker.record_failure("gone")
        breaker.record_failure("gone")
        breaker.record_success()
        breaker.before_call(first=True)
    for _ in range(3):
        breaker.record_failure("gone")
    with pytest.raises(JudgeUnreachable, match=r"gone.*after 3 failures"):
        breaker.before_call(first=True)


def test_an_open_breaker_lets_one_question_through_after_a_rest():
    breaker = CircuitBreaker(1, 0.1)
    breaker.record_failure("gone")
    time.sleep(0.15)
    breaker.before_call(first=True)
    with pytest.raises(JudgeUnreachable):
        breaker.before_call(first=False)  # that one is not tried again
    with pytest.raises(JudgeUnreachable):
        breaker.before_call(first=True)  # and nobody else is let through
    breaker.record_success()
    breaker.before_call(first=True)


def test_who_rejects_everything_refuses():
    breaker = CircuitBreaker(3, 60)
    for _ in range(MAX_REJECTED - 1):
        breaker.record_rejection("400")
    with pytest.raises(JudgeRefused, match=r"400 \(10 questions in a row\)"):
        breaker.record_rejection("400")
    with pytest.raises(JudgeRefused):
        breaker.before_call(first=True)
    lenient = CircuitBreaker(3, 60)
    lenient.record_success()
    for _ in range(100):
        lenient.record_rejection("400")
