import pytest

from lm_eval_ext.grading import Grader, GraderConfig, Item, Tolerance
from lm_eval_ext.harness.docs.competitions import tolerance_of
from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.filters import GradeMath
from lm_eval_ext.rewards.accuracy import AccuracyReward

pytestmark = pytest.mark.unit

ONE_PERCENT = Tolerance(relative=0.01)


@pytest.mark.parametrize(
    ("answer", "gold", "tolerance", "correct"),
    [
        ("1.004", "1", ONE_PERCENT, True),
        ("1.02", "1", ONE_PERCENT, False),
        ("1.004", "1", None, False),
        ("-1.004", "1", ONE_PERCENT, False),
        ("10.05", "10", Tolerance(absolute=0.1), True),
        ("10.2", "10", Tolerance(absolute=0.1), False),
        ("1.004 kg", "1000 g", ONE_PERCENT, True),
        ("1.004 kg", "1000 m", ONE_PERCENT, False),
        ("5.02, 2.01", "2, 5", ONE_PERCENT, True),
        ("5.02", "2, 5", ONE_PERCENT, False),
        (r"1 + \sqrt{3} i", "2", ONE_PERCENT, False),
        (r"\sqrt{2}", "1.41", ONE_PERCENT, True),
        ("1.004x", "x", ONE_PERCENT, False),
        ("0", "0", ONE_PERCENT, True),
    ],
)
def test_numbers_within_the_tolerance_are_right(answer, gold, tolerance, correct):
    with Grader(GraderConfig(workers=1)) as grader:
        (verdict,) = grader.grade([Item(f"Final answer: {answer}", gold, tolerance=tolerance)])
    assert (verdict.correct is True) == correct, verdict


def test_tasks_rewards_and_graders_take_a_tolerance():
    response = r"It is $\boxed{1.004}$."
    grade = GradeMath(workers=1, tolerance={"relative": 0.01})
    (graded,) = grade.apply([[response]], [{"gold": "1", "tolerance": None}])
    assert graded[0].rule == "tolerance.within"
    (graded,) = GradeMath(workers=1).apply([[response]], [{"gold": "1", "tolerance": {"absolute": 0.01}}])
    assert graded[0].correct
    assert AccuracyReward(tolerance=0.01)(completions=[response], gold=["1"]) == [1.0]


@pytest.mark.parametrize("setting", [-0.1, "1%", {"share": 0.1}, {"relative": -1}, True])
def test_a_wrong_tolerance_is_an_error(setting):
    with pytest.raises(ValueError, match="tolerance is"):
        Tolerance.of(setting)


def test_the_error_bound_of_a_row():
    assert tolerance_of("1e-1") == {"absolute": 0.1}
    assert tolerance_of("1e-1,1e-3") == {"absolute": 0.001}
    assert tolerance_of(None) is None
    with pytest.raises(DataError, match="error is 'small'"):
        tolerance_of("small")
