"""Letters with what hangs on them: a_1, f(x), f'(x), C(n, k)."""

from __future__ import annotations

from itertools import takewhile

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon.english import LABELS
from lm_eval_ext.grading.answers.lexicon.latex import CLOSE, GREEK, OPEN
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.syntax.brackets import arguments
from lm_eval_ext.grading.answers.syntax.nodes import Call, Group, Node, Number, Symbol, literal
from lm_eval_ext.grading.answers.syntax.parser import Parser
from lm_eval_ext.grading.answers.syntax.token_stream import TokenStream

_FUNCTION_LETTERS = frozenset("f g h F G H P Q phi psi tau sigma T W".split())


_DERIVED = frozenset("f g h F u z".split())
"""Letters whose index x, y or z says by what they are derived: f_x, z_{xy}."""


def letter(parser: Parser, token: Token) -> Node:
    tokens = parser.tokens
    name, leads = token.text, tokens.position == 1
    while tokens.accept("'"):
        name += "'"
    if name[0] in _FUNCTION_LETTERS and _inverse(tokens):
        name += "⁻¹"
    node: Node = Symbol(name)
    if tokens.accept("_"):
        below = subscript(parser)
        if name == "C" and tokens.current.text == "^" and _counts(below):
            tokens.advance()
            return Call("binom", (below, parser.signed_factor()))
        node = _indexed(name, below, tokens.current.text == "(")
    if tokens.current.text == "(" and tokens.peek().text != "mod":
        return _applied(parser, node, name, leads)
    return node


def constant(parser: Parser, token: Token) -> Node:
    """e, i, pi; but the e of "e(18) = 6764" is a function."""
    tokens = parser.tokens
    leads = token.text in "ei" and tokens.position == 1 and tokens.current.text == "("
    of_number = leads and tokens.peek().kind == "num" and tokens.peek(2).text == ")"
    if of_number and _look_inside(tokens)[1] == "=":
        return Call("apply", (Symbol(token.text), *arguments(parser)))
    return Call(token.text, ())


def _counts(below: Node) -> bool:
    """Whether it is the n of C_n^k, a number of combinations: a power of a constant is C_1^2."""
    return below.value > 2 if isinstance(below, Number) else not isinstance(below, Group)


def _indexed(name: str, index: Node, applied: bool) -> Node:
    """a_1 and f_x are letters, a_n a term of a sequence, f_Y(y) a value of the function f_Y."""
    if isinstance(index, Number):
        return Symbol(f"{name}_{index.value}")
    if isinstance(index, Symbol) and len(index.name) > 2 and index.name.islower() and index.name not in GREEK:
        return (
            Symbol(f"{name}_{index.name}")
            if index.name not in LABELS
            else Call("apply", (Symbol(name), index))
        )
    if applied and name in _FUNCTION_LETTERS and isinstance(index, Symbol) and index.name.isupper():
        return Symbol(f"{name}_{index.name}")
    if name in _DERIVED and (by := _letters(index)) and set(by) <= {"x", "y", "z"}:
        return Symbol(f"{name}_{''.join(sorted(by))}")
    return Call("apply", (Symbol(name), index))


def _letters(node: Node) -> str:
    """ "xy" of the index of f_{xy}; empty for any other."""
    nodes = node.args if isinstance(node, Call) and node.name == "mul" else (node,)
    return "".join(n.name if isinstance(n, Symbol) else "#" for n in nodes)


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
    if word := _word(tokens):
        return Symbol(word)
    inside = parser.sum()
    if tokens.accept(","):
        inside = Group("(", ")", (inside, parser.sum()))
    tokens.expect("}")
    return inside


def _word(tokens: TokenStream) -> str:
    """Read y_{unif} with three letters or more as one word; empty for an index such as mn."""
    run = list(
        takewhile(
            lambda t: t.kind in ("name", "const") and len(t.text) == 1, tokens.tokens[tokens.position :]
        )
    )
    after = tokens.peek(len(run))
    if len(run) < 3 or after.text != "}":
        return ""
    tokens.advance(len(run) + 1)
    return "".join(t.text for t in run)


def _applied(parser: Parser, node: Node, name: str, leads: bool) -> Node:
    """f(x) and I(0) are values; n(n - 1) is a product, whose second factor is left to be read."""
    commas, after = _look_inside(parser.tokens)
    initial = parser.tokens.peek().text == "0" and parser.tokens.peek(2).text == ")"  # no factor (0)
    defined = leads and after in ("=", "≡", "≈") and _has_plain_arguments(parser.tokens)
    if name == "C" and commas == 1:
        return Call("binom", arguments(parser))
    if (special := _special(node, commas)) is not None:
        return Call(special[0], (*special[1], *arguments(parser)))
    if name.rstrip("'⁻¹") in _FUNCTION_LETTERS or commas or defined or initial:
        return Call("apply", (node, *arguments(parser)))
    return node


def _has_plain_arguments(tokens: TokenStream) -> bool:
    """x(t) = ... defines a function, x(x^2 + 1) = ... is an equation."""
    end = next(i for i in range(tokens.position, len(tokens.tokens)) if tokens.tokens[i].text == ")")
    return all(
        t.kind in ("name", "num", "const") or t.text in (",", "/", "frac", "{", "}", "-")
        for t in tokens.tokens[tokens.position + 1 : end]
    )


def _inverse(tokens: TokenStream) -> bool:
    """Read the -1 of f^{-1}(x)."""
    if [tokens.peek(i).text for i in range(6)] != ["^", "{", "-", "1", "}", "("]:
        return False
    tokens.advance(5)
    return True


_SPECIAL = {"Gamma": "gamma", "zeta": "zeta", "O": "order", "o": "order"}
_BESSEL = {"J": "besselj", "Y": "bessely", "I": "besseli", "K": "besselk"}


def _special(node: Node, commas: int) -> tuple[str, tuple[Node, ...]] | None:
    """The special function, and its order, that a letter before a bracket is: Gamma(x), J_0(x)."""
    if commas or not isinstance(node, Symbol):
        return None
    name, _, order = node.name.partition("_")
    if name in _BESSEL and order.isdigit():
        return _BESSEL[name], (literal(order),)
    return (_SPECIAL[name], ()) if name in _SPECIAL and not order else None


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
