from functools import partial

import pytest

from lm_eval_ext.grading import Grader, GraderConfig, Item, shared_grader
from lm_eval_ext.grading.extraction import EXTRACTORS, boxes, extract, formats
from tests.clock import cpu_s
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


LONG = [
    *(
        r"\boxed{",
        "{",
        r"\boxed{1}",
        r"\boxed{1},",
        r"(a) \boxed{1} ",
        "Answer: ",
        "answer is . ",
        "the answer is 1? ",
    ),
    *(
        "the answer is not 1. ",
        "is the answer ",
        "x is the answer? ",
        "#### x\n",
        "<think>",
        "</think>",
        "<answer>",
    ),
    *(
        "</answer>",
        "<answer>1</answer> ",
        "<",
        "<|",
        " ",
        "\n",
        "$",
        "1,",
        "1.",
        "I hope it is correct. ",
        "So x is . ",
    ),
]


@pytest.mark.parametrize("unit", LONG)
@pytest.mark.parametrize("name", ["statement", "flexible"])
def test_time_is_linear_and_short(name, unit):
    """16 times the text takes about 16 times as long, and 4 MB at most 2 s of the processor."""
    small, large = (cpu_s(partial(EXTRACTORS[name], unit * (size // len(unit)))) for size in (2**18, 2**22))
    assert large < max(40 * small, 0.1)
    assert large < 2


def test_the_end_of_a_response_is_searched():
    assert extract(r"\boxed{1}" + "a" * 2**21) == "1"
    assert extract(r"\boxed{1}" + "a" * 2**23) is None
    assert EXTRACTORS["flexible"]("7" * 25_000) == "7" * 20_001


def test_more_thinking_formats_can_be_named():
    response = r"<|plan|>\boxed{1}<|/plan|>\boxed{2} <|plan|>\boxed{3}"
    assert EXTRACTORS["boxed"].with_thinking((("<|plan|>", "<|/plan|>"),))(response) == "2"
    with Grader(GraderConfig(thinking=(("<|plan|>", "<|/plan|>"),))) as grader:
        assert grader.grade([Item(response, "2")])[0].correct
    with pytest.raises(ValueError, match="pairs of text"):
        formats(["<plan>"])


@pytest.mark.parametrize(
    ("response", "reading"),
    [
        (r"\boxed{2}", "box"),
        ("<answer>2</answer>", "tag"),
        ("The answer is 2.", "announcement"),
        ("1 + 1 #### 2", "hash"),
        ("We add. So the sum is 2.", "conclusion"),
        ("2", "whole response"),
        ("No answer here.", None),
    ],
)
def test_a_verdict_tells_what_its_answer_was_found_by(response, reading):
    """Of each item: the verdict remembered for (2, 2) is the same one."""
    verdict = shared_grader().grade([Item(response, "2")])[0]
    assert (verdict.extraction, verdict.correct) == (reading, reading is not None)
    assert EXTRACTORS["announced"](response) == (
        "2" if reading in ("box", "tag", "announcement", "hash") else None
    )


@pytest.mark.parametrize("name", ["boxed", "strict", "flexible", "bare", "announced", "statement"])
def test_no_extractor_reads_thinking(name):
    for opening, closing in [
        ("<think>", "</think>"),
        ("[THINK]", "[/THINK]"),
        ("<|channel>thought", "<channel|>"),
    ]:
        thought = opening + r"The answer is 7. \boxed{7}"
        assert EXTRACTORS[name](thought) is None
        assert EXTRACTORS[name](thought + closing + "I do not know it.") is None


@pytest.mark.parametrize("gold", ["12, 13", "(a) 12, (b) 13"])
def test_labelled_boxes_are_one_answer_with_parts(gold):
    response = r"(a) \boxed{12} (b) \boxed{13}"
    assert shared_grader().grade([Item(response, gold)])[0].correct
    assert shared_grader().grade([Item(response, "13")])[0].correct is not True


def test_boxes_know_their_place():
    text = r"so \boxed{a} and \boxed{b}"
    assert [text[box.start : box.end] for box in boxes(text)] == [r"\boxed{a}", r"\boxed{b}"]
