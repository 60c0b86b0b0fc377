"""`lm-eval-ext train pipeline --config C`: from recipes to checkpoints that are proven better, or not."""

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
        typer.Option(help="A recipe, file or name; of several each trains what came before."),
    ],
    out: Annotated[Path, typer.Option(help="Folder of everything that is made.")],
    model: Annotated[str | None, typer.Option(help="Folder or name, in place of the first recipe's.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Problems of each evaluation; without it: all.")
    ] = None,
) -> None:
    """Preflight, data, training, merge, evaluation and comparison, in one go.

    Every checkpoint is merged and evaluated by the strict launcher on the
    recipe's validation_task; the best is evaluated on its task and compared
    with the base, problem by problem (exact McNemar). The summary is in
    OUT/summary.md. A stopped run goes on when the same command is given again.

        lm-eval-ext train pipeline --config smoke_sft --config smoke_grpo --out runs/loop

    Further options are settings of every recipe (--seed 7).
    """
    from ..recipe import found
    from .loop import loop
    from .summary import write

    for path in write(loop([found(file) for file in config], out, model, limit, context.args), out):
        typer.echo(path)


if __name__ == "__main__":
    app(prog_name=command("pipeline"))
