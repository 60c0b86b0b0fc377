"""Errors that the user can fix."""

from __future__ import annotations


class UserError(ValueError, SystemExit):
    """A ValueError for callers in Python; on a command line it ends the program with one clear line.

    An uncaught SystemExit prints its code and exits with 1, without a traceback: under `lm_eval` this is
    the only way for a task to refuse in one line.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = message


class DataError(UserError):
    """Data cannot be read: what was looked for, where, and what to do."""
