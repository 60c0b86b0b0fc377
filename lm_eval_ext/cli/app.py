"""The command line's root; each command is a module beside this one."""

from __future__ import annotations

import os
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from lm_eval_ext.redaction import redacted_url

TRACEBACK = "LM_EVAL_EXT_TRACEBACK"
EXPECTED = (ValueError, OSError, ImportError)
"""Errors that end a command with one line; their messages name the problem and the fix."""
Timeout = Annotated[float, typer.Option(min=0.01, max=86_400, help="Seconds for one comparison.")]
Metric = Annotated[str | None, typer.Option(help="Metric; default: the task's score.")]
Filter = Annotated[str | None, typer.Option(help="Filter to use if a task has several.")]
PairOn = Annotated[str, typer.Option(help="What identifies a problem: doc_hash, or a field such as id.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Grading processes; default: one per core.")]


class Commands(TyperGroup):
    """Ends a command that raises an expected error with one line and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader of the output, such as `head`, has exited
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise typer.Exit(1) from None
        except EXPECTED as error:
            fail(error)


def fail(error: Exception) -> NoReturn:
    """Prints an expected error and exits with 1."""
    if os.environ.get(TRACEBACK):
        raise error
    typer.echo(f"Error: {redacted_url(one_line(error))}", err=True)
    raise typer.Exit(1) from None


def one_line(error: Exception) -> str:
    """The message of an error on one line."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}; use another path, or change its permissions"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 text: {error.reason} at byte {error.start}; convert the file to UTF-8"
    return " ".join(str(error).split()) or type(error).__name__


def interrupted(message: str) -> NoReturn:
    """Ends a command that the user interrupted."""
    typer.echo(f"interrupted{message}", err=True)
    raise typer.Exit(130) from None


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """Math evaluation for lm-evaluation-harness: tasks, a layered grader, paired tests.

    Errors are printed on one line; set LM_EVAL_EXT_TRACEBACK=1 for the traceback.
    """
