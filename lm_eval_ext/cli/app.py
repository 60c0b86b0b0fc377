"""The command line's root: one program, each command in a module of its own beside this one."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lm_eval_ext.redaction import redacted_url

TRACEBACK = "LM_EVAL_EXT_TRACEBACK"
Timeout = Annotated[float, typer.Option(min=0.01, max=86_400, help="Seconds for one comparison.")]


class Commands(TyperGroup):
    """Ends a command in one line, and exit code 1, where what it was given cannot be used."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # who read the output has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise typer.Exit(1) from None
        except (ValueError, OSError, ImportError) as error:
            if os.environ.get(TRACEBACK):
                raise
            typer.echo(f"Error: {redacted_url(one_line(error))}", err=True)
            raise typer.Exit(1) from None


def one_line(error: Exception) -> str:
    """What an error says, in one line."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}; name another, or change its permissions"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 text: {error.reason} at byte {error.start}; convert the file to UTF-8"
    return " ".join(str(error).split()) or type(error).__name__


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """Math evaluation for lm-evaluation-harness: tasks, a layered grader, evidence.

    Errors are one line; LM_EVAL_EXT_TRACEBACK=1 shows where they come from.
    """
