"""Errors of the judge: only `JudgeError` and its subclass reach the caller."""

from typing import ClassVar


class JudgeError(ValueError):
    """The judge cannot be used as configured; the message says what to change."""


class JudgeRefused(JudgeError):
    """The judge refuses every question: a wrong key, an unknown model."""


class NoReply(Exception):
    """One question has no reply; `kind` names the count in `Usage`."""

    kind: ClassVar[str]


class JudgeUnreachable(NoReply):
    """The judge did not reply to any attempt."""

    kind = "unreachable"


class QuestionRejected(NoReply):
    """The judge rejects this question; it may accept others."""

    kind = "rejected"


class BudgetExceeded(NoReply):
    """The call was not made because it could have exceeded the budget."""

    kind = "over_budget"
