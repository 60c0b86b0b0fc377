import time

import pytest

from lm_eval_ext.grading.extraction import EXTRACTORS, boxes, extract
from tests.conftest import cases

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("case", cases("extract"), ids=lambda case: case["why"])
def test_extract(case):
    assert extract(case["response"]) == case["answer"]


def test_boxed_prefers_the_box_over_a_later_statement():
    response = r"Hence \boxed{3}. The answer is 4"
    assert extract(response) == "4"
    assert EXTRACTORS["boxed"](response) == "3"
    assert EXTRACTORS["boxed"]("The answer is 4") == "4"


def test_strict_and_flexible_differ_as_gsm8k_readers_do():
    response = "She pays $1,200. That is all, and it took 3 days."
    assert EXTRACTORS["strict"](response) is None
    assert EXTRACTORS["flexible"](response) == "3"
    assert EXTRACTORS["strict"]("The answer is $1,200.") == "1,200"
    assert EXTRACTORS["flexible"]("no number at all") is None


@pytest.mark.parametrize(
    "text", [r"\boxed{" * 140_000, "{" * 100_000, r"\boxed{1}" * 100_000, "Answer: " * 100_000]
)
def test_time_is_linear(text):
    start = time.perf_counter()
    extract(text)
    assert time.perf_counter() - start < 5


def test_boxes_know_their_place():
    text = r"so \boxed{a} and \boxed{b}"
    assert [text[box.start : box.end] for box in boxes(text)] == [r"\boxed{a}", r"\boxed{b}"]
