"""Answers to college and olympiad golds, written before the rules for them: recall and false credit."""

import pytest

from lm_eval_ext.grading import Grader
from tests.conftest import cases

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("name", "recall", "precision"), [("college", 0.86, 0.99), ("olympiad", 0.82, 0.98)])
def test_recall_and_precision_on_written_answers(name, recall, precision):
    rows = cases(name)
    with Grader() as grader:
        verdicts = grader.equal([(row["answer"], row["gold"]) for row in rows])
    graded = list(zip(rows, verdicts, strict=True))
    accepted = [row for row, verdict in graded if verdict.correct]
    wrong = [(row["answer"], row["gold"]) for row in accepted if not row["expected"]]
    assert (len(accepted) - len(wrong)) / sum(row["expected"] for row in rows) >= recall
    assert len(wrong) <= (1 - precision) * len(accepted), wrong
