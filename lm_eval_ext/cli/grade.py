"""`lm-eval-ext grade`: grade a file of responses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lm_eval_ext.cli.app import Timeout, Workers, app, interrupted, say_next
from lm_eval_ext.cli.judging import takes_judge

if TYPE_CHECKING:
    from lm_eval_ext.grading import GraderConfig
    from lm_eval_ext.grading.files import StreamGrader
    from lm_eval_ext.grading.judge import LlmJudge

Where = Literal["here", "ray"]
RESUME = "Progress is saved; rerun the same command to resume."


@app.command()
@takes_judge
def grade(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE", help="JSON lines, also .gz, or .parquet; - for stdin.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Output file, .jsonl or .parquet; default: standard output.")
    ] = None,
    response_field: Annotated[str, typer.Option(help="Field with the model's whole response.")] = "response",
    gold_field: Annotated[str, typer.Option(help="Field with the reference answer.")] = "gold",
    problem_field: Annotated[str, typer.Option(help="Field with the problem; optional.")] = "problem",
    workers: Workers = None,
    timeout: Timeout = 5.0,
    tolerance: Annotated[
        float | None, typer.Option(min=0, help="Share of the gold by which numbers may differ; 0.01 for 1%.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Grade all rows again.")] = False,
    on: Annotated[
        Where, typer.Option(help="Grade on this machine, or on every CPU of a Ray cluster.")
    ] = "here",
    ray_address: Annotated[str | None, typer.Option(help="With --on ray: the cluster's host:port.")] = None,
    judge: LlmJudge | None = None,
) -> None:
    """Grade the responses in JSON-lines or Parquet files against their reference answers.

    Rows keep their order and their fields, and gain four:

        {"id": 7, "response": "... Final answer: $3/4$", "gold": "0.75",
         "correct": true, "layer": "symbolic", "answer": "$3/4$", "reason": "..."}

    correct is null if the answer could not be decided; reason says why.
    Rows are written to OUT.partial until all are graded; rerun the same
    command to resume an interrupted run.

        lm-eval-ext grade responses.jsonl --out graded.jsonl
        lm-eval-ext grade shards/*.parquet --out graded.parquet --on ray
        zcat big.jsonl.gz | lm-eval-ext grade - --gold-field reference > graded.jsonl
        lm-eval-ext grade responses.jsonl --out graded.jsonl --judge gpt-4o-mini --judge-budget-usd 2
    """
    from lm_eval_ext.grading import GraderConfig, Tolerance
    from lm_eval_ext.grading.files import grade_file
    from lm_eval_ext.grading.judge import JudgeError
    from lm_eval_ext.grading.rows import Fields

    def say(text: str) -> None:
        typer.echo(text, err=True)

    fields = Fields(response_field, gold_field, problem_field)
    sources = () if files == ["-"] else tuple(map(Path, files))
    config = GraderConfig(workers=workers, timeout_s=timeout, judge=judge, tolerance=Tolerance.of(tolerance))
    try:
        with _grader(on, ray_address, config) as grader:
            say(str(grade_file(sources, out, grader, fields=fields, overwrite=overwrite, say=say)))
    except JudgeError:
        say(RESUME if out else "some rows were not graded")
        raise
    except KeyboardInterrupt:
        interrupted(f". {RESUME}" if out else "")
    if judge is not None and out and judge.usage.unreachable + judge.usage.over_budget:
        say("the judge could not be asked about some rows; rerun the same command to ask again")
    say_next("explain", "RESPONSE", "GOLD", why=f"traces one verdict of {out or 'these'}")


@contextmanager
def _grader(on: Where, address: str | None, config: GraderConfig) -> Iterator[StreamGrader]:
    from lm_eval_ext.grading import Grader

    if on == "here":
        with Grader(config) as grader:
            yield grader
        return
    from lm_eval_ext.cluster import joined
    from lm_eval_ext.grading.ray_grader import RayGrader

    with joined(address) as ray:
        yield RayGrader(ray, replace(config, workers=config.workers or 1))
