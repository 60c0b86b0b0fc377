"""Reference answers in every shape that data sets give them."""

from fractions import Fraction

import pytest

from lm_eval_ext.grading import Grader, Item, grade_one
from lm_eval_ext.grading.golds import GoldError, acceptable, shown

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("gold", "texts"),
    [
        ("1/2", ("1/2",)),
        (2, ("2",)),
        (-3, ("-3",)),
        (27.0, ("27",)),
        (0.5, ("0.5",)),
        (1e-7, ("0.0000001",)),
        (10**400, ("1" + "0" * 400,)),
        (Fraction(3, 4), ("3/4",)),
        (r"\boxed{B}", ("B",)),
        (r"First \boxed{3}, in the end $\boxed{\frac{1}{2}}$.", (r"\frac{1}{2}",)),
        ("Janet has 3 + 4 = 7 eggs.\n#### 7", ("7",)),
        ("So 3 * 4 = 12.\n####12\n", ("12",)),
        ("#### Solution\nThree of them, so 3", ("#### Solution\nThree of them, so 3",)),
        (["2", r"\boxed{3}", 4, "2"], ("2", "3", "4")),
        (("x", ["y"]), ("x", "y")),
    ],
)
def test_acceptable(gold, texts):
    assert acceptable(gold) == texts


def test_numbers_of_numpy_are_numbers():
    numpy = pytest.importorskip("numpy")
    assert acceptable(numpy.int64(7)) == acceptable(numpy.float32(7)) == ("7",)


@pytest.mark.parametrize(
    "gold",
    [None, True, "", "  ", [], [""], ["2", None], float("nan"), float("inf"), {"a": 1}, r"\boxed{}"],
)
def test_what_states_no_answer_is_undecided_and_named(gold):
    with pytest.raises(GoldError, match=r"^the gold is"):
        acceptable(gold)
    verdict = grade_one("Final answer: 2", gold)
    assert verdict.correct is None and verdict.reason and verdict.reason.startswith("the gold is")


@pytest.mark.parametrize(
    ("answer", "gold", "correct"),
    [
        ("2", 2, True),
        ("3", 2, False),
        ("27", 27.0, True),
        (r"\frac{1}{2}", 0.5, True),
        ("7", "3 + 4 = 7\n#### 7", True),
        ("4", "3 + 4 = 7\n#### 7", False),
        ("b", r"\boxed{B}", True),
        ("4", ["2", "8/2"], True),
        ("2", ["2", "a proof that words alone can give"], True),
        ("5", ["2", "4"], False),
        ("5", ["2", "a proof that words alone can give"], None),
    ],
)
def test_verdicts(answer, gold, correct):
    assert grade_one(f"Final answer: {answer}", gold).correct is correct


def test_a_judge_and_a_report_see_text():
    assert shown(["2", 3]) == "2 or 3"
    assert shown(27.0) == "27"


def test_golds_of_all_shapes_in_one_stream():
    golds = [4, "4", ["3", 4.0], r"\boxed{4}", "2 + 2\n#### 4"]
    with Grader() as grader:
        verdicts = list(grader.stream(Item("Final answer: 8/2", gold) for gold in golds))
    assert [v.correct for v in verdicts] == [True] * len(golds)
