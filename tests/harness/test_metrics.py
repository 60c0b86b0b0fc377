import random
from itertools import combinations

import pytest

from lm_eval_ext.grading import Grader, Verdict
from lm_eval_ext.harness.filters import GradeMath, vote
from lm_eval_ext.harness.metrics import (
    Graded,
    attempts,
    majority,
    pass_at_k,
    process_results,
)

pytestmark = pytest.mark.unit

RIGHT = Verdict(True, "exact", "1", "")
WRONG = Verdict(False, "symbolic", "2", "")
OPEN = Verdict(None, "none", "3", "timed out")
SILENT = Verdict(False, "none", None, "")


def test_bounds_of_a_single_response():
    scores = process_results({}, [Graded([OPEN], [0])])
    assert (scores["accuracy"], scores["accuracy_high"], scores["undecided"], scores["answered"]) == (
        0,
        1,
        1,
        1,
    )
    assert set(scores) == {"accuracy", "accuracy_high", "answered", "undecided"}


def test_responses_that_the_budget_cut_off_are_a_share_where_they_are_known():
    graded = Graded([RIGHT, SILENT], [0, None])
    graded.capped = [False, True]
    assert process_results({}, [graded])["capped"] == 0.5


def test_shares_over_repeats():
    judged = Verdict(True, "judge", "1", "")
    scores = process_results({}, [Graded([RIGHT, judged, WRONG, SILENT], [0, 0, 1, None])])
    assert scores["accuracy"] == 0.5
    assert scores["answered"] == 0.75
    assert scores["pass@1"] == 0.5 and scores["pass@4"] == 1.0 and scores["maj@4"] == 1.0


@pytest.mark.parametrize("n, right", [(5, 0), (5, 2), (6, 6), (7, 1)])
def test_pass_at_k_is_the_share_of_subsets_with_a_right_one(n, right):
    outcomes = [i < right for i in range(n)]
    for k in range(1, n + 1):
        subsets = list(combinations(outcomes, k))
        assert pass_at_k(n, right, k) == pytest.approx(sum(map(any, subsets)) / len(subsets))


def test_attempts_are_powers_of_two_and_the_whole():
    assert attempts(1) == [1] and attempts(6) == [1, 2, 4, 6] and attempts(8) == [1, 2, 4, 8]


def test_a_tie_counts_by_its_share():
    assert majority(Graded([RIGHT, WRONG], [0, 1])) == 0.5
    assert majority(Graded([SILENT, SILENT], [None, None])) == 0.0
    assert majority(Graded([WRONG, WRONG, RIGHT], [0, 0, 1])) == 0.0


def test_votes_count_equivalence_not_spelling():
    answers = ["1/2", "0.5", r"\frac{2}{4}", "3", "3.0", None]
    verdicts = [Verdict(False, "symbolic" if a else "none", a, "") for a in answers]
    with Grader() as grader:
        assert vote([verdicts, verdicts[3:5]], grader) == [[0, 0, 0, 1, 1, None], [0, 0]]


def test_right_answers_vote_together_whatever_their_layer():
    verdicts = [Verdict(True, "exact", "0.5", ""), Verdict(True, "symbolic", "1/2", ""), WRONG]
    with Grader() as grader:
        assert vote([verdicts], grader) == [[0, 0, 1]]


def test_the_filter_keeps_documents_and_responses_in_order():
    rng = random.Random(0)
    docs = [{"gold": str(i)} for i in range(30)]
    said = [[rng.choice([i, -1]) for _ in range(3)] for i in range(30)]
    graded = GradeMath().apply([[f"Final answer: {a}" for a in row] for row in said], docs)
    right = [[answer == i for answer in row] for i, row in enumerate(said)]
    assert [[v.correct for v in row] for row in graded] == right


def test_the_filter_refuses_what_it_does_not_know():
    with pytest.raises(ValueError, match="fancy"):
        GradeMath(extract="fancy")
    with pytest.raises(TypeError):
        GradeMath(timeout=3)
