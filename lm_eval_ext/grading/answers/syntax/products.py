r"""What follows a factor: signs, letters set side by side, mixed numbers such as 2\frac{1}{2}."""

from __future__ import annotations

from fractions import Fraction

from lm_eval_ext.grading.answers.lexicon.latex import PAIRS
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.syntax.nodes import Call, Node, Number, number, times
from lm_eval_ext.grading.answers.syntax.parser import ELLIPSIS, Parser

_ENDS = frozenset(["!", ")", "}"])


def multiplied(parser: Parser, left: Node) -> Node:
    parser.tokens.advance()
    return times(left, parser.signed_factor())


def divided(parser: Parser, left: Node) -> Node:
    """PQ/BC is (PQ)/(BC): letters written as one word stay together."""
    tokens = parser.tokens
    tokens.advance()
    below = parser.signed_factor()
    while tokens.current.kind == tokens.previous().kind == "name" and not tokens.current.space:
        below = times(below, parser.factor())
    return Call("div", (left, below))


def remainder(parser: Parser, left: Node) -> Node | None:
    if parser.in_residues:
        return None
    parser.tokens.advance()
    return Call("mod", (left, parser.factor()))


def chosen(parser: Parser, left: Node) -> Node:
    parser.tokens.advance()
    return Call("binom", (left, parser.product()))


def juxtaposed(parser: Parser, left: Node) -> Node:
    return times(left, parser.factor())


def with_letter(parser: Parser, left: Node) -> Node | None:
    """A letter, which is no factor if it is the U of a union."""
    tokens = parser.tokens
    union = tokens.current.text == "U" and tokens.peek().text in PAIRS
    return None if union else juxtaposed(parser, left)


def with_brackets(parser: Parser, left: Node) -> Node | None:
    tokens = parser.tokens
    modulus = tokens.current.text == "(" and tokens.peek().text == "mod"
    return None if modulus else juxtaposed(parser, left)


def with_absolute(parser: Parser, left: Node) -> Node | None:
    """2|x|: a number before bars that come in pairs; 3 | n has one."""
    tokens = parser.tokens
    bars = sum(t.text == "|" for t in tokens.tokens[tokens.position :])
    if parser.open_bars or bars % 2 or not isinstance(left, Number) or tokens.current.space:
        return None
    return juxtaposed(parser, left)


def with_ellipsis(parser: Parser, left: Node) -> Node | None:
    """n(n - 1)...(n - k)."""
    if parser.tokens.peek().text != "(":
        return None
    parser.tokens.advance()
    return times(left, ELLIPSIS)


def with_number(parser: Parser, left: Node) -> Node | None:
    """2 1/2 is 5/2; else a number is a factor behind an end: 48! 16!"""
    mixed = _mixed(parser, left)
    if mixed is None and (parser.tokens.previous().text in _ENDS or _is_base(parser)):
        return juxtaposed(parser, left)
    return mixed


def _is_base(parser: Parser) -> bool:
    """Whether the number is that of a power behind a letter, n2^n, or a factor behind i: i2pi."""
    if parser.tokens.previous() in (Token("const", "i"), Token("const", "i", True)):
        return True
    return parser.tokens.previous().kind == "name" and parser.tokens.peek().text == "^"


def with_function(parser: Parser, left: Node) -> Node:
    mixed = _mixed(parser, left) if parser.tokens.current.text == "frac" else None
    return juxtaposed(parser, left) if mixed is None else mixed


def _mixed(parser: Parser, left: Node) -> Node | None:
    """2 1/2 and 2\\frac{1}{2} are 5/2: an integer before a proper fraction of integers."""
    tokens = parser.tokens
    if not (isinstance(left, Number) and left.value.denominator == 1 and tokens.previous().kind == "num"):
        return None
    top, bottom, used = _fraction([tokens.peek(i).text for i in range(7)])
    if not (top.isdigit() and bottom.isdigit() and 0 < int(top) < int(bottom)):
        return None
    tokens.advance(used)
    return parser.followed(number(left.value + Fraction(int(top), int(bottom))))


def _fraction(texts: list[str]) -> tuple[str, str, int]:
    r"""Numerator, denominator and length of 1/2, \frac{1}{2} or \frac12."""
    match texts:
        case [top, "/", bottom, *_]:
            return top, bottom, 3
        case ["frac", "{", top, "}", "{", bottom, "}"]:
            return top, bottom, 7
        case ["frac", both, *_] if len(both) == 2:
            return both[0], both[1], 2
    return "", "", 0
