"""The parser: sums, products and powers by precedence; what stands in them comes from a table of rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.limit import check
from lm_eval_ext.grading.answers.syntax.nodes import Call, Node, Symbol
from lm_eval_ext.grading.answers.syntax.token_stream import TokenStream

MAX_DEPTH = 40
ELLIPSIS = Symbol("...")
_SIGNS = {"+": "", "-": "neg", "±": "pm", "∓": "mp"}

Prefix: TypeAlias = "Callable[[Parser, Token], Node]"
"""Parses what begins with a token that has been read."""
Infix: TypeAlias = "Callable[[Parser, Node], Node | None]"
"""Parses what follows a node, from the current token on; None if it does not belong to the node."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """Parse functions by the text or the kind of the token they begin with, the tightest operators first."""

    atoms: Mapping[str, Prefix]
    postfix: Mapping[str, Infix]
    factors: Mapping[str, Infix]
    sets: Mapping[str, Infix]


class Parser:
    """Parses a stream of tokens; the parse functions of `grammar` call it back for their parts.

    Attributes:
        open_bars: bars of absolute values that are open: the next bar closes one and divides nothing.
        in_residues: "mod" ends an expression here and is no operator.
    """

    def __init__(self, tokens: Sequence[Token], grammar: Grammar) -> None:
        self.tokens = TokenStream(tokens)
        self.grammar = grammar
        self.depth = 0
        self.open_bars = 0
        self.in_residues = False

    def sum(self) -> Node:
        check()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable("nested too deeply")
        terms = [self._signed()]
        while sign := self.tokens.accept("+", "-", "±", "∓", "..."):
            terms.append(ELLIPSIS if sign == "..." else _with_sign(sign, self.product()))
        self.depth -= 1
        if len(terms) > 1:  # 1 + x + O(x^2): what is said of the rest adds nothing
            terms = [t for t in terms if not (isinstance(t, Call) and t.name == "order")] or terms[:1]
        return Call("add", tuple(terms)) if len(terms) > 1 else terms[0]

    def _signed(self) -> Node:
        sign = self.tokens.accept(*_SIGNS)
        return _with_sign(sign, self._signed()) if sign else self.product()

    def product(self) -> Node:
        left = self.factor()
        while (joined := self._follow(self.grammar.factors, left)) is not None:
            left = joined
        joined = self._follow(self.grammar.sets, left)
        return left if joined is None else joined

    def signed_factor(self) -> Node:
        return Call("neg", (self.signed_factor(),)) if self.tokens.accept("-") else self.factor()

    def factor(self) -> Node:
        return self.followed(self.atom())

    def followed(self, node: Node) -> Node:
        """The node with its powers, units and other signs behind it."""
        while (changed := self._follow(self.grammar.postfix, node)) is not None:
            node = changed
        return node

    def atom(self) -> Node:
        token = self.tokens.next()
        rule = self.grammar.atoms.get(token.text if token.kind == "op" else token.kind)
        if rule is None:
            raise no_expression(token)
        return rule(self, token)

    def _follow(self, rules: Mapping[str, Infix], node: Node) -> Node | None:
        token = self.tokens.current
        rule = rules.get(token.text) or rules.get(token.kind)
        return rule(self, node) if rule else None


def no_expression(token: Token) -> Unreadable:
    return Unreadable(f"{token.text!r} begins no expression")


def _with_sign(sign: str, node: Node) -> Node:
    name = _SIGNS[sign]
    return Call(name, (node,)) if name else node
