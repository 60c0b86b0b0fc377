"""Why an answer cannot be read or evaluated."""

from __future__ import annotations


class Unreadable(Exception):
    """The text is not in the language that these stages parse; another layer may understand it."""
