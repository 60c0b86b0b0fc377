"""Sets: domains such as Z_{>0}, intervals, unions and differences of them."""

from __future__ import annotations

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon.latex import PAIRS
from lm_eval_ext.grading.answers.syntax.nodes import Call, Node, Number, Symbol
from lm_eval_ext.grading.answers.syntax.parser import Parser

DOMAINS = frozenset("RZNQC")
SET_OPERATIONS = {"∪": "union", "U": "union", "∩": "intersection", "\\": "minus"}
_LIMITS = {">": ">", ">=": ">=", "!=": "!=", "<": "<", "<=": "<=", "+": ">", "*": "!="}


def region(parser: Parser) -> Node:
    """What follows ∈: a domain, an interval, a set, unions and differences of them."""
    return _united(parser, _part(parser))


def united(parser: Parser, left: Node) -> Node | None:
    return None if isinstance(left, Number) else _united(parser, left)


def _united(parser: Parser, left: Node) -> Node:
    """`left` with the sets joined to it, or taken away: (a, b) U (c, d), R \\ {0}."""
    tokens = parser.tokens
    while operation := SET_OPERATIONS.get(tokens.current.text):
        if tokens.current.text == "U" and tokens.peek().text not in PAIRS:
            break
        tokens.advance()
        left = Call(operation, (left, _part(parser)))
    return left


def _part(parser: Parser) -> Node:
    tokens = parser.tokens
    start = tokens.position
    braces = bool(tokens.accept("{"))
    if tokens.current.text in DOMAINS:
        name = tokens.next().text
        if not braces or tokens.accept("}"):
            return named_domain(parser, name)
    tokens.seek(start)
    return parser.sum()


def named_domain(parser: Parser, name: str) -> Node:
    """R, or a part of it such as R^+."""
    return Symbol(name + _limit(parser))


def _limit(parser: Parser) -> str:
    """The limit on a domain: ">0" of Z_{>0}, R^+, Z^{+}; "!=0" of R^*."""
    tokens = parser.tokens
    if not tokens.accept("_", "^"):
        return ""
    braces = bool(tokens.accept("{"))
    sign = tokens.accept(*_LIMITS)
    if sign is None or (sign not in "+*" and tokens.next().text != "0"):
        raise Unreadable("a domain with an unknown limit")
    if braces:
        tokens.expect("}")
    return _LIMITS[sign] + "0"
