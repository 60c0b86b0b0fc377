"""Tokens with a position."""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexing.lexer import Token

END = Token("end", "")


class TokenStream:
    """Tokens read one by one; `current` is the next one to read, `END` behind the last."""

    __slots__ = ("current", "position", "tokens")

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = [*tokens, END]
        self.seek(0)

    def seek(self, position: int) -> None:
        self.position = position
        self.current = self.tokens[position]

    def peek(self, ahead: int = 1) -> Token:
        return self.tokens[min(self.position + ahead, len(self.tokens) - 1)]

    def previous(self) -> Token:
        return self.tokens[self.position - 1]

    def advance(self, count: int = 1) -> None:
        self.position += count
        self.current = self.tokens[self.position]

    def next(self) -> Token:
        token = self.current
        if token is END:
            raise Unreadable("it ends in the middle of an expression")
        self.advance()
        return token

    def accept(self, *texts: str) -> str | None:
        text = self.current.text
        if text not in texts:
            return None
        self.advance()
        return text

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise Unreadable(f"{text!r} expected, found {self.current.text!r}")

    def split_digit(self) -> str:
        """Read the first digit of the current number and leave the others."""
        digits = self.current.text
        self.current = self.tokens[self.position] = Token("num", digits[1:])
        return digits[0]
