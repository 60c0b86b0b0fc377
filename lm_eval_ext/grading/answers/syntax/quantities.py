"""What follows a value: powers, factorials, number bases, units."""

from __future__ import annotations

from lm_eval_ext.grading.answers.lexicon.units import UNITS
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.syntax.letters import subscript
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Group,
    Node,
    Number,
    Quantity,
    Symbol,
    number,
    show,
    without_unit,
)
from lm_eval_ext.grading.answers.syntax.parser import Parser

_POWERS = {"square": "^2", "cubic": "^3"}


def power(parser: Parser, node: Node) -> Node:
    r"""x^2, and 30^\circ, which is no power; the unit of 5 * 10^3 m is that of the power."""
    tokens = parser.tokens
    tokens.advance()
    if tokens.accept("°"):
        return Quantity(node, "°")
    if tokens.current.text == "{" and tokens.peek().text == "°":
        tokens.advance(2)
        tokens.expect("}")
        return Quantity(node, "°")
    exponent = parser.signed_factor()
    if isinstance(node, Group) and exponent == Symbol("T"):
        return node  # a row for a column
    bare, unit = without_unit(exponent)
    if unit and unit not in ("%", "°") and not unit.startswith("base "):
        return Quantity(Call("pow", (node, bare)), unit)
    return Call("pow", (node, exponent))


def factorial(parser: Parser, node: Node) -> Node:
    parser.tokens.advance()
    return Call("factorial2" if parser.tokens.accept("!") else "factorial", (node,))


def in_base(parser: Parser, node: Node) -> Node | None:
    if not isinstance(node, Number):
        return None
    parser.tokens.advance()
    return Quantity(node, f"base {show(subscript(parser))}")


def per_mille(parser: Parser, node: Node) -> Node:
    parser.tokens.advance()
    return Call("div", (node, number(1000)))


def with_sign(parser: Parser, node: Node) -> Node:
    """A unit of one sign: %, °, $."""
    return Quantity(node, parser.tokens.next().text)


def price(parser: Parser, token: Token) -> Node:
    """A currency before its number."""
    return Quantity(parser.factor(), token.text)


def with_unit(parser: Parser, node: Node) -> Node | None:
    if parser.tokens.current.text not in UNITS:
        return None
    unit = _unit(parser)
    return Quantity(node, unit) if unit else node


def _unit(parser: Parser) -> str:
    """ "cm", "cm^2", "m/s^2", "lb/in^2": a unit and those it is divided or multiplied by."""
    tokens = parser.tokens
    name = tokens.next().text
    power_ = _POWERS.get(name, "")
    if power_ and _is_unit(tokens.current):
        name = tokens.next().text
    unit = UNITS[name]
    unit += power_ if unit else ""
    if tokens.accept("^"):
        unit += f"^{show(parser.signed_factor())}"
    while _is_unit(tokens.peek()) and (sign := tokens.accept("/", "*")):
        unit += sign + _unit(parser)
    return unit


def _is_unit(token: Token) -> bool:
    return token.kind == "word" and token.text in UNITS
