"""Money: reserved at its worst, never passed, and not refused while calls under way may turn out cheap."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lm_eval_ext.grading.judge.budget import Budget, Price
from lm_eval_ext.grading.judge.errors import BudgetExceeded

pytestmark = pytest.mark.unit


def test_the_worst_case_bounds_any_tokenizer():
    price = Price(1e-6, 2e-6)
    messages = [{"role": "system", "content": "é" * 100}, {"role": "user", "content": "x" * 10}]
    assert price.upper_bound(messages, 50) == pytest.approx((200 + 10 + 2 * 64) * 1e-6 + 50 * 2e-6)


def test_a_budget_is_never_passed_whatever_the_calls_cost():
    budget, made, refused = Budget(1.0), [], []

    def call(seed):
        worst = 0.05
        try:
            budget.reserve(worst)
        except BudgetExceeded:
            refused.append(seed)
            return
        time.sleep(0.001)
        cost = random.Random(seed).uniform(0.01, worst)
        made.append(cost)
        budget.settle(worst, cost)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(200)))
    assert sum(made) == pytest.approx(budget.spent_usd) and 0.95 < sum(made) <= 1.0
    assert refused and len(made) + len(refused) == 200


def test_who_may_yet_fit_waits_for_the_calls_under_way():
    budget, order = Budget(1.0), []
    budget.reserve(0.9)

    def second():
        budget.reserve(0.9)
        order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    time.sleep(0.05)
    order.append("first settles")
    budget.settle(0.9, 0.1)
    thread.join(5)
    assert order == ["first settles", "second"]


def test_once_reached_it_stays_reached():
    budget = Budget(1.0)
    with pytest.raises(BudgetExceeded):
        budget.reserve(1.1)
    with pytest.raises(BudgetExceeded):
        budget.reserve(0.1)


def test_without_a_limit_everything_fits():
    Budget(None).reserve(1e9)
