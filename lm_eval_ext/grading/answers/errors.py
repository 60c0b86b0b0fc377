"""Why an answer cannot be read or evaluated."""

from __future__ import annotations


class AnswerError(Exception):
    """An answer cannot be read or evaluated; the message says why."""


class Unreadable(AnswerError):
    """The text is not in the language that these stages parse; another layer may understand it."""


class Undefined(AnswerError):
    """The expression has no value there: a division by zero, the logarithm of zero."""


class TooLarge(AnswerError):
    """A number is too large to be built, or there are too many operations."""

    def __str__(self) -> str:
        return "too much to evaluate"
