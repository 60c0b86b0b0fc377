"""Letters with what hangs on them: a_1, f(x), f'(x), C(n, k)."""

from __future__ import annotations

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon.latex import CLOSE, OPEN
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.syntax.brackets import arguments
from lm_eval_ext.grading.answers.syntax.nodes import Call, Group, Node, Number, Symbol, literal
from lm_eval_ext.grading.answers.syntax.parser import Parser
from lm_eval_ext.grading.answers.syntax.token_stream import TokenStream

_FUNCTION_LETTERS = frozenset("f g h F G H P Q phi psi tau sigma T W".split())


def letter(parser: Parser, token: Token) -> Node:
    tokens = parser.tokens
    name = token.text
    while tokens.accept("'"):
        name += "'"
    node: Node = Symbol(name)
    if tokens.accept("_"):
        below = subscript(parser)
        node = Symbol(f"{name}_{below.value}") if isinstance(below, Number) else Call("apply", (node, below))
    if tokens.current.text == "(" and tokens.peek().text != "mod":
        return _applied(parser, node, name)
    return node


def subscript(parser: Parser) -> Node:
    tokens = parser.tokens
    if tokens.current.text == "(":
        return parser.atom()
    token = tokens.next()
    if token.text == "{":
        return _braced_subscript(parser)
    if token.kind not in ("num", "name", "const"):
        raise Unreadable(f"{token.text!r} as a subscript")
    return literal(token.text) if token.kind == "num" else Symbol(token.text)


def _braced_subscript(parser: Parser) -> Node:
    tokens = parser.tokens
    if tokens.current.kind in ("func", "word") and tokens.peek().text == "}":  # N_{\min}
        name = Symbol(tokens.next().text)
        tokens.advance()
        return name
    inside = parser.sum()
    if tokens.accept(","):
        inside = Group("(", ")", (inside, parser.sum()))
    tokens.expect("}")
    return inside


def _applied(parser: Parser, node: Node, name: str) -> Node:
    """f(x) is a value of f; n(n - 1) is a product, whose second factor is left to be read."""
    commas, after = _look_inside(parser.tokens)
    defined = parser.tokens.position == 1 and after in ("=", "≡")
    if name == "C" and commas == 1:
        return Call("binom", arguments(parser))
    if name in _FUNCTION_LETTERS or commas or defined:
        return Call("apply", (node, *arguments(parser)))
    return node


def _look_inside(tokens: TokenStream) -> tuple[int, str]:
    """The number of commas that the bracket here has at its own level, and the token after it."""
    depth = commas = 0
    for i in range(tokens.position, len(tokens.tokens) - 1):
        text = tokens.tokens[i].text
        depth += (text in OPEN) - (text in CLOSE)
        commas += depth == 1 and text in (",", ";")
        if depth == 0:
            return commas, tokens.tokens[i + 1].text
    return commas, ""
