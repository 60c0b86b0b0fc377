"""Options of the judge for every command that grades; see `takes_judge`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast, get_type_hints

import typer

from lm_eval_ext.cli.app import EXPECTED, fail

if TYPE_CHECKING:
    from lm_eval_ext.grading.judge import LlmJudge

Command = TypeVar("Command", bound=Callable[..., None])


def _option(name: str, kind: type, help: str, **limits: Any) -> inspect.Parameter:
    option = typer.Option(
        f"--{name.replace('_', '-')}", help=help, rich_help_panel="Judge", show_default=False, **limits
    )
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )


OPTIONS = [
    _option("judge", str, "Model to ask about answers not found equal: gpt-4o-mini, anthropic/NAME, ..."),
    _option("judge_base_url", str, "OpenAI-compatible server: http://localhost:8000/v1"),
    _option("judge_api_key_env", str, "Environment variable that holds the API key."),
    _option("judge_prompt", str, "Name of a packaged prompt, or a folder with your own."),
    _option("judge_max_tokens", int, "Tokens of a reply; default: 64. Thinking models need more.", min=1),
    _option("judge_concurrency", int, "Requests in flight at once; default: 8.", min=1),
    _option("judge_rpm", float, "Maximum number of requests per minute.", min=0.01),
    _option("judge_timeout", float, "Seconds for one request; default: 60.", min=0.01),
    _option("judge_retries", int, "Retries after a transient failure; default: 4.", min=0),
    _option("judge_cache", str, "Folder that caches replies; default: ~/.cache/lm-eval-ext/judge."),
    _option("judge_price", str, "USD per million prompt and completion tokens: 0.15,0.6"),
    _option("judge_budget_usd", float, "Maximum cost of this run in USD.", min=0.0),
    _option("judge_asks", str, "Ask about answers that are unequal (default), or only about undecided ones."),
    _option("judge_audit", float, "Share of the layers' verdicts to check with the judge.", min=0.0, max=1.0),
    _option("judge_log", str, "JSON-lines file of verdicts that the judge disagrees with."),
]
_SETTINGS = {"judge": "model", "judge_rpm": "requests_per_minute", "judge_timeout": "timeout_s"}
"""Options whose setting is not the option's name without `judge_`."""


def judge_from_options(options: Mapping[str, Any]) -> LlmJudge | None:
    """The judge that the options configure; None without any.

    Raises JudgeError if the options are invalid.
    """
    from lm_eval_ext.grading.judge import JudgeConfig, JudgeError, LlmJudge

    given = {name: value for name, value in options.items() if value is not None}
    if not given:
        return None
    if "judge" not in given:
        raise JudgeError(f"--{next(iter(given)).replace('_', '-')} needs --judge MODEL")
    settings = {_SETTINGS.get(name, name.removeprefix("judge_")): value for name, value in given.items()}
    return LlmJudge(JudgeConfig.from_settings(settings))


def takes_judge(command: Command) -> Command:
    """Replaces a command's parameter `judge: LlmJudge | None` by the judge's options.

    The judge's usage and cost are printed to stderr at the end, after the error if there is one.
    """

    @functools.wraps(command)
    def wrapped(**arguments: Any) -> None:
        options = {option.name: arguments.pop(option.name) for option in OPTIONS}
        judge = None
        try:
            judge = judge_from_options(options)
            command(**arguments, judge=judge)
        except BrokenPipeError:
            raise
        except EXPECTED as error:
            fail(error)
        finally:
            if judge is not None:
                typer.echo(str(judge.usage), err=True)

    # LlmJudge is imported when a command runs, so its name cannot be resolved here.
    hints = get_type_hints(command, localns={"LlmJudge": Any}, include_extras=True)
    own = inspect.signature(command).parameters.items()
    parameters = [*(p.replace(annotation=hints[name]) for name, p in own if name != "judge"), *OPTIONS]
    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
    return cast(Command, wrapped)
