"""`lm-eval-ext train preflight --config C`: check a recipe for every known pitfall, on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from lm_eval_ext.cli.app import say_next
from lm_eval_ext.harness.errors import UserError

from .. import command
from ..recipe_files import NAMED, TRAINERS, settings_in
from . import preflight
from .context import Kind, PreflightContext
from .report import Report

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def main(
    context: typer.Context,
    config: Annotated[Path, typer.Option(help="Recipe: a file, or the name of a shipped one.")],
    trainer: Annotated[str, typer.Option(help="sft or grpo. Default: what the recipe says.")] = "",
    json: Annotated[Path | None, typer.Option(help="File for the report as JSON.")] = None,
    tokenizer: Annotated[
        str, typer.Option(help="Model folder whose tokenizer and configuration replace the recipe's.")
    ] = "",
    data: Annotated[
        str,
        typer.Option(help="Replaces the recipe's data: sample, a data folder, or a .jsonl or .parquet file."),
    ] = "",
    deep: Annotated[bool, typer.Option(help="Load the model, too, for the rows that need it.")] = False,
    verbose: Annotated[bool, typer.Option(help="Show the rows that passed or do not apply, too.")] = False,
) -> None:
    """Check a recipe for every known pitfall, without loading the model.

    Exit 0: passed. 1: an error row failed that the recipe does not accept. 3: a row could not be checked.
    Further options are settings of the recipe, as for `train sft` and `train grpo`.

        lm-eval-ext train preflight --config smoke_sft --model_name_or_path MODEL
    """
    report = check_recipe(config, trainer, tokenizer, data, deep, context.args)
    report.show(verbose=verbose)
    if json is not None:
        report.write(json)
    if report.code != 1:
        say_next("train", trainer or _trainer(settings_in(config)), "--config", config, *context.args)
    raise typer.Exit(report.code)


def check_recipe(
    config: Path,
    trainer: str = "",
    tokenizer: str = "",
    data: str = "",
    deep: bool = False,
    more: Sequence[str] = (),
) -> Report:
    """The report on a recipe file; for the arguments see `main`, `more` are settings of the recipe."""
    from ..config_checks import check_installed
    from ..recipe import read

    settings = settings_in(config)
    trainer = trainer or _trainer(settings)
    if trainer not in TRAINERS:
        raise UserError(f"--trainer is {trainer!r}; it is {NAMED}")
    arguments = ["--config", str(config)]
    if data:
        arguments += ["--source" if data.endswith((".jsonl", ".parquet")) else "--data", data]
    arguments += more
    if tokenizer and not settings.get("model_name_or_path") and "--model_name_or_path" not in arguments:
        arguments += ["--model_name_or_path", tokenizer]
    recipe, training, model = read(trainer, arguments)
    if not tokenizer:  # a stand-in means that the run is for another machine
        check_installed(training, model)
    return preflight(
        PreflightContext(recipe, training, model, cast(Kind, TRAINERS[trainer]), tokenizer or None), deep
    )


def _trainer(settings: dict[str, Any]) -> str:
    """What the recipe says; else "grpo" if it has a setting of GRPO alone."""
    from trl import GRPOConfig, SFTConfig

    grpo_only = {f.name for f in fields(GRPOConfig)} - {f.name for f in fields(SFTConfig)}
    return str(settings.get("trainer") or ("grpo" if grpo_only & set(settings) else "sft"))


if __name__ == "__main__":
    app(prog_name=command("preflight"))
