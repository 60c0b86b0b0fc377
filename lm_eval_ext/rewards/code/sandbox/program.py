"""The program's process: runs the program, then calls its functions for the tests until it is killed."""

from __future__ import annotations

import builtins
import os
import sys
from types import ModuleType
from typing import Any

from . import isolation, wire

_NAME = "program"
_LONGEST_REASON = 200


class Served:
    """The program's namespace, and its objects that the tests hold."""

    def __init__(self) -> None:
        self.module = ModuleType(_NAME)
        self.kept: list[Any] = []
        sys.modules[_NAME] = self.module  # where dataclasses and pickle look for a class's module

    def run(self, code: str) -> list[Any]:
        """Runs the program; the reply."""
        try:
            exec(compile(code, f"<{_NAME}>", "exec"), vars(self.module))
        except BaseException as error:
            return raised(error)
        return ["returned", None]

    def answer(self, request: list[Any]) -> list[Any]:
        """Does what the tests ask for; the reply."""
        try:
            what, target, *rest = (wire.decode(part, self.find) for part in request)
            return ["returned", wire.encode(getattr(self, f"_{what}")(target, *rest), self.keep)]
        except BaseException as error:
            return raised(error)

    def _call(self, target: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
        return target(*arguments, **named)

    def _get(self, target: Any, name: str) -> Any:
        return getattr(target, name)

    def _set(self, target: Any, name: str, value: Any) -> None:
        setattr(target, name, value)

    def keep(self, value: object) -> list[Any]:
        self.kept.append(value)
        return ["object", len(self.kept) - 1]

    def find(self, tag: str, content: Any) -> object:
        if tag == "object":
            return self.kept[content]
        if content not in vars(self.module) and not hasattr(builtins, content):
            raise NameError(f"name {content!r} is not defined")
        return vars(self.module).get(content, getattr(builtins, content, None))


def raised(error: BaseException) -> list[Any]:
    """The reply for an exception."""
    return ["raised", [type(error).__name__, str(error)[:_LONGEST_REASON]]]


def serve(code: str, requests: int, replies: int) -> None:
    """Runs the program with nothing open but the two pipes, and answers requests."""
    null = os.open(os.devnull, os.O_RDWR)
    for target, source in enumerate((null, null, null, requests, replies)):
        os.dup2(source, target)
    os.closerange(5, 64)
    isolation.end_with_parent()
    isolation.refuse_calls()
    served = Served()
    reply = served.run(code)
    while True:
        try:
            wire.send(4, reply)
        except ValueError as error:  # an integer of too many digits
            wire.send(4, raised(error))
        reply = served.answer(wire.receive(3))
