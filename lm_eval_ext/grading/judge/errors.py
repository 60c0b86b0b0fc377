"""Errors of the judge: only `JudgeError` and its subclass reach the caller."""


class JudgeError(ValueError):
    """The judge cannot be used as configured; the message says what to change."""


class JudgeRefused(JudgeError):
    """The judge refuses every question: a wrong key, an unknown model."""


class JudgeUnreachable(Exception):
    """The judge did not reply to any attempt."""


class QuestionRejected(Exception):
    """The judge rejects this question; it may accept others."""


class BudgetExceeded(Exception):
    """The call was not made because it could have exceeded the budget."""
