r"""What has a name: functions, roots, fractions, sums, such as \frac12, sin 2x, log_2 n, \overline{ab}."""

from __future__ import annotations

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.syntax.brackets import arguments
from lm_eval_ext.grading.answers.syntax.calculus import derivative, integral
from lm_eval_ext.grading.answers.syntax.letters import subscript
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Node,
    Symbol,
    children,
    literal,
    number,
    times,
    with_children,
)
from lm_eval_ext.grading.answers.syntax.parser import Parser, Prefix

_INVERSE = Call("neg", (number(1),))
_FACTOR_KINDS = frozenset(["name", "const", "num"])


def function(parser: Parser, token: Token) -> Node:
    return _FUNCTIONS.get(token.text, _elementary)(parser, token)


def _elementary(parser: Parser, token: Token) -> Node:
    """sin x, sin^2 x, sin(x), log_2 n, log2(n)."""
    tokens, name = parser.tokens, token.text
    base = exponent = None
    if tokens.accept("_"):
        base = subscript(parser)
    elif name == "log" and _is_base(tokens.current, tokens.peek()):
        base = literal(tokens.next().text)
    if tokens.accept("^"):
        exponent = parser.signed_factor()
    inside = arguments(parser)[0] if tokens.current.text == "(" else _bare_argument(parser)
    if exponent == _INVERSE:
        return Call("arc" + name, (inside,))
    value = _logarithm(name, inside, base) if name in _LOGARITHMS else Call(name, (inside,))
    return value if exponent is None else Call("pow", (value, exponent))


_LOGARITHMS = frozenset(["log", "ln", "lg"])


def _is_base(token: Token, following: Token) -> bool:
    return token.kind == "num" and not token.space and following.kind in ("name", "op")


def _logarithm(name: str, inside: Node, base: Node | None) -> Node:
    if name == "lg":
        base = number(10)
    return Call("log", (inside,) if base is None else (inside, base))


def _bare_argument(parser: Parser) -> Node:
    """sin 2x y: factors up to the next function or sign."""
    tokens = parser.tokens
    inside = parser.factor()
    while tokens.current.kind in _FACTOR_KINDS or tokens.current.text == "frac":
        inside = times(inside, parser.factor())
    if tokens.previous().text == "pi" and tokens.current.text == "/" and tokens.peek().kind == "num":
        tokens.advance()  # sin pi/4
        inside = Call("div", (inside, parser.factor()))
    return inside


def _piece(parser: Parser, second: bool = False) -> Node:
    r"""The argument of a LaTeX command: a group, or one sign (\frac12 is 1/2, \sqrt2x is \sqrt{2}x)."""
    tokens = parser.tokens
    token, before = tokens.current, tokens.previous().text
    after_frac = before == "frac" or (second and before != "}" and not token.space)
    if token.kind == "num" and after_frac and token.text.isdigit() and len(token.text) > 1:
        return literal(tokens.split_digit())
    return parser.atom()


def _fraction(parser: Parser, _: Token) -> Node:
    if (derived := derivative(parser)) is not None:
        return derived
    return Call("div", (_piece(parser), _piece(parser, second=True)))


def _binomial(parser: Parser, _: Token) -> Node:
    bracketed = parser.tokens.current.text == "("
    return Call("binom", arguments(parser) if bracketed else (_piece(parser), _piece(parser)))


def _of_several(parser: Parser, token: Token) -> Node:
    if parser.tokens.current.text not in ("(", "{", "\\{"):
        raise Unreadable(f"{token.text} of what?")
    return Call(token.text, arguments(parser))


def _of_one(parser: Parser, token: Token) -> Node:
    return Call(token.text, (_piece(parser),))


def _root(parser: Parser, _: Token) -> Node:
    if not parser.tokens.accept("["):
        return Call("sqrt", (_piece(parser),))
    degree = parser.sum()
    parser.tokens.expect("]")
    return Call("root", (_piece(parser), degree))


def _cube_root(parser: Parser, _: Token) -> Node:
    return Call("root", (_piece(parser), number(3)))


def _big(parser: Parser, token: Token) -> Node:
    """A sum or a product over an index."""
    tokens = parser.tokens
    tokens.expect("_")
    braces = bool(tokens.accept("{"))
    index = tokens.next()
    if index.kind not in ("name", "const"):
        raise Unreadable("a sum without an index")
    tokens.expect("=")
    low = parser.sum()
    if braces:
        tokens.expect("}")
    tokens.expect("^")
    high = parser.signed_factor()
    body = with_index(parser.product(), index.text)
    return Call(token.text, (Symbol(index.text), low, high, body))


def _angle(parser: Parser, _: Token) -> Node:
    name = ""
    while parser.tokens.current.kind == "name" and parser.tokens.current.text.isupper():
        name += parser.tokens.next().text
    if not name:
        raise Unreadable("an angle without letters")
    return Symbol(f"∠{name}")


def _digits(parser: Parser, _: Token) -> Node:
    """The number written \\overline{ab}: 10a + b."""
    tokens = parser.tokens
    braces = bool(tokens.accept("{"))
    if tokens.current.kind == "name" and (not braces or tokens.peek().text == "}"):
        name = tokens.next().text
        tokens.accept("}")
        return Symbol(f"{name}\u0304")  # a conjugate, a mean
    value: Node = number(0)
    while tokens.current.kind in _FACTOR_KINDS or tokens.current.text == "(":
        if tokens.current.text == "(":
            parts = [parser.atom()]
        else:
            token = tokens.next()
            parts = [*map(literal, token.text)] if token.kind == "num" else [Symbol(token.text)]
        for part in parts:
            value = Call("add", (Call("mul", (number(10), value)), part))
    if braces:
        tokens.expect("}")
    return value


def _of_matrix(parser: Parser, token: Token) -> Node:
    return Call("apply", (Symbol(token.text), _piece(parser)))


_FUNCTIONS: dict[str, Prefix] = {
    "frac": _fraction,
    "binom": _binomial,
    "sum": _big,
    "prod": _big,
    "angle": _angle,
    "int": integral,
    "det": _of_matrix,
    "tr": _of_matrix,
    "overline": _digits,
    "sqrt": _root,
    "cbrt": _cube_root,
    **dict.fromkeys(("min", "max", "gcd", "lcm"), _of_several),
    **dict.fromkeys(("floor", "ceil", "abs", "exp", "sgn"), _of_one),
}


def with_index(node: Node, name: str) -> Node:
    """The i of a sum over i is its index, not the imaginary unit."""
    if isinstance(node, Call) and node.name == name and not node.args:
        return Symbol(name)
    below = children(node)
    return with_children(node, tuple(with_index(c, name) for c in below)) if below else node
