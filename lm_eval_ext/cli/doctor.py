"""`lm-eval-ext doctor`: check the environment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lm_eval_ext.cli.app import app, say_next

if TYPE_CHECKING:
    from lm_eval_ext.harness.doctor import Check

COLOURS = {"ok": "green", "note": "yellow", "wrong": "red"}


@app.command()
def doctor(
    model: Annotated[str | None, typer.Option(help="Model whose context window to show.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: a list of objects.")] = False,
) -> None:
    """Check the environment and show how to fix problems.

    Checks versions and their compatibility, hardware, data, folders and extras, and grades one answer. Exits
    with 1 if anything is wrong; notes do not count.

        lm-eval-ext doctor
        lm-eval-ext doctor --model Qwen/Qwen3-1.7B
    """
    from lm_eval_ext.harness.doctor import all_checks
    from lm_eval_ext.harness.hardware import model_options
    from lm_eval_ext.harness.shipped import tasks_path

    checks = list(all_checks(model))
    wrong = sum(check.state == "wrong" for check in checks)
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        _show(checks)
        typer.echo(f"tasks: {tasks_path()}")
        typer.echo(f"{wrong} wrong" if wrong else "nothing is wrong")
    if not wrong and not as_json:
        say_next("run", *model_options(), "--tasks", "arith_words")
    raise typer.Exit(1 if wrong else 0)


def _show(checks: Sequence[Check]) -> None:
    """A line per check, and one with its advice, neither of them wrapped: commands can be copied."""
    from rich.console import Console
    from rich.text import Text

    width, console = max(len(check.name) for check in checks), Console()
    for check in checks:
        state = f"{check.state:7}", COLOURS[check.state]
        advice = f"\n{'':7}{check.advice}" * bool(check.advice)
        console.print(Text.assemble(state, f"{check.name:{width}}  {check.found}{advice}"), soft_wrap=True)
