"""Every notation and structure that answers come in, from `cases/answers.jsonl`, through the grader."""

import pytest

from lm_eval_ext.grading import Grader, GraderConfig, Item
from tests.conftest import cases
from tests.grading.responses import announced, boxed

pytestmark = pytest.mark.unit

ANSWERS = cases("answers")


@pytest.fixture(scope="module")
def verdicts():
    """Of each case, announced and boxed: by reason why it is there."""
    with Grader(GraderConfig(workers=2)) as grader:
        found = grader.grade(
            [Item(say(c["answer"]), c["gold"]) for c in ANSWERS for say in (announced, boxed)]
        )
    pairs = zip(found[::2], found[1::2], strict=True)
    return {case["why"]: pair for case, pair in zip(ANSWERS, pairs, strict=True)}


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: case["why"])
def test_answer(verdicts, case):
    for verdict in verdicts[case["why"]]:
        assert verdict.answer is not None or not case["equal"]  # "not 7" and "at least 7" state nothing
        assert (verdict.correct is True) == case["equal"], verdict.reason


def test_the_cases_are_many_and_different():
    pairs, reasons = {(c["gold"], c["answer"]) for c in ANSWERS}, {c["why"] for c in ANSWERS}
    assert len(ANSWERS) >= 250
    assert len(pairs) == len(reasons) == len(ANSWERS)
