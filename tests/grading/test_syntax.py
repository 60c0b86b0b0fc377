"""Text to tokens to one expression."""

import pytest

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexing.lexer import tokens
from lm_eval_ext.grading.answers.syntax.grammar import parse
from lm_eval_ext.grading.answers.syntax.nodes import Call, Number, Quantity, number, show

pytestmark = pytest.mark.unit

SHOWN = {
    "a + b*c - d": "(a + (b*c) + -d)",
    "-2^2": "-(2^2)",
    "2^3^2": "(2^(3^2))",
    "2 1/2": "5/2",
    r"2\frac13": "7/3",
    r"\frac12": "(1/2)",
    r"\sqrt2x": "(sqrt(2)*x)",
    "PQ/BC": "((P*Q)/(B*C))",
    "n(n - 1)": "(n*(n + -1))",
    "f(x) = x!": "apply(f, x) = factorial(x)",
    r"\sin^2 x": "(sin(x)^2)",
    r"\sin^{-1} x": "arcsin(x)",
    r"\log_2 8": "log(8, 2)",
    r"\sum_{i=1}^n i": "sum(i, 1, n, i)",
    r"\overline{ab}": "((10*((10*0) + a)) + b)",
    r"x \in \mathbb{Z}_{>0}": "x in Z>0",
    r"\mathbb{R} \setminus \{0\}": "minus(R, {0})",
    "(0, 1) U [2, 3)": "union((0, 1), [2, 3))",
    r"n \equiv \pm 1 \pmod 6": "n ≡ residues(1, -1, 6)",
    "1:2:3": "ratio(1, 2, 3)",
    "|x - |y||": "abs((x + -abs(y)))",
    r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}": "((1, 2), (3, 4))",
    "0.1(6)": "1/6",
}


@pytest.mark.parametrize(("text", "expected"), SHOWN.items(), ids=SHOWN)
def test_an_expression_is_parsed_by_precedence(text, expected):
    assert show(parse(tokens(text))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5 cm", Quantity(number(5), "cm")),
        (r"5\text{ m/s}^2", Quantity(number(5), "m/s^2")),
        (r"30^\circ", Quantity(number(30), "°")),
        (r"30^{\circ}", Quantity(number(30), "°")),
        ("$3", Quantity(number(3), "$")),
        ("101_2", Quantity(number(101), "base 2")),
        ("-5%", Call("neg", (Quantity(number(5), "%"),))),
        ("5 units", number(5)),
    ],
)
def test_a_value_with_a_unit_is_a_quantity(text, expected):
    assert parse(tokens(text)) == expected


def test_a_decimal_keeps_its_places():
    assert parse(tokens("0.50")) == Number(number(1).value / 2, places=2)


@pytest.mark.parametrize(
    "text", ["", "1 +", "(1", "(1, 2, 3]", "a - -b", "min = 3", r"\unknown", "(" * 50 + ")" * 50]
)
def test_what_is_no_expression_is_unreadable(text):
    with pytest.raises(Unreadable):
        parse(tokens(text))
