r"""Derivatives and integrals: \\frac{dy}{dx}, \\frac{\\partial f}{\\partial x}, \\int_0^1 x^2\\,dx."""

from __future__ import annotations

import re

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon.latex import CLOSE, OPEN
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.syntax.nodes import Call, Node, Symbol, number
from lm_eval_ext.grading.answers.syntax.parser import Parser


def derivative(parser: Parser) -> Node | None:
    """The name of what is derived, y', y'', f_x or f_{xy}, where the fraction to be read is one."""
    tokens = parser.tokens
    if tokens.peek().text not in ("d", "∂"):
        return None
    found = _DERIVATIVE.match(" ".join(tokens.peek(i).text for i in range(24)))
    if found is None:
        return None
    by = [name for name, power in _BY.findall(found["by"]) for _ in range(int(power or 1))]
    if len(by) != int(found["order"] or 1) or (found["d"] == "d" and len(set(by)) > 1):
        return None
    tokens.advance(len(found[0].split()))
    if found["d"] == "d":
        return Symbol(found["name"] + "'" * len(by) + f"({by[0]})")
    return Symbol(f"{found['name']}_{''.join(sorted(by))}")


_POWER = r"(?:\^ (?:\{ )?(?P<%s>[234]) (?:\} )?)?"
_DERIVATIVE = re.compile(
    rf"\{{ (?P<d>[d∂]) {_POWER % 'order'}(?P<name>[A-Za-z]) \}} "
    rf"\{{ (?P<by>(?:(?P=d) [A-Za-z]+ {_POWER % 'times'})+)\}}(?= |$)"
)
_BY = re.compile(r"[d∂] ([A-Za-z]+) " + _POWER % "power")


def integral(parser: Parser, _: Token) -> Node:
    """An integral whose integrand ends at its differential."""
    tokens = parser.tokens
    limits: list[Node] = []
    for sign in "_^":
        if tokens.accept(sign):
            limits.append(parser.atom())
    if len(limits) == 1:
        raise Unreadable("an integral with one limit")
    _move_differential(parser)
    end = _differential(parser)
    inner = type(parser)(tokens.tokens[tokens.position : end], parser.grammar)
    body = inner.sum() if inner.tokens.current.text else number(1)
    if inner.tokens.current.text:
        raise Unreadable("an integrand that does not end")
    variable = Symbol(tokens.tokens[end + 1].text)
    tokens.seek(end + 2)
    return Call("int", (variable, *limits, body)) if limits else Call("antiderivative", (variable, body))


def _move_differential(parser: Parser) -> None:
    """The differential of an integrand \\frac{dx}{1 + x} behind the fraction."""
    tokens, start = parser.tokens.tokens, parser.tokens.position
    if tokens[start].text != "frac" or tokens[start + 1].text != "{":
        return
    end = _closing(tokens, start + 1)
    if end - 2 <= start + 1 or tokens[end - 2].text != "d" or tokens[end - 1].kind != "name":
        return
    above = tokens[start + 2 : end - 2] or [Token("num", "1")]
    after = _closing(tokens, end + 1) + 1
    tokens[start:after] = [
        *tokens[start : start + 2],
        *above,
        *tokens[end:after],
        *tokens[end - 2 : end],
    ]
    parser.tokens.seek(start)


def _closing(tokens: list[Token], start: int) -> int:
    """The place of the bracket that closes the one at `start`, or of the only token there."""
    depth = 0
    for i in range(start, len(tokens)):
        depth += (tokens[i].text in OPEN) - (tokens[i].text in CLOSE)
        if depth == 0:
            return i
    raise Unreadable("brackets that do not close")


def _differential(parser: Parser) -> int:
    """The place of the d that ends the integrand; an integral beside it or in brackets has its own."""
    tokens = parser.tokens.tokens
    depth, wanted = 0, 1
    for i in range(parser.tokens.position, len(tokens) - 2):
        depth += (tokens[i].text in OPEN) - (tokens[i].text in CLOSE)
        wanted += depth == 0 and tokens[i].text == "int"
        if depth == 0 and tokens[i].text == "d" and tokens[i + 1].kind == "name":
            wanted -= 1
            if wanted == 0:
                return i
        if depth < 0:
            break
    raise Unreadable("an integral without a differential")
