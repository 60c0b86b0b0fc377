"""`lm-eval-ext explain`: trace one verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lm_eval_ext.cli.app import Timeout, app

if TYPE_CHECKING:
    from lm_eval_ext.grading.explain import Explanation

COLORS = {True: typer.colors.GREEN, False: typer.colors.RED, None: typer.colors.YELLOW}


@app.command("explain", context_settings={"ignore_unknown_options": True})  # -3 may be a gold
def explain_command(
    response: Annotated[
        str, typer.Argument(metavar="RESPONSE", help="The model's response: text, or a file that holds it.")
    ],
    gold: Annotated[
        str, typer.Argument(metavar="GOLD", help="The reference answer: text, or a file that holds it.")
    ],
    problem: Annotated[
        str | None, typer.Option(help="The problem (text or file), for listed choices.")
    ] = None,
    timeout: Timeout = 5.0,
) -> None:
    r"""Trace one verdict: the extracted answer, the result of each step, the rule that decides.

    lm-eval-ext explain 'So x is 1 or 2. Final answer: $x \in \{2, 1\}$' 'x = 1 or x = 2'
    lm-eval-ext explain response.txt gold.txt --problem problem.txt
    """
    from lm_eval_ext.grading import Grader, GraderConfig
    from lm_eval_ext.grading.explain import explain

    texts = _text_or_file(response), _text_or_file(gold), _text_or_file(problem) if problem else None
    with Grader(GraderConfig(workers=1, timeout_s=timeout)) as grader:
        show(explain(*texts, grader=grader))


def show(explanation: Explanation) -> None:
    verdict = explanation.verdict
    typer.secho(f"extracted by {verdict.extraction}" if verdict.extraction else "extracted", bold=True)
    answer = typer.style(explanation.answer or "nothing", fg=COLORS[verdict.correct], bold=True)
    typer.echo(f"  {explanation.before}⟦{answer}⟧{explanation.after}")
    shown = None
    for trace in explanation.steps:
        typer.secho(f"{trace.step.name}  ({trace.ms:.2f} ms)", bold=True)
        if shown != (shown := (trace.answer, trace.gold)):
            for name, form in zip(("answer", "gold"), shown, strict=True):
                typer.echo(f"  {name:8}" + form.replace("\n", "\n" + 10 * " "))
        typer.echo(f"  {trace.decision}")
    typer.secho("verdict", bold=True)
    typer.echo(f"  {verdict}  ({explanation.ms:.2f} ms)")


def _text_or_file(argument: str) -> str:
    """The content of the file `argument`, or the argument itself if there is no such file."""
    try:
        path = Path(argument)
        return path.read_text(encoding="utf-8") if path.is_file() else argument
    except (OSError, ValueError):  # too long for a file name, or NUL bytes
        return argument
