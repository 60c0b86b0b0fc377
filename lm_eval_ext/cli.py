"""The command line: parses, calls, prints."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """Math evaluation for lm-evaluation-harness: tasks, a layered grader, evidence."""


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    options_metavar="[ANY OPTION OF lm_eval run]",
)
def run(context: typer.Context) -> None:
    """Evaluate a model: the protocol is checked before the engine starts, then `lm_eval run` does it.

    Takes every option of `lm_eval run` (see `lm-eval-ext run --help`). Without --include_path it finds
    the tasks of this package. Refuses tensor parallelism, vLLM without a seed in --model_args, sampling
    without repeats, and a max_gen_toks that does not fit the model's window.

        lm-eval-ext run --model vllm --model_args pretrained=M,seed=42 --tasks mathnet,math_qwen
    """
    from lm_eval_ext.harness.launch import run as launch

    launch(context.args)


@app.command("tasks-path")
def tasks_path() -> None:
    """Print the folder of the task files: `lm_eval --include_path "$(lm-eval-ext tasks-path)" ...`."""
    from lm_eval_ext.harness.launch import tasks_path as path

    typer.echo(path())


@app.command()
def grade(
    file: Annotated[str, typer.Argument(help="JSON lines, .gz allowed; - for the standard input.")],
    out: Annotated[Path | None, typer.Option(help="Where to. Without it: standard output.")] = None,
    response_field: Annotated[str, typer.Option(help="All that the model wrote.")] = "response",
    gold_field: Annotated[str, typer.Option(help="The reference answer, text or a number.")] = "gold",
    problem_field: Annotated[str, typer.Option(help="The problem, if there is one.")] = "problem",
    workers: Annotated[int | None, typer.Option(min=1, help="Processes. Without it: one per core.")] = None,
    timeout: Annotated[float, typer.Option(min=0.01, help="Seconds for one comparison.")] = 5.0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Grade all rows again.")] = False,
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
    """
    from lm_eval_ext.grading import Grader, GraderConfig
    from lm_eval_ext.grading.files import grade_file
    from lm_eval_ext.grading.rows import Fields, RowError

    def say(text: str) -> None:
        typer.echo(text, err=True)

    try:
        fields = Fields(response_field, gold_field, problem_field)
        with Grader(GraderConfig(workers=workers, timeout_s=timeout)) as grader:
            source = None if file == "-" else Path(file)
            say(str(grade_file(source, out, grader, fields=fields, overwrite=overwrite, say=say)))
    except BrokenPipeError:
        # The reader of the output has had enough: what is left in the buffer goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except (RowError, OSError) as error:
        say(f"Error: {error}")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        say("interrupted" + ("; the same command goes on from here" if out else ""))
        raise typer.Exit(130) from None


@app.command("explain")
def explain_command(
    response: Annotated[str, typer.Argument(help="All that the model wrote: a text, or a file of it.")],
    gold: Annotated[str, typer.Argument(help="The reference answer: a text, or a file of it.")],
    problem: Annotated[
        str | None, typer.Option(help="The problem (text or file), for listed choices.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.01, help="Seconds for one comparison.")] = 5.0,
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
    typer.secho("extracted", bold=True)
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


@app.command()
def doctor(
    model: Annotated[str | None, typer.Option(help="A model whose window is to be shown.")] = None,
) -> None:
    """Show what an evaluation here would use: versions, cores, tasks, data; grades one answer as a trial."""
    from lm_eval_ext.grading import grade_one
    from lm_eval_ext.grading.pool import usable_cores
    from lm_eval_ext.harness import protocol, sources
    from lm_eval_ext.harness.launch import tasks_path as path

    rows = {"python": sys.version.split()[0], **protocol.versions()}
    rows["cores"] = str(usable_cores())
    rows["tasks"] = str(path())
    rows["data"] = sources.source() or "the Hub"
    if model:
        rows["window"] = str(protocol.context_window({"pretrained": model}))
    rows["grader"] = str(grade_one(r"Final answer: $\frac{6}{8}$", "0.75"))
    for name, value in rows.items():
        typer.echo(f"{name:24}{value}")


if __name__ == "__main__":
    app()
