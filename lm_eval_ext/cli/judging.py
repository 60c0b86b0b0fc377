"""The options of the judge, one set for every command that grades: see `takes_judge`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast, get_type_hints

import typer

if TYPE_CHECKING:
    from lm_eval_ext.grading.judge import LlmJudge

Command = TypeVar("Command", bound=Callable[..., None])
_PREFIX = "judge_"


def _option(*names: str, help: str, **limits: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel="Judge", show_default=False, **limits)


def judge_options(
    judge: Annotated[
        str | None,
        _option(
            "--judge", help="Model to ask about answers not found equal: gpt-4o-mini, anthropic/NAME, ..."
        ),
    ] = None,
    judge_base_url: Annotated[
        str | None, _option(help="OpenAI-compatible server: http://localhost:8000/v1")
    ] = None,
    judge_api_key_env: Annotated[str | None, _option(help="Environment variable that has the key.")] = None,
    judge_prompt: Annotated[str | None, _option(help="Packaged prompt, or a folder of your own.")] = None,
    judge_max_tokens: Annotated[
        int | None, _option(min=1, help="Of a reply; 64. Thinking judges need thousands.")
    ] = None,
    judge_concurrency: Annotated[int | None, _option(min=1, help="Questions under way at once; 8.")] = None,
    judge_rpm: Annotated[float | None, _option(min=0.01, help="Requests per minute at most.")] = None,
    judge_timeout: Annotated[float | None, _option(min=0.01, help="Seconds for one request; 60.")] = None,
    judge_retries: Annotated[int | None, _option(min=0, help="After failures that may pass; 4.")] = None,
    judge_cache: Annotated[
        str | None, _option(help="Folder of known replies; ~/.cache/lm-eval-ext/judge.")
    ] = None,
    judge_price: Annotated[
        str | None, _option(help="USD per million prompt and completion tokens: 0.15,0.6")
    ] = None,
    judge_budget_usd: Annotated[float | None, _option(min=0.0, help="What this run may cost.")] = None,
    judge_asks: Annotated[
        str | None, _option(help="unequal (default), or undecided: not about what the layers find different.")
    ] = None,
    judge_audit: Annotated[
        float | None, _option(min=0.0, max=1.0, help="Share of the layers' verdicts to compare with it.")
    ] = None,
    judge_log: Annotated[str | None, _option(help="JSON lines of what it sees differently.")] = None,
) -> None:
    """Only its signature counts: the options, their types and their help."""


_SETTINGS = {"judge": "model", "judge_rpm": "requests_per_minute", "judge_timeout": "timeout_s"}
"""Options whose setting has another name than theirs without "judge_"."""


def judge_from_options(**options: Any) -> LlmJudge | None:
    """The judge that the options of `judge_options` describe, None without `--judge`.

    Raises JudgeError, in one line, where they cannot be.
    """
    from lm_eval_ext.grading.judge import JudgeConfig, JudgeError, LlmJudge

    given = {name: value for name, value in options.items() if value is not None}
    if given and "judge" not in given:
        raise JudgeError(f"--{next(iter(given)).replace('_', '-')} needs --judge MODEL")
    if not given:
        return None
    settings = {_SETTINGS.get(name, name.removeprefix(_PREFIX)): value for name, value in given.items()}
    return LlmJudge(JudgeConfig.from_settings(settings))


def takes_judge(command: Command) -> Command:
    """Gives a command the options of the judge in place of its parameter `judge: LlmJudge | None`.

    A judge that cannot be used ends the command with one line, before or while it is asked; what it was
    asked and what that cost is printed to stderr at the end.
    """

    @functools.wraps(command)
    def wrapped(**arguments: Any) -> None:
        from lm_eval_ext.grading.judge import JudgeError

        options = {name: arguments.pop(name) for name in _parameters()}
        judge = None
        try:
            judge = judge_from_options(**options)
            command(**arguments, judge=judge)
        except JudgeError as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(1) from None
        finally:
            if judge is not None:
                typer.echo(str(judge.usage), err=True)

    # The judge's class is imported when a command runs, and so no name that its annotation could find.
    hints = get_type_hints(command, localns={"LlmJudge": Any}, include_extras=True)
    own = inspect.signature(command).parameters.items()
    kept = [p.replace(annotation=hints[name]) for name, p in own if name != "judge"]
    parameters = [*kept, *_parameters().values()]
    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
    return cast(Command, wrapped)


def _parameters() -> dict[str, inspect.Parameter]:
    hints = get_type_hints(judge_options, include_extras=True)
    found = inspect.signature(judge_options).parameters
    return {
        name: p.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, p in found.items()
    }
