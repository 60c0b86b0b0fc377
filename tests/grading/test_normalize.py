import pytest

from lm_eval_ext.grading.normalization import REPLACEMENTS, normalize

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "left, right",
    [
        (r"$\left( 3, \frac{\pi}{2} \right)$", r"(3,\frac{\pi}{2})"),
        (r"\dfrac12", r"\tfrac{1}{2}"),
        (r"\sqrt2", r"\sqrt{2}"),
        (r"12{,}345", "12,345"),
        (r"12\!,345", "12345"),
        (r"1,234,567", "1234567"),
        (r"\text{Yes}", "yes"),
        (r"x \le 5", "x ≤ 5"),
        (r"3 \cdot 4", r"3\times 4"),
        (r"45^{\circ}", "45°"),
        (r"\$5", "5"),
        (r"15\%", "15 %"),
        (".5", "0.5"),
        ("2.0", "2"),
        ("7.", "7"),
        (r"\mathbb{R}", "ℝ"),
        (r"(-\infty, 0) \cup (1, \infty)", "(-∞,0)∪(1,∞)"),
        ("x^{2}", "x²"),
        ("a_{1}", "a₁"),
        ("5 − 3", "5-3"),
        ("4\u200b2", "42"),
    ],
)
def test_one_spelling(left, right):
    assert normalize(left) == normalize(right)


@pytest.mark.parametrize(
    "left, right",
    [
        ("x²", "x2"),
        ("2½", "21/2"),
        ("(1,234)", "(1234)"),
        ("1,23", "123"),
        ("1.50", "150"),
        ("2.05", "2.5"),
        ("10%", "10"),
        ("a", "A"),
        ("[0,1)", "[0,1]"),
        ("-5", "5"),
        (r"\frac{12}{3}", r"\frac{1}{23}"),
        ("no", "none"),
        ("1 2", "12"),
    ],
)
def test_different_things_stay_different(left, right):
    assert normalize(left) != normalize(right)


def test_normalizing_twice_changes_nothing():
    for text in (r"$\left\{ \dfrac{1}{2},\, \sqrt3 \right\}$", "x² + 2½", r"\$1,234.00", r"30^\circ"):
        assert normalize(normalize(text)) == normalize(text)


def test_every_rule_says_why():
    assert all(why for _, _, why in REPLACEMENTS)
