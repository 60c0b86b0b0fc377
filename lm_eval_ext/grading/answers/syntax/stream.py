"""A stream of tokens that a parser reads one by one."""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.syntax.nodes import Node


class Stream:
    """Tokens with a position; the parts of the grammar are built on it."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = list(tokens)
        self.position = 0
        self.depth = 0
        self.bars = 0
        self.in_residues = False

    def peek(self, ahead: int = 0) -> str | None:
        here = self.position + ahead
        return self.tokens[here].text if here < len(self.tokens) else None

    def kind(self, ahead: int = 0) -> str | None:
        here = self.position + ahead
        return self.tokens[here].kind if here < len(self.tokens) else None

    def next(self) -> Token:
        if self.position >= len(self.tokens):
            raise Unreadable("it ends in the middle of an expression")
        self.position += 1
        return self.tokens[self.position - 1]

    def accept(self, *texts: str) -> str | None:
        text = self.peek()
        if text in texts and self.kind() in ("op", "word"):
            self.position += 1
            return text
        return None

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise Unreadable(f"{text!r} expected, found {self.peek()!r}")

    # what the parts of the grammar need of each other

    def relation(self) -> Node:
        raise NotImplementedError

    def sum(self) -> Node:
        raise NotImplementedError

    def product(self) -> Node:
        raise NotImplementedError

    def factor(self) -> Node:
        raise NotImplementedError

    def exponent(self) -> Node:
        raise NotImplementedError

    def atom(self) -> Node:
        raise NotImplementedError

    def atom_arguments(self) -> tuple[Node, ...]:
        raise NotImplementedError

    def index(self) -> Node:
        raise NotImplementedError

    def region_part(self) -> Node:
        raise NotImplementedError
