"""`lm-eval-ext explain`: how one verdict comes about."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lm_eval_ext.cli.app import Timeout, app


@app.command("explain", context_settings={"ignore_unknown_options": True})  # -3 is a gold
def explain_command(
    response: Annotated[str, typer.Argument(help="All that the model wrote: a text, or a file of it.")],
    gold: Annotated[str, typer.Argument(help="The reference answer: a text, or a file of it.")],
    problem: Annotated[
        str | None, typer.Option(help="The problem (text or file), for listed choices.")
    ] = None,
    timeout: Timeout = 5.0,
) -> None:
    r"""Show how one verdict comes about: what is extracted, what each layer makes of it, which rule decides.

    lm-eval-ext explain 'So x is 1 or 2. Final answer: $x \in \{2, 1\}$' 'x = 1 or x = 2'
    lm-eval-ext explain response.txt gold.txt --problem problem.txt
    """
    from lm_eval_ext.grading import Grader, GraderConfig
    from lm_eval_ext.grading.explain import explain

    answered, wanted = _text_or_file(response), _text_or_file(gold)
    asked = _text_or_file(problem) if problem else None
    with Grader(GraderConfig(workers=1, timeout_s=timeout)) as grader:
        found = explain(answered, wanted, asked, grader=grader)
    mark = {True: typer.colors.GREEN, False: typer.colors.RED, None: typer.colors.YELLOW}[
        found.verdict.correct
    ]
    found_by = f" by its {found.verdict.extraction}" if found.verdict.extraction else ""
    typer.secho(f"extracted{found_by}", bold=True)
    shown = typer.style(found.answer or "nothing", fg=mark, bold=True)
    typer.echo(f"  {found.before}⟦{shown}⟧{found.after}")
    for step in found.steps:
        typer.secho(f"{step.layer}  ({step.ms:.2f} ms)", bold=True)
        for name, form in (("answer", step.answer), ("gold", step.gold)):
            typer.echo(f"  {name:8}" + form.replace("\n", "\n" + 10 * " "))
        typer.echo(f"  {step.decision}")
    typer.secho("verdict", bold=True)
    typer.echo(f"  {found.verdict}  ({found.ms:.2f} ms)")


def _text_or_file(argument: str) -> str:
    """The text of the file so named, else the argument itself."""
    try:
        path = Path(argument)
        return path.read_text(encoding="utf-8") if path.is_file() else argument
    except (OSError, ValueError):  # too long for a name, NUL bytes
        return argument
