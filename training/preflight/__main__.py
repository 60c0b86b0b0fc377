"""`lm-eval-ext train preflight --config C`: every pitfall checked before a run, on the CPU."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from lm_eval_ext.harness.errors import UserError

from .. import command
from . import preflight
from .report import Report
from .subject import Kind

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def main(
    context: typer.Context,
    config: Annotated[Path, typer.Option(help="The recipe, file or name.")],
    trainer: Annotated[str, typer.Option(help="sft or grpo; else read from the recipe.")] = "",
    json: Annotated[Path | None, typer.Option(help="File for the report as JSON.")] = None,
    tokenizer: Annotated[
        str, typer.Option(help="Model folder whose tokenizer and configuration stand in for the recipe's.")
    ] = "",
    data: Annotated[
        str,
        typer.Option(help="Stand-in for the data: sample, a data folder, or a .jsonl or .parquet source."),
    ] = "",
    deep: Annotated[bool, typer.Option(help="Also load the model, for the rows that need it.")] = False,
) -> None:
    """Check a recipe against every known pitfall, without loading the model.

    Exit 0: passed. 1: an error row failed that the recipe does not accept. 3: a row could not be checked.
    Further options are settings of the recipe, as for `train sft` and `train grpo`.

        lm-eval-ext train preflight --config smoke_sft --model_name_or_path MODEL
    """
    report = checked(config, trainer, tokenizer, data, deep, context.args)
    report.show()
    if json is not None:
        report.write(json)
    raise typer.Exit(report.code)


def checked(
    config: Path, trainer: str = "", tokenizer: str = "", data: str = "", deep: bool = False, more: Any = ()
) -> Report:
    """The report on a recipe file; stand-ins and further settings as on the command line."""
    from ..config_checks import check_installed
    from ..recipe import read, settings_in

    settings = settings_in(config)
    kind = trainer or _trainer(settings)
    if kind not in ("sft", "grpo"):
        raise UserError(f"--trainer is {kind!r}; it is sft or grpo")
    arguments = ["--config", str(config), *_stand_in(data), *more]
    if tokenizer and not settings.get("model_name_or_path") and "--model_name_or_path" not in arguments:
        arguments += ["--model_name_or_path", tokenizer]
    checked_kind: Kind = "sft" if kind == "sft" else "grpo"
    recipe, training, model = read(checked_kind, arguments)
    if not tokenizer:  # with a stand-in the run is meant for another machine
        check_installed(training, model)
    return preflight(recipe, training, model, checked_kind, folder=tokenizer or None, deep=deep)


def _trainer(settings: dict[str, Any]) -> str:
    """What the recipe says; where it says nothing, GRPO if it has a setting that only GRPO knows."""
    from trl import GRPOConfig, SFTConfig

    grpo_only = {f.name for f in fields(GRPOConfig)} - {f.name for f in fields(SFTConfig)}
    return str(settings.get("trainer") or ("grpo" if grpo_only & set(settings) else "sft"))


def _stand_in(data: str) -> list[str]:
    if not data:
        return []
    return ["--source" if data.endswith((".jsonl", ".parquet")) else "--data", data]


if __name__ == "__main__":
    app(prog_name=command("preflight"))
