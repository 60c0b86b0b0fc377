"""The tests' process: `python -I -S -c "import sandbox.main"` with a job on its standard input.

Two messages (see `wire`): the program and its limits; then, once the program's process is forked, the tests.
So the tests, and what they expect, are never in the memory of the program. Each result is written as a line::

    ["asserts", 2]
    ["assert", 0, true, null]
    ["assert", 1, false, "assert f(2) == 3: AssertionError"]
    ["finished", null]
"""

from __future__ import annotations

import ast
import builtins
import json
import os
import signal
import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import Any

from . import isolation, wire
from .program import raised, serve

_CHECK = "__check__"
_LONGEST_ASSERT = 160
_MOST_DIGITS = 100_000


class ProgramEnded(Exception):
    """The program's process does not reply any more."""


class ProgramError(Exception):
    """An exception of the program that is none of Python's own."""


class Program:
    """The program's process, as the tests see it.

    Args:
        process: its pid.
        requests: pipe to it.
        replies: pipe from it.
        due: when it has to have answered all, by `time.monotonic()`.
    """

    def __init__(self, process: int, requests: int, replies: int, due: float) -> None:
        self.process, self.requests, self.replies, self.due = process, requests, replies, due
        self.ended: str | None = None

    def ask(self, what: str, *parts: Any) -> Any:
        """The program's answer, or its exception. Raises ProgramEnded if there is none in time."""
        message = [what, *(wire.encode(part, sent) for part in parts)]
        if self.ended is None:
            try:
                wire.send(self.requests, message)
            except OSError:
                self.ended = "the program ended"
        return self.reply()

    def reply(self) -> Any:
        """The next reply, as `ask` returns it."""
        if self.ended is None:
            try:
                kind, content = wire.receive(self.replies, self.due)
            except TimeoutError:
                self.ended = "the program ran out of time"
            except EOFError:
                self.ended = self._end()
            except (ValueError, TypeError, RecursionError) as error:
                self.ended = f"the program's reply cannot be read: {error}"
        if self.ended is not None:
            raise ProgramEnded(self.ended)
        if kind != "raised":
            return wire.decode(content, self.find)
        name, text = map(str, content)
        known = getattr(builtins, name, None)
        if isinstance(known, type) and issubclass(known, Exception) and not issubclass(known, StopIteration):
            raise known(text)
        raise ProgramError(f"{name}: {text}")

    def _end(self) -> str:
        """How it ended."""
        _, status = os.waitpid(self.process, 0)
        code, self.process = os.waitstatus_to_exitcode(status), 0
        if code == -signal.SIGKILL:
            return "the program was killed: out of CPU time or memory"
        return f"the program ended (exit code {code})"

    def find(self, tag: str, content: Any) -> Remote:
        return Remote(self, [str(tag), int(content)])

    def kill(self) -> None:
        if self.process:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)


class Remote:
    """An object of the program: its functions by name, and what they returned that is no plain data."""

    def __init__(self, program: Program, named: list[Any]) -> None:
        vars(self).update({"_program": program, "_named": named})

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._program.ask("call", self, arguments, named)

    def __getattr__(self, name: str) -> Any:
        return self._program.ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._program.ask("set", self, name, value)


def sent(value: object) -> list[Any]:
    """What is sent for an object: only the program's own can be."""
    if not isinstance(value, Remote):
        raise TypeError(f"the tests pass an object of type {type(value).__name__}, which is no plain data")
    named: list[Any] = vars(value)["_named"]
    return named


class Asserts(ast.NodeTransformer):
    """Wraps each assert of the tests in `with __check__(number):`, which records whether it holds."""

    def __init__(self, output: int) -> None:
        self.output = output
        self.texts: list[str] = []

    def visit_Assert(self, node: ast.Assert) -> ast.With:
        called = ast.Call(ast.Name(_CHECK, ast.Load()), [ast.Constant(len(self.texts))], [])
        self.texts.append(ast.unparse(node)[:_LONGEST_ASSERT])
        return ast.With([ast.withitem(called)], [node])

    def check(self, number: int) -> Check:
        return Check(self, number)

    def report(self, number: int, error: BaseException | None) -> None:
        why = None if error is None else f"{self.texts[number]}: {shown(error)}"
        write_line(self.output, ["assert", number, error is None, why])


class Check:
    """One assert while it runs."""

    def __init__(self, asserts: Asserts, number: int) -> None:
        self.asserts, self.number = asserts, number

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.asserts.report(self.number, error)
        return isinstance(error, Exception)


def shown(error: BaseException) -> str:
    kind, text = raised(error)[1]
    return text if isinstance(error, ProgramEnded | ProgramError) else f"{kind}: {text}" if text else kind


def write_line(file: int, row: list[Any]) -> None:
    os.write(file, json.dumps(row).encode() + b"\n")


def run(tests: dict[str, Any], program: Program, output: int) -> None:
    """Runs the tests against the program and writes the results."""
    asserts = Asserts(output)
    try:
        tree = ast.fix_missing_locations(asserts.visit(ast.parse(tests["tests"])))
        setup = ast.parse(tests["setup"])
        own = names_in(ast.parse(tests["reference"]), ast.FunctionDef | ast.ClassDef)
    except (SyntaxError, ValueError, RecursionError) as error:
        write_line(output, ["broken", f"the tests cannot be parsed: {error}"])
        return
    write_line(output, ["asserts", len(asserts.texts)])
    namespace = {**stand_ins([setup, tree], own, program), _CHECK: asserts.check}
    try:
        program.reply()
        exec(compile(setup, "<setup>", "exec"), namespace)
        exec(compile(tree, "<tests>", "exec"), namespace)
        fault = None
    except BaseException as error:
        fault = shown(error)
    write_line(output, ["finished", fault])


def stand_ins(trees: list[ast.Module], own: set[str], program: Program) -> dict[str, Any]:
    """What the tests' names mean that they do not define: functions of the program, or modules.

    Args:
        own: names that the reference solution defines; they are the program's even if Python has them too.
    """
    used = {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)}
    given = {name for tree in trees for name in defined(tree)}
    asked = {name for name in used - given if name in own or not hasattr(builtins, name)}
    modules = {name for name in asked - own if name in sys.stdlib_module_names}
    return {name: __import__(name) if name in modules else Remote(program, ["name", name]) for name in asked}


def defined(tree: ast.Module) -> set[str]:
    """Names that a module binds anywhere."""
    stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    imported = {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return stored | imported | arguments | names_in(tree, ast.FunctionDef | ast.ClassDef)


def names_in(tree: ast.Module, kinds: Any) -> set[str]:
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def main() -> None:
    """Runs one job."""
    job = wire.receive(0)
    output = os.dup(1)
    os.dup2(2, 1)
    isolation.limit(job["cpu_s"], job["memory_mb"], job["file_mb"])
    isolation.confine(job["readable"], job["folder"])
    sys.path[:] = [*sys.path[1:], *job["packages"]]
    sys.set_int_max_str_digits(_MOST_DIGITS)
    requests, replies = os.pipe(), os.pipe()
    process = os.fork()
    if process == 0:
        try:
            serve(job["code"], requests[0], replies[1])
        finally:
            os._exit(0)
    os.close(requests[0])
    os.close(replies[1])
    isolation.refuse_calls(but=("kill",))
    program = Program(process, requests[1], replies[0], time.monotonic() + job["wall_s"])
    try:
        run(wire.receive(0), program, output)
    finally:
        with suppress(OSError):
            program.kill()
