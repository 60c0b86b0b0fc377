"""Errors that the user can fix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lm_eval_ext.errors import UserError

__all__ = ["DataError", "ModelError", "ProtocolError", "UserError", "at_hand"]


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
