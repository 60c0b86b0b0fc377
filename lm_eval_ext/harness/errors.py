"""What the user can mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class UserError(ValueError, SystemExit):
    """A ValueError for callers in Python; on a command line it ends the program with one clear line.

    An uncaught SystemExit prints its code and exits with 1, without a traceback: under `lm_eval` that is
    the only way for a task to refuse in one line.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = message


class DataError(UserError):
    """Data cannot be read: what was looked for, where, and what to do."""


class ModelError(UserError):
    """A model is not at hand: which one, and what transformers says of it."""


class ProtocolError(UserError):
    """A run would not be comparable: which setting, what was received, what to set instead."""


@contextmanager
def at_hand(model: str) -> Iterator[None]:
    """Raises ModelError where what is loaded of the model, a folder or a name, cannot be had."""
    try:
        yield
    except (OSError, ValueError) as error:
        said = str(error).partition("\n")[0].rstrip(".")
        raise ModelError(
            f"model {model}: {said}. Name a folder that has it, or a model of a Hub that can be reached"
        ) from error
