"""`lm-eval-ext train data COMMAND`: build training data."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from lm_eval_ext.atomic import write_text
from lm_eval_ext.cli.app import say_next
from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.harness.sources import read_rows

from .. import command
from .sampling import Row, Sampling, finish, jsonl, sample

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Probe = Annotated[Path, typer.Argument(help="Output of `probe`.")]
Out = Annotated[Path, typer.Option(help="The file to write.")]


@app.callback()
def main() -> None:
    """Build training data: from a recipe, from a model's own responses, by difficulty.

    lm-eval-ext train data build --config smoke_sft --out rows.jsonl
    """


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def build(
    context: typer.Context,
    config: Annotated[Path, typer.Option(help="A recipe: file or name.")],
    out: Out,
    exemplars: Annotated[
        Path | None, typer.Option(help="File for the task's exemplars, which are never trained on.")
    ] = None,
) -> None:
    """Write the rows that a recipe trains on; report what was left out and why.

    Further options override the recipe, as in training:

        lm-eval-ext train data build --out rows.jsonl --size 100 --config smoke_sft
    """
    from ..models import training_tokenizer
    from ..recipe import read
    from ..recipe_files import TRAINERS, trainer_of
    from .build import built, prompts_of

    trainer = trainer_of(config)
    recipe, _training, model = read(trainer, ["--config", str(config), *context.args])
    made = built(recipe, TRAINERS[trainer], training_tokenizer(model))
    write_text(out, jsonl(made.docs))
    if exemplars is not None:
        write_text(exemplars, jsonl(prompts_of(recipe, None).exemplars))
    typer.echo(f"{out}: {made}", err=True)
    say_next("train", trainer, "--config", config, *context.args)


@app.command()
def splits(
    source: Annotated[str, typer.Argument(help="A source of recipes, such as mathnet or math.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for train.jsonl and eval.jsonl.")],
    data: Annotated[str | None, typer.Option(help="sample, or a data folder; default: the Hub.")] = None,
) -> None:
    """Write the training and evaluation problems of a source to files.

    The evaluation problems are those that its task evaluates on; no training
    problem is among them.

        lm-eval-ext train data splits mathnet --out splits
    """
    from .documents import EVALUATIONS, documents, without

    train = documents(source, data)  # raises for a source that is unknown
    if source not in EVALUATIONS:
        raise UserError(f"{source} has no evaluation split; sources with one: {', '.join(EVALUATIONS)}")
    evaluation = [dict(doc) for doc in EVALUATIONS[source](data)]
    for name, docs in (("train", without(train, evaluation)), ("eval", evaluation)):
        write_text(out / f"{name}.jsonl", jsonl(docs))
        typer.echo(f"{out / name}.jsonl: {len(docs)} problems", err=True)
    say_next("train", "preflight", "--config", "RECIPE", "--source", out / "train.jsonl")


def samples(**defaults: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command, which takes a Sampling first, the options of Sampling, with other defaults."""

    def decorate(run: Callable[..., None]) -> Callable[..., None]:
        shared = inspect.signature(Sampling, eval_str=True).parameters
        _, *own = inspect.signature(run, eval_str=True).parameters.values()

        def start(**given: Any) -> None:
            run(Sampling(**{name: given.pop(name) for name in shared}), **given)

        options = [o.replace(default=defaults.get(name, o.default)) for name, o in shared.items()]
        start.__name__, start.__doc__ = run.__name__, run.__doc__
        start.__signature__ = inspect.Signature([*options, *own])  # type: ignore[attr-defined]
        return start

    return decorate


@app.command()
@samples(temperature=0.6, top_p=0.95, top_k=20, max_tokens=4096)
def distill(
    sampling: Sampling,
    per_problem: Annotated[int, typer.Option(min=1, help="Number of responses to keep per problem.")] = 1,
    prefer: Annotated[
        str, typer.Option(help="Which to keep if there are more: first or shortest.")
    ] = "first",
) -> None:
    """Keep a model's own right responses as training data (RFT, STaR).

    Keeps whole responses that the evaluation's grader accepts; a response
    that reaches the token limit is dropped. The file is a source for SFT:
    `source: distilled.jsonl` in a recipe. Progress is saved; rerun the same
    command to resume.

        lm-eval-ext train data distill --model Qwen/Qwen3-1.7B \\
          --task mathnet_boxed --source mathnet --chat --thinking \\
          --max-tokens 16384 --out distilled.jsonl
    """
    from .distill import distilled

    if prefer not in ("first", "shortest"):
        raise UserError(f"--prefer is {prefer!r}; it is first or shortest")
    docs, rows, settings = sample(sampling)
    kept, counts = distilled(docs, rows, per_problem, prefer)  # type: ignore[arg-type]
    listed = ", ".join(f"{name} {number}" for name, number in counts.items())
    if not kept:
        raise UserError(f"no response was accepted ({listed}); the responses are in {sampling.partial}")
    finish(sampling, kept, {**settings, "counts": counts})
    typer.echo(f"{sampling.out}: {listed}", err=True)
    say_next("train", "sft", "--config", "RECIPE", "--source", sampling.out)


@app.command()
@samples()
def probe(sampling: Sampling) -> None:
    """Measure pass@k: how often a model solves each problem.

    Sample as training will: the share of problems solved never or always is
    the share of groups without a gradient. Then run `filter` or `curriculum`.
    Progress is saved; rerun the same command to resume.

        lm-eval-ext train data probe --model Qwen/Qwen3-1.7B-Base \\
          --task math_0shot --source math --samples 16 --out probe.jsonl
    """
    from .difficulty import probe_row, summary

    _docs, rows, settings = sample(sampling)
    measured = [probe_row(row) for row in rows]
    totals = summary(measured)
    finish(sampling, measured, {**settings, "summary": totals})
    typer.echo(f"{sampling.out}: " + ", ".join(f"{k} {v:.4g}" for k, v in totals.items()), err=True)
    say_next("train", "data", "filter", sampling.out, "--out", sampling.out.with_suffix(".ids.txt"))


@app.command("filter")
def filter_(file: Probe, out: Out) -> None:
    """Write the ids of the problems that are solved sometimes: neither never nor always.

    The file is a recipe's `curriculum:`. Every id must be among the recipe's
    documents.

        lm-eval-ext train data filter probe.jsonl --out ids.txt
    """
    from .difficulty import informative

    ids, left_out = informative(_read_probe(file))
    _write_ids(out, ids, f" ({', '.join(f'{n} {kind} solved' for kind, n in left_out.items())} left out)")
    say_next("train", "grpo", "--config", "RECIPE", "--curriculum", out)


@app.command()
def curriculum(
    file: Probe,
    out: Out,
    sometimes: Annotated[
        bool, typer.Option("--sometimes", help="Leave out problems solved never or always.")
    ] = False,
) -> None:
    """Write the ids of the problems, the easiest first, for a recipe's `curriculum:`.

    Also set `shuffle_dataset: false` in the recipe, or the order is lost.

        lm-eval-ext train data curriculum probe.jsonl --sometimes --out ids.txt
    """
    from .difficulty import easiest_first, informative

    rows = _read_probe(file)
    wanted = set(informative(rows)[0]) if sometimes else {row["id"] for row in rows}
    _write_ids(out, [name for name in easiest_first(rows) if name in wanted], "")
    say_next("train", "grpo", "--config", "RECIPE", "--curriculum", out, "--shuffle_dataset", "false")


def _read_probe(file: Path) -> list[Row]:
    if not file.is_file():
        raise UserError(f"no such file: {file}; make one with {command('data')} probe")
    return list(read_rows(file))


def _write_ids(out: Path, ids: list[str], remark: str) -> None:
    if not ids:
        raise UserError(f"no problem is left{remark}")
    write_text(out, "".join(f"{name}\n" for name in ids))
    typer.echo(f"{out}: {len(ids)} ids{remark}", err=True)


if __name__ == "__main__":
    app(prog_name=command("data"))
