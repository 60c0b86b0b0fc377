"""A letter of multiple choice stands for the value that the problem lists for it."""

import pytest

from lm_eval_ext.grading import Grader, Item
from lm_eval_ext.grading.choices import listed_choices, spelled_out

pytestmark = pytest.mark.unit

LISTS = {
    "brackets": "How many? (A) 12 (B) 120 (C) 1200",
    "latex": r"How many? $\textbf{(A)}\ 12 \qquad \textbf{(B)}\ 120 \qquad \textbf{(C)}\ 1200$",
    "lines": "How many?\n\nA) 12\nB) 120\nC) 1200",
    "full stops": "How many?\nA. 12\nB. 120\nC. 1200",
}


@pytest.mark.parametrize("problem", LISTS.values(), ids=LISTS)
def test_listed_choices(problem):
    assert listed_choices(problem) == {"A": "12", "B": "120", "C": "1200"}


@pytest.mark.parametrize(
    "problem",
    ["Let (A) be a set and (B) another.", "Points A, B and C lie on a line.", "(B) 3 (C) 4", ""],
    ids=["two letters", "points", "no A", "nothing"],
)
def test_no_list(problem):
    assert listed_choices(problem) == {}


def test_formulas_stay_whole():
    found = listed_choices(r"(A) $x > y$ and $y = z$ (B) $x = 1$ (C) \frac{1}{2}")
    assert found == {"A": "$x > y$ and $y = z$", "B": "$x = 1$", "C": r"\frac{1}{2}"}


@pytest.mark.parametrize("gold", ["1200", "CC", "c and d", ""])
def test_only_a_letter_is_spelled_out(gold):
    assert spelled_out(gold, LISTS["brackets"]) == gold


@pytest.mark.parametrize(
    ("answer", "correct"),
    [("C", True), ("(C)", True), ("1200", True), ("(C) $1200$", True), ("B", False), ("120", False)],
)
def test_letter_or_value(answer, correct):
    with Grader() as grader:
        item = Item(f"Final answer: {answer}", "C", LISTS["brackets"])
        assert grader.grade([item])[0].correct is correct
