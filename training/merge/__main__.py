"""`lm-eval-ext train merge ADAPTER --out DIR`: merge, save, prove, and print how to evaluate."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lm_eval_ext.atomic import write_text
from lm_eval_ext.cli.app import say_next
from lm_eval_ext.harness.errors import UserError

from .. import command
from ..data.build import prompts_of
from ..evaluation import Evaluation
from ..models import eos_tokens, loaded_tokenizer
from . import engines, proof
from .combine import DEQUANTISED, Adapter
from .proof import ProofResult

MARKS = {True: "passed", False: "FAILED", None: "not checked"}
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    adapter: Annotated[Path, typer.Argument(help="Folder of the adapter, as training saved it.")],
    out: Annotated[Path, typer.Option(help="Folder of the merged model.")],
    onto: Annotated[
        str, typer.Option(help="dequantised: the weights it was trained on; bf16: the original ones.")
    ] = DEQUANTISED,
    prompts: Annotated[int, typer.Option(min=1, help="Held-out prompts for the proof.")] = 20,
    tokens: Annotated[int, typer.Option(min=1, help="Tokens of each greedy output.")] = 48,
    vllm: Annotated[bool, typer.Option(help="Whether vLLM is part of the proof.")] = True,
    dtype: Annotated[
        str | None, typer.Option(help="bfloat16 or float32. Default: that of the training.")
    ] = None,
) -> None:
    """Merge an adapter into its base, prove that it is the model that was trained, and save it.

    Exit 0: every check passed. 1: one failed, and the folder is named OUT.failed. 3: one could not be made;
    one that --no-vllm leaves out does not count.

        lm-eval-ext train merge runs/sft --out runs/sft-merged
    """
    for option, given, known in (
        ("--onto", onto, (DEQUANTISED, "bf16")),
        ("--dtype", dtype, (None, "bfloat16", "float32")),
    ):
        if given not in known:
            raise UserError(f"{option} is {given!r}; it is {' or '.join(filter(None, known))}")
    if out.exists():
        raise UserError(f"{out} exists; name another folder")
    results, evaluation = merge(adapter, out, onto, prompts, tokens, vllm, dtype)
    for result in results:
        typer.echo(f"{MARKS[result.passed]:12}{result.name}: {result.seen}")
    verdicts = {result.passed for result in results}
    if False not in verdicts:
        typer.echo(f"merged: {out}", err=True)
        say_next("run", *evaluation.arguments(str(out), f"{out}/eval"))
    raise typer.Exit(1 if False in verdicts else 3 if None in verdicts else 0)


def merge(
    folder: Path, out: Path, onto: str, n_prompts: int, tokens: int, vllm: bool, dtype: str | None
) -> tuple[list[ProofResult], Evaluation]:
    """Merges, saves in `out`, and proves. Returns the results and how the model is evaluated.

    The results are also in `out/merge.json`. Where one failed, the folder is `out` with `.failed` behind it.
    """
    import torch
    from transformers import AutoModelForCausalLM

    adapter, tokenizer = Adapter.at(folder), loaded_tokenizer(str(folder))
    merged = adapter.adapted(adapter.base_in_float32(onto)).merge_and_unload().eval()
    ends = eos_tokens(tokenizer, merged.generation_config.eos_token_id)
    merged.generation_config.eos_token_id = ends
    merged.generation_config.pad_token_id = tokenizer.pad_token_id
    unproven = out.with_name(f"{out.name}.failed")
    copy.deepcopy(merged).to(getattr(torch, dtype or adapter.dtype)).save_pretrained(unproven)
    tokenizer.save_pretrained(unproven)

    saved = AutoModelForCausalLM.from_pretrained(unproven, dtype="auto").eval()
    saved_float32 = AutoModelForCausalLM.from_pretrained(unproven, dtype=torch.float32).eval()
    task = prompts_of(adapter.recipe, tokenizer)
    prompts = [task.prompt(doc) for doc in task.evaluated[:n_prompts]]
    ids = [tokenizer(prompt)["input_ids"] for prompt in prompts]
    responses = engines.transformers_greedy(saved, ids, tokens, ends)
    texts = [prompt + str(tokenizer.decode(said)) for prompt, said in zip(prompts, responses, strict=True)]
    trained = adapter.adapted(adapter.base_in_float32())
    pairs = (
        (trained, merged),
        (merged, saved_float32),
        (trained, adapter.adapted(adapter.base_in_training())),
    )
    exact, rounded, arithmetic = (proof.divergence(a, b, tokenizer, texts) for a, b in pairs)
    results = [
        proof.differs_from_base(merged, adapter.base_in_float32(onto)),
        proof.close_to_trained(exact, other_base=onto != DEQUANTISED),
        proof.close_when_saved(rounded, arithmetic),
        proof.tied_head(saved),
        proof.ends(unproven, tokenizer),
        proof.template(unproven, tokenizer),
    ]
    if vllm:
        typer.echo("vLLM continues the prompts", err=True)
        results += [engines.in_vllm(unproven, saved_float32, saved.to(torch.bfloat16), ids, tokens, ends)]
    evaluation, findings = Evaluation.of(adapter.recipe), [asdict(result) for result in results]
    evaluation.model_args["dtype"] = dtype or adapter.dtype
    evaluate = evaluation.command(str(out))
    report = {"adapter": str(folder), "onto": onto, "findings": findings, "evaluate": evaluate}
    write_text(unproven / "merge.json", json.dumps(report, indent=2))
    if all(result.passed is not False for result in results):
        unproven.rename(out)
    return results, evaluation


if __name__ == "__main__":
    app(prog_name=command("merge"))
