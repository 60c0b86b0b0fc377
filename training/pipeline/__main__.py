"""`lm-eval-ext train pipeline --config C`: from recipes to checkpoints that are compared with the base."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import command

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def main(
    context: typer.Context,
    config: Annotated[
        list[Path],
        typer.Option(help="A recipe: file or name. Each of several trains what the one before it chose."),
    ],
    out: Annotated[Path, typer.Option(help="Folder of all outputs.")],
    model: Annotated[
        str | None, typer.Option(help="Folder or name of a model, instead of the first recipe's.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Number of problems in each evaluation. Default: all.")
    ] = None,
) -> None:
    """Run preflight, data, training, merge, evaluation and comparison.

    Merges every checkpoint and evaluates it on the recipe's validation_task;
    evaluates the best one on the recipe's task and compares it with the base,
    problem by problem (exact McNemar). The summary is in OUT/summary.md.
    Progress is saved; rerun the same command to resume.

        lm-eval-ext train pipeline --config smoke_sft --config smoke_grpo --out runs/loop

    Further options are settings of every recipe (--seed 7).
    """
    from ..recipe import found
    from .stage import run
    from .stages import recipe_runs, stages
    from .summary import write

    recipes = recipe_runs([found(file) for file in config], out, model, context.args)
    for stage in stages(recipes, out, limit):
        run(stage, out)
    for path in write(recipes, out):
        typer.echo(path)


if __name__ == "__main__":
    app(prog_name=command("pipeline"))
