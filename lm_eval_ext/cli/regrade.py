"""`lm-eval-ext regrade`: grade the samples of a run, or a plain file of responses, without a model."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lm_eval_ext.cli.app import Timeout, Workers, app, interrupted, say_next
from lm_eval_ext.cli.judging import takes_judge

if TYPE_CHECKING:
    from rich.table import Table

    from lm_eval_ext.analysis.regrade import RegradeOptions
    from lm_eval_ext.grading import Grader
    from lm_eval_ext.grading.judge import LlmJudge


def _of_file(help: str) -> Any:
    return typer.Option(help=help, rich_help_panel="Plain files of responses")


@app.command()
@takes_judge
def regrade(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN", help="results_*.json or its folder (or NAME=PATH), or a plain .jsonl."),
    ],
    out: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder for the new runs; default: print only.")
    ] = None,
    extract: Annotated[
        str | None,
        typer.Option(help="Extractor: statement, boxed, strict, flexible, bare."),
    ] = None,
    gold_field: Annotated[str | None, typer.Option(help="Field with the reference answer.")] = None,
    old_metric: Annotated[str | None, typer.Option(help="Metric of the run to compare with.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show every flip in full.")] = False,
    workers: Workers = None,
    timeout: Timeout = 5.0,
    task: Annotated[str | None, _of_file("Name of the task.")] = None,
    model: Annotated[str | None, _of_file("Model name for rows without one.")] = None,
    response_field: Annotated[str, _of_file("Field with the response, or a list of responses.")] = "response",
    problem_field: Annotated[str, _of_file("Field with the problem; optional.")] = "problem",
    id_field: Annotated[str, _of_file("Field that identifies a problem.")] = "id",
    model_field: Annotated[str, _of_file("Field with the model; each model becomes a run.")] = "model",
    error_field: Annotated[str, _of_file("Field that says why there is no response.")] = "error",
    label_field: Annotated[str | None, _of_file("Field with human labels: yes, no, none, unsure.")] = None,
    join: Annotated[Path | None, _of_file("Dataset file with the problems.")] = None,
    join_on: Annotated[str, _of_file("Field that both files share.")] = "id",
    judge: LlmJudge | None = None,
) -> None:
    """Grade logged responses again, without a model; show old and new scores and every changed verdict.

    RUN is the output of `lm_eval --output_path OUT --log_samples`, for tasks of this package or of lm-eval
    itself (gsm8k_cot, minerva_math, hendrycks_math and any other whose target is the answer). With --out, the
    new run is written to OUT/<model>/ in the same layout and all changes to OUT/flips.jsonl; the old run is
    not modified.

        lm-eval-ext regrade out/
        lm-eval-ext regrade out/ --out regraded/ --judge gpt-4o-mini --judge-budget-usd 2

    RUN can also be a plain file of responses, which becomes one run per model:

        {"id": "007c", "model": "m", "response": "... Final answer: 9", "gold": "9"}

        lm-eval-ext regrade responses.jsonl --out runs/ --join mathnet/eval.jsonl --task mathnet
    """
    from lm_eval_ext.analysis.regrade import DatasetJoin, RegradeOptions, ResponseFields
    from lm_eval_ext.grading import Grader, GraderConfig

    names = (response_field, gold_field or "gold", problem_field, id_field, model_field, label_field)
    plain = [Path(run) for run in runs if _is_plain(run)]
    logged = [run for run in runs if not _is_plain(run)]
    try:
        with Grader(GraderConfig(workers=workers, timeout_s=timeout, judge=judge)) as grader:
            how = {"join": None if join is None else DatasetJoin(join, join_on), "task": task, "model": model}
            _import(plain, grader, out, extract, fields=ResponseFields(*names, error_field), **how)
            _regrade(logged, grader, out, RegradeOptions(gold_field, extract, old_metric), everything)
    except KeyboardInterrupt:
        interrupted("; complete runs are kept")
    kept = ("report", out, "--out", out / "report") if out else ("regrade", *runs, "--out", "regraded")
    say_next(*kept)


def _is_plain(run: str) -> bool:
    return Path(run).is_file() and Path(run).name.removesuffix(".gz").endswith(".jsonl")


def _import(files: list[Path], grader: Grader, out: Path | None, extract: str | None, **how: Any) -> None:
    from lm_eval_ext.analysis.regrade import import_responses, tables

    found = []
    for file in files:
        found += import_responses(file, grader, out=out, extract=extract or "statement", **how)
    if found:
        _print(tables.imported(found))
    for run in found:
        for reason, n in run.refusals.most_common():
            typer.echo(f"{run.model}: {n} not scored: {reason}")
    _say_where(run.file for run in found)


def _regrade(
    runs: list[str], grader: Grader, out: Path | None, options: RegradeOptions, everything: bool
) -> None:
    from lm_eval_ext.analysis.regrade import regrade_all, tables

    found = regrade_all(runs, grader, out=out, options=options)
    if not found:
        return
    _print(tables.scores(found))
    changed = tables.changes(found, everything=everything)
    if changed is None:
        compared = any(diff.by_response for run in found for diff in run.diffs)
        typer.echo(
            "no verdict changed" if compared else "nothing to compare with: the run has no old verdicts"
        )
    else:
        _print(changed)
    for run in found:
        if run.skipped:
            typer.echo(f"{run.name}: not regraded (no generated texts or no golds): {', '.join(run.skipped)}")
    _say_where(file for run in found for file in run.files)


def _print(table: Table) -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = 160
    console.print(table)


def _say_where(files: Iterable[Path | None]) -> None:
    for file in filter(None, files):
        typer.echo(f"wrote {file}")
