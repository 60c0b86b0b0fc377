"""The command line's root; each command is a module beside this one."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from lm_eval_ext.errors import shown, similar
from lm_eval_ext.redaction import redacted_url

TRACEBACK = "LM_EVAL_EXT_TRACEBACK"
LOG_EVERY_S = 60
EXPECTED = (ValueError, OSError, ImportError)
"""Errors that end a command with one line; their messages name the problem and the fix."""
Timeout = Annotated[float, typer.Option(min=0.01, max=86_400, help="Seconds for one comparison.")]
Metric = Annotated[str | None, typer.Option(help="Metric; default: the task's score.")]
Filter = Annotated[str | None, typer.Option(help="Filter to use if a task has several.")]
PairOn = Annotated[str, typer.Option(help="What identifies a problem: doc_hash, or a field such as id.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Grading processes; default: one per core.")]


class Commands(TyperGroup):
    """Ends a command that raises an expected error with one line and exit code 1, a usage error with 2."""

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        try:
            sys.exit(super().main(*args, **kwargs | {"standalone_mode": False}))
        except typer.TyperException as error:
            if error.format_message():  # else there were no arguments, and the help is shown
                typer.echo(_usage_error(error), err=True)
            sys.exit(error.exit_code)

    def get_params(self, ctx: Any) -> Any:
        return _without_bool(super().get_params(ctx))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in ("eval", "evaluate"):
            ctx.fail(f"No such command {cmd_name!r}. Did you mean 'run'?")
        if command := super().get_command(ctx, cmd_name):
            _without_bool(command.get_params(ctx))
        return command

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader of the output, such as `head`, has exited
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise typer.Exit(1) from None
        except EXPECTED as error:
            fail(error)


def _without_bool(parameters: Any) -> Any:
    """The parameters, whose flags are shown in `--help` without a type."""
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters


def _usage_error(error: Any) -> str:
    """What is wrong with a command's words, what was received, and where its help is."""
    said = error.format_message().rstrip(".").replace("Value error, ", "")
    for cause in getattr(error.__cause__, "errors", list)()[:1]:  # pydantic's
        received = shown(cause["input"])
        said += f", received {received}" * (received not in said)
    return f"Error: {said}\nhelp: {error.ctx.command_path} --help"


def fail(error: Exception, code: int = 1) -> NoReturn:
    """Prints an expected error and exits."""
    if os.environ.get(TRACEBACK):
        raise error
    typer.echo(f"Error: {redacted_url(one_line(error))}", err=True)
    raise typer.Exit(code) from None


def one_line(error: Exception) -> str:
    """The message of an error on one line."""
    if isinstance(error, FileNotFoundError) and error.filename:
        path = Path(error.filename)
        beside = {*os.listdir(path.parent)} - {path.name} if path.parent.is_dir() else ()
        near = similar(path.name, beside, 0.8)
        return f"{path}: {error.strerror}{near or '; name one that exists'}"
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}; use another path, or change its permissions"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 text: {error.reason} at byte {error.start}; convert the file to UTF-8"
    return " ".join(str(error).split()) or type(error).__name__


def interrupted(message: str) -> NoReturn:
    """Ends a command that the user interrupted."""
    typer.echo(f"interrupted{message}", err=True)
    raise typer.Exit(130) from None


def say_next(*words: object, why: str = "") -> None:
    """Prints on stderr the command to run next: these words after `lm-eval-ext`, as a shell reads them.

    Nothing within a pipeline or a job, which run the next command themselves.
    """
    if "LM_EVAL_EXT_PART" not in os.environ:
        command = shlex.join(["lm-eval-ext", *map(str, words)])
        typer.echo(f"next: {command}" + f"  # {why}" * bool(why), err=True)


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """Math evaluation for lm-evaluation-harness: a grader that parses mathematics, paired tests, training.

    First steps, on a few packaged problems (M: a model on the Hub, or its folder):

        lm-eval-ext doctor
        LM_EVAL_EXT_DATA=sample lm-eval-ext run --resume out/first --model hf --model_args pretrained=M \\
            --tasks arith_words --limit 8 --batch_size 8
        lm-eval-ext view out/first

    Errors are printed on one line; set LM_EVAL_EXT_TRACEBACK=1 for the traceback.
    """
    os.environ.setdefault("VLLM_LOGGING_STREAM", "ext://sys.stderr")  # stdout has the results alone
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    if not sys.stderr.isatty():  # progress bars in a log
        os.environ.setdefault("TQDM_MININTERVAL", str(LOG_EVERY_S))
