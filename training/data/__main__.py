"""`lm-eval-ext train data COMMAND`: rows to train on, and what they are made from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lm_eval_ext.atomic import write_text
from lm_eval_ext.harness.errors import UserError

from .. import command

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Out = Annotated[Path, typer.Option(help="The file to write; it is there whole or not at all.")]
Model = Annotated[str, typer.Option(help="A folder, or a name on the Hub.")]
Task = Annotated[str, typer.Option(help="The lm-eval task whose prompts are used.")]
Source = Annotated[str | None, typer.Option(help="Where problems come from; without it: the task's name.")]
Data = Annotated[str | None, typer.Option(help="Where data sets come from, as LM_EVAL_EXT_DATA.")]
Size = Annotated[int | None, typer.Option(min=1, help="Problems, from the start of the source.")]
Fewshot = Annotated[int | None, typer.Option(min=0, help="Exemplars; without it: the task's number.")]
Chat = Annotated[bool, typer.Option("--chat", help="Prompts through the chat template.")]
Thinking = Annotated[
    bool | None, typer.Option("--thinking/--no-thinking", help="enable_thinking of the chat template.")
]
Samples = Annotated[int, typer.Option(min=1, help="Responses to each problem.")]
Temperature = Annotated[float, typer.Option(min=0.0, help="0 is greedy.")]
TopP = Annotated[float, typer.Option(min=0.0, max=1.0)]
TopK = Annotated[int, typer.Option(min=0, help="0: no limit.")]
MaxTokens = Annotated[int, typer.Option(min=1, help="A response of so many tokens is capped.")]
Seed = Annotated[
    int, typer.Option(help="Each response has a seed of its own, made from this and its problem.")
]
Engine = Annotated[str, typer.Option(help="auto (vLLM if installed), vllm or transformers.")]
Window = Annotated[int | None, typer.Option(min=1, help="max_model_len; without it: the model's own.")]
Eager = Annotated[bool, typer.Option("--eager", help="vLLM without compilation: sooner begun, slower.")]
Chunk = Annotated[int, typer.Option(min=1, help="Problems between two saves.")]


@app.callback()
def main() -> None:
    """Rows to train on: build them, distil them from a model, choose them by difficulty."""


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def build(
    context: typer.Context,
    config: Annotated[Path, typer.Option(help="A recipe, file or name.")],
    out: Out,
) -> None:
    """Write the rows that a recipe trains on, and say what was left out and why.

    Further options change the recipe, as in training itself:

        lm-eval-ext train data build --out rows.jsonl --size 100 --config smoke_sft
    """
    from ..recipe import read, trainer_of
    from ..setup import tokenizer
    from .build import built
    from .sampled import jsonl

    trainer = trainer_of(config)
    recipe, _training, model = read(trainer, ["--config", str(config), *context.args])
    made = built(recipe, trainer, tokenizer(model))
    write_text(out, jsonl(made.docs))
    typer.echo(f"{out}: {made}", err=True)


@app.command()
def distill(
    model: Model,
    task: Task,
    out: Out,
    source: Source = None,
    data: Data = None,
    size: Size = None,
    num_fewshot: Fewshot = None,
    chat: Chat = False,
    thinking: Thinking = None,
    samples: Samples = 8,
    temperature: Temperature = 0.6,
    top_p: TopP = 0.95,
    top_k: TopK = 20,
    max_tokens: MaxTokens = 4096,
    seed: Seed = 42,
    engine: Engine = "auto",
    max_model_len: Window = None,
    eager: Eager = False,
    chunk: Chunk = 64,
    per_problem: Annotated[int, typer.Option(min=1, help="At most so many documents of a problem.")] = 1,
    prefer: Annotated[str, typer.Option(help="first or shortest: which, where there are more.")] = "first",
) -> None:
    """Keep a model's own right responses as training data (RFT, STaR).

    Whole responses that the evaluation's grader accepts; what ran into the
    token limit is dropped, never cut. The file is a source for SFT:
    `source: distilled.jsonl` in a recipe. An interrupted run goes on where it
    stopped when the same command is given again.

        lm-eval-ext train data distill --model Qwen/Qwen3-1.7B \\
          --task mathnet_boxed --source mathnet --chat --thinking \\
          --max-tokens 16384 --out distilled.jsonl
    """
    from .distill import distilled

    if prefer not in ("first", "shortest"):
        raise UserError(f"--prefer is {prefer!r}; it is first or shortest")
    given = {key: value for key, value in locals().items() if key != "distilled"}
    docs, rows, partial = _sampled(given, texts=True)
    kept, counts = distilled(docs, rows, per_problem, prefer)  # type: ignore[arg-type]
    if not kept:
        raise UserError(f"no response was accepted ({counts}); what was sampled is in {partial.folder}")
    partial.finish(kept, {"counts": vars(counts)})
    typer.echo(f"{out}: {counts}", err=True)


@app.command()
def probe(
    model: Model,
    task: Task,
    out: Out,
    source: Source = None,
    data: Data = None,
    size: Size = None,
    num_fewshot: Fewshot = None,
    chat: Chat = False,
    thinking: Thinking = None,
    samples: Samples = 8,
    temperature: Temperature = 1.0,
    top_p: TopP = 1.0,
    top_k: TopK = 0,
    max_tokens: MaxTokens = 1024,
    seed: Seed = 42,
    engine: Engine = "auto",
    max_model_len: Window = None,
    eager: Eager = False,
    chunk: Chunk = 64,
) -> None:
    """Measure how often a model solves each problem: pass@k, one row per problem.

    Sample as training will: the share of problems solved never or always is
    the share of groups without a signal. Then `filter` or `curriculum`.

        lm-eval-ext train data probe --model Qwen/Qwen3-1.7B-Base \\
          --task math_0shot --source math --samples 16 --out probe.jsonl
    """
    from .difficulty import probed, summary

    given = {key: value for key, value in locals().items() if key not in ("probed", "summary")}
    _docs, rows, partial = _sampled(given, texts=False)
    measured = probed(rows)
    partial.finish(measured, {"summary": summary(measured)})
    typer.echo(f"{out}: " + ", ".join(f"{k} {v:.4g}" for k, v in summary(measured).items()), err=True)


@app.command("filter")
def filter_(
    file: Annotated[Path, typer.Argument(help="Of `probe`.")],
    out: Out,
) -> None:
    """Ids of the problems that are solved sometimes: neither never nor always.

    The file is a recipe's `curriculum:`. An id that is not among the
    recipe's documents is an error.

        lm-eval-ext train data filter probe.jsonl --out ids.txt
    """
    from .difficulty import informative

    ids, left_out = informative(_probe(file))
    _write_ids(out, ids, f" ({', '.join(f'{n} {kind} solved' for kind, n in left_out.items())} left out)")


@app.command()
def curriculum(
    file: Annotated[Path, typer.Argument(help="Of `probe`.")],
    out: Out,
    sometimes: Annotated[
        bool, typer.Option("--sometimes", help="Without those solved never or always.")
    ] = False,
) -> None:
    """Ids of the problems, the easiest first, for a recipe's `curriculum:`.

    Give the recipe `shuffle_dataset: false` too, or the order is lost.

        lm-eval-ext train data curriculum probe.jsonl --sometimes --out ids.txt
    """
    from .difficulty import easiest_first, informative

    rows = _probe(file)
    wanted = set(informative(rows)[0]) if sometimes else {row["id"] for row in rows}
    _write_ids(out, [name for name in easiest_first(rows) if name in wanted], "")


def _probe(file: Path) -> list[dict[str, Any]]:
    from lm_eval_ext.harness.sources import read_rows

    if not file.is_file():
        raise UserError(f"no such file: {file}; {command('data')} probe makes one")
    return list(read_rows(file))


def _write_ids(out: Path, ids: list[str], remark: str) -> None:
    if not ids:
        raise UserError(f"no problem is left{remark}")
    write_text(out, "".join(f"{name}\n" for name in ids))
    typer.echo(f"{out}: {len(ids)} ids{remark}", err=True)


def _sampled(given: dict[str, Any], *, texts: bool) -> tuple[list[Any], list[Any], Any]:
    """Documents, graded responses to them, and the unfinished output, from the options of a command."""
    from ..models import loaded_tokenizer
    from ..recipe import Recipe
    from .build import documents_of, prompts_of
    from .generators import Request, Sampling, generator
    from .sampled import Partial, sampled, settings_of

    names = ("task", "source", "data", "size", "num_fewshot", "chat", "thinking")
    tokenizer = loaded_tokenizer(given["model"])
    recipe = Recipe(**{name: given[name] for name in names})
    prompts = prompts_of(recipe, tokenizer)
    docs = documents_of(recipe, prompts, len)
    requests = [Request(doc["id"], prompts.prompt(doc)) for doc in docs]
    drawn = ("samples", "temperature", "top_p", "top_k", "max_tokens", "seed")
    try:
        sampling = Sampling(**{name: given[name] for name in drawn}, stops=tuple(prompts.stops))
    except ValueError as error:
        raise UserError(str(error)) from error
    named = {name: given[name] for name in ("model", "task", "engine", "max_model_len", "chunk")}
    partial = Partial(given["out"], settings_of(docs, requests, sampling, **named, grading=prompts.grading))
    rows = sampled(
        docs,
        requests,
        lambda: generator(given["model"], given["engine"], given["max_model_len"], given["eager"]),
        sampling,
        partial,
        chunk=given["chunk"],
        texts=texts,
        grading=prompts.reward_settings,
    )
    return docs, rows, partial


if __name__ == "__main__":
    app(prog_name=command("data"))
