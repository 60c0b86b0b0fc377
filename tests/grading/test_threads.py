"""Comparisons in threads: each has its own budget and precision."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from lm_eval_ext.grading.answers import compare
from lm_eval_ext.grading.answers.errors import TooLarge
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.syntax.nodes import Call, number
from tests.conftest import cases

pytestmark = pytest.mark.unit

PAIRS = [(row["answer"], row["gold"]) for row in cases("answers")[::2]]
PRECISE = [  # 240 digits and more, beside others that take 60
    (r"\pi + 10^{-50}", r"\pi"),
    (r"\cos(10^{-30})", "1"),
    (r"\sqrt{2} + 10^{-100}", r"\sqrt{2}"),
    (r"e^{\pi}", r"e^{\pi} + 10^{-200}"),
]


@pytest.fixture
def many_switches():
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("many_switches")
def test_threads_decide_as_one_thread_does():
    pairs = [pair for i, usual in enumerate(PAIRS) for pair in (usual, PRECISE[i % len(PRECISE)])]
    alone = [compare(*pair) for pair in pairs]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda pair: compare(*pair), pairs * 2))
    assert together == alone * 2


def test_every_comparison_has_its_own_budget():
    spent, fresh = Evaluator(max_steps=1), Evaluator(max_steps=1)
    three = Call("add", (number(1), number(2)))
    assert spent.value(three) == 3
    with pytest.raises(TooLarge):
        spent.value(three)
    assert fresh.value(three) == 3
