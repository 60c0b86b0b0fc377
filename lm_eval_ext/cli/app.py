"""The command line's root: one program, each command in a module of its own beside this one."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """Math evaluation for lm-evaluation-harness: tasks, a layered grader, evidence."""
