"""`lm-eval-ext doctor`: what an evaluation here would use."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lm_eval_ext.cli.app import app


@app.command()
def doctor(
    model: Annotated[str | None, typer.Option(help="A model whose window is to be shown.")] = None,
) -> None:
    """Show what an evaluation here would use: versions, cores, tasks, data; grades one answer as a trial."""
    from lm_eval_ext.grading import grade_one
    from lm_eval_ext.grading.pool import usable_cores
    from lm_eval_ext.harness import protocol, sources
    from lm_eval_ext.harness.launch import tasks_path as path

    rows = {"python": sys.version.split()[0], **protocol.versions()}
    rows["cores"] = str(usable_cores())
    rows["tasks"] = str(path())
    rows["data"] = sources.source() or "the Hub"
    if model:
        rows["window"] = str(protocol.context_window({"pretrained": model}))
    rows["grader"] = str(grade_one(r"Final answer: $\frac{6}{8}$", "0.75"))
    for name, value in rows.items():
        typer.echo(f"{name:24}{value}")
