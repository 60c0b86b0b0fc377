"""The rules by which answers are compared: which function decides by which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
DECIDES: dict[str, Callable[..., Any]] = {}
"""The function that decides by a rule, by the id of the rule."""


def rule(*ids: str) -> Callable[[Function], Function]:
    """Registers the function whose outcomes carry these ids; each id has one function."""

    def register(function: Function) -> Function:
        for each in ids:
            assert each not in DECIDES, f"{each} is decided in two places"
            DECIDES[each] = function
        return function

    return register
