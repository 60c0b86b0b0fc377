r"""Derivatives and integrals: \\frac{dy}{dx}, \\frac{\\partial f}{\\partial x}, \\int_0^1 x^2\\,dx."""

from __future__ import annotations

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon.latex import CLOSE, OPEN
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.syntax.nodes import Call, Node, Symbol, number
from lm_eval_ext.grading.answers.syntax.parser import Parser


def derivative(parser: Parser) -> Node | None:
    """The name of what is derived, y' or f_x, where the fraction to be read is one; else None."""
    tokens = parser.tokens
    texts = [tokens.peek(i).text for i in range(8)]
    match texts:
        case ["{", "d" | "∂" as d, name, "}", "{", other, by, "}"] if other == d and len(name) == 1:
            tokens.advance(8)
            return Symbol(f"{name}'({by})") if d == "d" else Call("apply", (Symbol(name), Symbol(by)))
    return None


def integral(parser: Parser, _: Token) -> Node:
    """An integral whose integrand ends at its differential."""
    tokens = parser.tokens
    limits: list[Node] = []
    for sign in "_^":
        if tokens.accept(sign):
            limits.append(parser.atom())
    if len(limits) == 1:
        raise Unreadable("an integral with one limit")
    end = _differential(parser)
    inner = type(parser)(tokens.tokens[tokens.position : end], parser.grammar)
    body = inner.sum() if inner.tokens.current.text else number(1)
    if inner.tokens.current.text:
        raise Unreadable("an integrand that does not end")
    variable = Symbol(tokens.tokens[end + 1].text)
    tokens.seek(end + 2)
    return Call("int", (variable, *limits, body)) if limits else Call("antiderivative", (variable, body))


def _differential(parser: Parser) -> int:
    """The place of the d that ends the integrand; an integral inside has one of its own."""
    tokens = parser.tokens.tokens
    depth, wanted = 0, 1
    for i in range(parser.tokens.position, len(tokens) - 2):
        depth += (tokens[i].text in OPEN) - (tokens[i].text in CLOSE)
        wanted += tokens[i].text == "int"
        if depth == 0 and tokens[i].text == "d" and tokens[i + 1].kind == "name":
            wanted -= 1
            if wanted == 0:
                return i
        if depth < 0:
            break
    raise Unreadable("an integral without a differential")
