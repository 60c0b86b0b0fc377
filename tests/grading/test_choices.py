"""A letter of multiple choice stands for the value that the problem lists for it."""

import pytest

from lm_eval_ext.grading import Grader, GraderConfig, Item
from lm_eval_ext.grading.choices import listed_choices, named
from lm_eval_ext.grading.pipeline import prepared

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
def test_only_a_letter_stands_for_an_option(gold):
    assert prepared(gold, LISTS["brackets"])[0] == gold


def test_an_option_ends_with_the_environment_that_lists_it():
    problem = "\\begin{tabular}{ll} (A) 12 & (B) 120 \\\\ (C) 1200 & (D) 12000\n\\end{tabular} Choose one."
    assert prepared("D", problem)[0].strip("\\ ") == "12000"


PROSE = (
    "What does Statement A. say? Choose.\n"
    "A. no asymptotes\nB. vitamin A. It is found in B. rapa\nC. two asymptotes\nD. both A and C"
)


def test_letters_within_options_are_passed_by():
    assert listed_choices(PROSE) == {
        "A": "no asymptotes",
        "B": "vitamin A. It is found in B. rapa",
        "C": "two asymptotes",
        "D": "both A and C",
    }


@pytest.mark.parametrize(
    ("answer", "letter", "rest"),
    [
        ("$C$", "C", ""),
        ("(C)", "C", ""),
        ("Option C)", "C", ""),
        (r"\text{E}", "E", ""),
        (r"\mathbf{(B)}", "B", ""),
        ("B: 12", "B", "12"),
        ("D) no asymptotes", "D", "no asymptotes"),
        ("d", "D", ""),
        ("(c) 1200", "C", "1200"),
        ("**C**.", "C", ""),
        ("[B]", "B", ""),
        ("The correct answer is (A)", "A", ""),
    ],
)
def test_named(answer, letter, rest):
    found = named(answer)
    assert found is not None and (found.letter, found.rest) == (letter, rest)


@pytest.mark.parametrize("answer", ["12", "AB", "A's", "f(A)", "Asymptote", "x = C", "K", "because", ""])
def test_not_named(answer):
    assert named(answer) is None


EQUAL_OPTIONS = "How much is it?\n(A) 3/4\n(B) 0.75\n(C) 1200\n(D) 12 apples\n(E) none of these"


@pytest.mark.parametrize(
    ("answer", "gold", "problem", "correct"),
    [
        # a letter is itself, with the problem or without
        ("C", "C", LISTS["brackets"], True),
        ("(C)", "C", LISTS["lines"], True),
        ("c", "C", LISTS["full stops"], True),
        ("C", "(C)", None, True),
        ("$C$", "C", None, True),
        ("d", r"\text{D}", None, True),
        ("E: none of these", "E", None, True),
        ("B", "C", LISTS["brackets"], False),
        ("B", "C", None, False),
        # with its option's text, or by that alone
        ("(C) $1200$", "C", LISTS["brackets"], True),
        ("C 1200", "C", LISTS["brackets"], True),
        ("1200", "C", LISTS["brackets"], True),
        ("120", "C", LISTS["brackets"], False),
        ("No asymptotes.", "A", PROSE, True),
        ("both A and C", "D", PROSE, True),
        ("two asymptotes", "A", PROSE, False),
        # another letter is another answer, whatever its option is worth
        ("(A)", "B", EQUAL_OPTIONS, False),
        ("(A) 0.75", "B", EQUAL_OPTIONS, False),
        ("(B) 1200", "C", EQUAL_OPTIONS, False),
        # several letters are no letter
        ("A or C", "C", LISTS["brackets"], False),
        ("A, C", "A", LISTS["brackets"], False),
        ("(A) or (C)", "A", LISTS["brackets"], False),
        ("A and C", "A", EQUAL_OPTIONS, False),
        ("A. B", "A", LISTS["brackets"], False),
        # what is said of a letter is not its option
        ("(C) is wrong", "C", LISTS["brackets"], False),
        ("(C) is wrong", "(C)", None, False),
        ("(C) unless n = 1", "C", None, False),
        ("C: not 1200", "C", None, False),
        ("B: not enough is known", "B", "(A) 3 (B) not enough is known (C) 4", True),
    ],
)
def test_letter_or_option(answer, gold, problem, correct):
    with Grader(GraderConfig(workers=1)) as grader:
        verdict = grader.grade([Item(f"\\boxed{{{answer}}}", gold, problem)])[0]
    assert (verdict.correct is True) is correct, verdict
