"""`lm-eval-ext doctor`: check the environment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lm_eval_ext.cli.app import app

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

        lm-eval-ext doctor --json
    """
    from lm_eval_ext.harness.doctor import all_checks
    from lm_eval_ext.harness.launch import tasks_path

    checks = list(all_checks(model))
    wrong = sum(check.state == "wrong" for check in checks)
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        _show(checks)
        typer.echo(f"tasks: {tasks_path()}")
        typer.echo(f"{wrong} wrong" if wrong else "nothing is wrong")
    raise typer.Exit(1 if wrong else 0)


def _show(checks: Sequence[Check]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "", "found", "what to do"):
        table.add_column(column, overflow="fold")
    for check in checks:
        state = Text(check.state, style=COLOURS[check.state])
        table.add_row(state, check.name, Text(check.found), Text(check.advice))
    Console().print(table)
