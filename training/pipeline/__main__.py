"""`lm-eval-ext train pipeline --config C`: from recipes to checkpoints that are compared with the base."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import command

if TYPE_CHECKING:
    from .recipe import RecipeRun

SMOKE_ROWS, SMOKE_PROBLEMS = 200, 50
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
    smoke_test: Annotated[
        bool,
        typer.Option(
            "--smoke-test", help=f"Train on {SMOKE_ROWS} rows, evaluate on {SMOKE_PROBLEMS} problems."
        ),
    ] = False,
    skip: Annotated[
        list[str] | None,
        typer.Option(help="Leave out an evaluation: base, validation, test or safety. Repeatable."),
    ] = None,
    prereg: Annotated[
        Path | None,
        typer.Option(help="Hypothesis, registered before training; the summary has its verdict."),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(help="CSV file with a row for every run. Default: summary.csv beside OUT."),
    ] = None,
) -> None:
    """Run preflight, data, training, merge, evaluation and comparison.

    Merges checkpoints and evaluates them on the recipe's validation_task and
    safety_task; evaluates the best one on the recipe's task and compares it
    with the base, problem by problem (exact McNemar). The summary is in
    OUT/summary.md, the verdict on the recipe's thresholds in the last lines.
    Progress is saved; rerun the same command to resume.

        lm-eval-ext train pipeline --config smoke_sft --config smoke_grpo --out runs/loop

    Further options are settings of every recipe (--seed 7).
    """
    from ..recipe_files import found
    from .prereg import register
    from .stage import run
    from .stages import recipe_runs, stages

    rows = ["--size", str(SMOKE_ROWS)] if smoke_test else []
    most = limit or (SMOKE_PROBLEMS if smoke_test else None)
    recipes = recipe_runs([found(file) for file in config], out, model, [*rows, *context.args], skip or ())
    register(prereg, out, (recipe.name for recipe in recipes))
    for stage in stages(recipes, out, most):
        run(stage, out)
    _report(recipes, out, table or out.parent / "summary.csv")


def _report(recipes: Sequence[RecipeRun], out: Path, table: Path) -> None:
    """Writes the summary and the rows of the table, and prints each verdict."""
    from lm_eval_ext.cli.app import say_next

    from .outcome import add_row, passed, reached, row
    from .summary import write

    for path in [*write(recipes, out), table]:
        typer.echo(path)
    for recipe in recipes:
        scores = reached(recipe)
        add_row(table, row(recipe, scores, table))
        verdict = passed(recipe, scores)
        typer.echo(f"{recipe.name}: {'; '.join(map(str, scores))}{f'; passed: {verdict}' if verdict else ''}")
    say_next("view", out, why="every response with its verdict")


if __name__ == "__main__":
    app(prog_name=command("pipeline"))
