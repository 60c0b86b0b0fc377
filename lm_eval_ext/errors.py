"""Errors that the user can fix."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType


def shown(value: object, most: int = 120) -> str:
    """A received value for an error's message, cut after `most` characters."""
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}..."


def similar(name: str, known: Iterable[str], least: float = 0.7) -> str:
    """The known names that look like it, as the end of a sentence; "" if there are none."""
    near = get_close_matches(name, sorted(known), 3, least)
    return f"; close to it: {', '.join(near)}" if near else ""


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


def required(module: str, option: str, extra: str) -> ModuleType:
    """An optional package. Raises UserError with the extra that installs it."""
    try:
        return import_module(module)
    except ModuleNotFoundError:
        raise UserError(f"{option} needs {module}: pip install 'lm-eval-ext[{extra}]'") from None
