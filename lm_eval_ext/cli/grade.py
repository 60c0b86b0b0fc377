"""`lm-eval-ext grade`: a file of responses against the golds in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lm_eval_ext.cli.app import Timeout, app, one_line
from lm_eval_ext.cli.judging import takes_judge

if TYPE_CHECKING:
    from lm_eval_ext.grading.judge import LlmJudge


@app.command()
@takes_judge
def grade(
    file: Annotated[str, typer.Argument(help="JSON lines, .gz allowed; - for the standard input.")],
    out: Annotated[Path | None, typer.Option(help="Where to. Without it: standard output.")] = None,
    response_field: Annotated[str, typer.Option(help="All that the model wrote.")] = "response",
    gold_field: Annotated[str, typer.Option(help="The reference answer, text or a number.")] = "gold",
    problem_field: Annotated[str, typer.Option(help="The problem, if there is one.")] = "problem",
    workers: Annotated[int | None, typer.Option(min=1, help="Processes. Without it: one per core.")] = None,
    timeout: Timeout = 5.0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Grade all rows again.")] = False,
    judge: LlmJudge | None = None,
) -> None:
    """Grade the responses in a JSON-lines file against the gold answers in it.

    Each row keeps its place and its fields, and gets four more:

        {"id": 7, "response": "... Final answer: $3/4$", "gold": "0.75",
         "correct": true, "layer": "symbolic", "answer": "$3/4$", "reason": "..."}

    correct is null where nothing could decide; reason says why. Rows go to
    OUT.partial until all are graded: an interrupted run goes on where it
    stopped when the same command is given again.

        lm-eval-ext grade responses.jsonl --out graded.jsonl
        zcat big.jsonl.gz | lm-eval-ext grade - --gold-field reference > graded.jsonl
        lm-eval-ext grade responses.jsonl --out graded.jsonl --judge gpt-4o-mini --judge-budget-usd 2
    """
    from lm_eval_ext.grading import Grader, GraderConfig
    from lm_eval_ext.grading.files import grade_file
    from lm_eval_ext.grading.judge import JudgeError
    from lm_eval_ext.grading.rows import Fields, RowError
    from lm_eval_ext.resume import ResumeError

    def say(text: str) -> None:
        typer.echo(text, err=True)

    try:
        fields = Fields(response_field, gold_field, problem_field)
        with Grader(GraderConfig(workers=workers, timeout_s=timeout, judge=judge)) as grader:
            source = None if file == "-" else Path(file)
            say(str(grade_file(source, out, grader, fields=fields, overwrite=overwrite, say=say)))
        if judge is not None and out and judge.usage.unreachable + judge.usage.over_budget:
            say("the judge could not be asked about some rows; the same command asks again")
    except BrokenPipeError:
        # The reader of the output has had enough: what is left in the buffer goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except JudgeError:
        say("what was graded is kept; the same command goes on behind it" if out else "not all is graded")
        raise
    except (RowError, ResumeError, OSError) as error:
        say(f"Error: {one_line(error)}")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        say("interrupted" + ("; the same command goes on from here" if out else ""))
        raise typer.Exit(130) from None
