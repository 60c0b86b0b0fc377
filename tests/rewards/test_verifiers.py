"""Verifiers by name."""

import pickle

import pytest

from lm_eval_ext.rewards import Score, verifier

pytestmark = pytest.mark.unit

ROWS = [{"gold": "0.5"}, {"solution": "4"}, {"gold": "5"}, {"gold": "The smallest tower of all"}]
RESPONSES = ["Final answer: 2/4", "Final answer: 3", "I cannot tell.", "Final answer: the tallest tower"]


def test_math_scores_as_the_evaluation_grades():
    math = verifier("math", workers=1)
    scores = math(RESPONSES, ROWS)
    assert [(s.value, s.correct, s.answer) for s in scores] == [
        (1.0, True, "2/4"),
        (0.0, False, "3"),
        (0.0, False, None),
        (None, None, "the tallest tower"),
    ]
    assert pickle.loads(pickle.dumps(math))(RESPONSES, ROWS) == scores


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("maths", "verifier 'maths' is unknown: use math"),
        ("nowhere:Verifier", "No module named 'nowhere'"),
        ("math:none", "no attribute 'none'"),
    ],
)
def test_unknown_verifiers_are_refused(name, message):
    with pytest.raises(ValueError, match=message):
        verifier(name)


def test_a_verifier_of_ones_own():
    assert verifier("tests.rewards.test_verifiers:AllRight")(["x"], [{}]) == [Score(1.0, True)]


class AllRight:
    def __call__(self, responses, rows):
        """The scores."""
        return [Score(1.0, True) for _ in responses]
