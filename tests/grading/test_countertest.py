"""Formulas changed in one place: what math-verify calls equal must not be equal to any of them."""

import pytest

from lm_eval_ext.grading import Grader, GraderConfig
from lm_eval_ext.grading.countertest import changes, formula, is_known, name
from tests.conftest import cases

pytestmark = pytest.mark.unit

EQUAL = [
    (c["answer"], c["gold"])
    for c in cases("answers")
    if c["equal"] and c["why"].startswith("computer algebra: ")
]
UNREAD = [(c["answer"], c["gold"]) for c in cases("answers") if c["why"].startswith("unread: ")]

VECTORS = r"c_1\begin{bmatrix}1\\2\end{bmatrix}e^{-t}+c_2\begin{bmatrix}3\\1\end{bmatrix}e^{2t}"


@pytest.fixture(scope="module")
def grader():
    with Grader(GraderConfig(workers=2)) as grader:
        yield grader


@pytest.mark.parametrize(
    ("source", "count"), [("2x+1", 4), (r"\frac{12}{x^2}", 4), (r"\sin a < 3,\ b", 7), (r"5\pi m", 4)]
)
def test_each_number_letter_and_sign_is_changed_once(source, count):
    found = list(changes(source))
    assert len(set(found) - {source}) == len(found) == count


@pytest.mark.parametrize("pair", EQUAL, ids=str)
def test_no_change_of_a_gold_is_equal_too(grader, pair):
    answer, gold = pair
    verdicts = grader.equal([pair, *((answer, changed) for changed in changes(formula(gold)))])
    assert [v.correct for v in verdicts].count(True) == 1 and verdicts[0].correct
    assert "no change of either" in verdicts[0].reason


def test_what_it_does_not_read_is_undecided_with_the_reason(grader):
    assert len(EQUAL) >= 2 and len(UNREAD) >= 25
    for pair, verdict in zip(UNREAD, grader.equal(UNREAD), strict=True):
        assert not verdict.correct and verdict.reason, pair
        assert verdict.layer != "none" or "math-verify" not in verdict.reason or "not read" in verdict.reason


def test_a_sum_of_vectors_is_none_with_another_entry(grader):
    """Each takes computer algebra a second, which a busy machine may not have: undecided, too."""
    others = [VECTORS.replace(old, new) for old, new in (("3\\\\1", "3\\\\-1"), ("{bmatrix}1", "{bmatrix}5"))]
    assert VECTORS not in others
    assert not any(v.correct for v in grader.equal([(VECTORS, other) for other in others]))


@pytest.mark.parametrize(
    ("answer", "gold"), [(r"\int_0^1 x dx - \infty + \infty", "1"), (r"\frac{1}{0}", r"\frac{2}{0}")]
)
def test_what_has_no_value_is_undecided(grader, answer, gold):
    for pair in ((answer, gold), (gold, answer)):
        assert grader.equal([pair])[0].correct is None


@pytest.mark.parametrize(
    ("text", "said", "known"),
    [
        (r"$y(x) \approx \dfrac{x}{2}.$", r"\frac{x}{2}", True),
        (r"\(\bigl[1+x\bigr]\,\)", "[1+x ]", True),
        (r"$41$ no $42$", "$41$ no $42$", False),
        (r"f(2) = 5", "f(2) = 5", True),
        (r"\neg 42", r"\neg 42", False),
        ("42‰", "42‰", False),
        ("4 lb or more", "4 lb or more", False),
        ("(a) Yes, (b) no", "(a) Yes, (b) no", False),
        ("a + nota", "a + nota", False),
        ("no_1 + 2", "no_1 + 2", False),
    ],
)
def test_one_formula_in_signs_that_are_known(text, said, known):
    assert formula(text) == said and is_known(formula(text)) == known


def test_names():
    assert [name(t) for t in (r"$y(x) = 2$", r"a_{1} \sim 3", "x < 3", "2x")] == ["y", "a_1", "", ""]
