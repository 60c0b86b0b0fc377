"""`lm-eval-ext train merge ADAPTER --out DIR`: merge, save, prove, and say how to evaluate."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from lm_eval_ext.atomic import write_text
from lm_eval_ext.harness.errors import UserError

from .. import command
from ..eos import as_list, eos_tokens
from ..evaluation import Evaluation
from ..models import loaded_tokenizer
from ..recipe import Recipe
from . import engines, proof
from .combine import Adapter, Onto
from .proof import Finding

MARKS = {True: "passed", False: "FAILED", None: "not checked"}
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    adapter: Annotated[Path, typer.Argument(help="Folder of the adapter, as training saved it.")],
    out: Annotated[Path, typer.Option(help="Folder of the merged model.")],
    onto: Annotated[
        str, typer.Option(help="dequantised: what it was trained on; bf16: the original.")
    ] = "dequantised",
    prompts: Annotated[int, typer.Option(min=1, help="Held prompts for the proof.")] = 20,
    tokens: Annotated[int, typer.Option(min=1, help="Tokens of each greedy output.")] = 48,
    vllm: Annotated[bool, typer.Option(help="Whether vLLM is part of the proof.")] = True,
    dtype: Annotated[
        str, typer.Option(help="bfloat16, or float32: twice the size, nothing rounded.")
    ] = "bfloat16",
) -> None:
    """Merge an adapter into its base, prove that it is the model that was trained, and save it.

    Exit 0: every check passed. 1: one failed, and the folder is named OUT.failed. 3: one could not be made.

        lm-eval-ext train merge runs/sft --out runs/sft-merged
    """
    if onto not in ("dequantised", "bf16"):
        raise UserError(f"--onto is {onto!r}; it is dequantised or bf16")
    if dtype not in ("bfloat16", "float32"):
        raise UserError(f"--dtype is {dtype!r}; it is bfloat16 or float32")
    if out.exists():
        raise UserError(f"{out} exists; name another folder")
    findings, command = merge(adapter, out, onto, prompts, tokens, vllm, dtype)  # type: ignore[arg-type]
    for finding in findings:
        typer.echo(f"{MARKS[finding.passed]:12}{finding.name}: {finding.seen}")
    failed = any(finding.passed is False for finding in findings)
    if not failed:
        typer.echo(f"\n{command}")
    raise typer.Exit(1 if failed else 3 if any(f.passed is None for f in findings) else 0)


def merge(
    adapter: Path,
    out: Path,
    onto: Onto = "dequantised",
    prompts: int = 20,
    tokens: int = 48,
    vllm: bool = True,
    dtype: str = "bfloat16",
) -> tuple[list[Finding], str]:
    """Merges, saves in `out`, and proves. Returns the findings and the command that evaluates the model.

    The findings are also in `out/merge.json`. Where one failed, the folder is `out` with `.failed` behind it.
    """
    import torch
    from transformers import AutoModelForCausalLM

    given = Adapter.at(adapter)
    tokenizer = loaded_tokenizer(str(adapter))
    making = out.with_name(f"{out.name}.failed")
    whole = given.merged(onto)
    base = given.unadapted(onto)
    ends = eos_tokens(tokenizer, as_list(whole.generation_config.eos_token_id))
    whole.generation_config.eos_token_id = ends
    whole.generation_config.pad_token_id = tokenizer.pad_token_id
    copy.deepcopy(whole).to(getattr(torch, dtype)).save_pretrained(making)
    tokenizer.save_pretrained(making)

    saved = AutoModelForCausalLM.from_pretrained(making, dtype="auto").eval()
    held = _held_prompts(given.recipe, tokenizer, prompts)
    ids = [tokenizer(prompt)["input_ids"] for prompt in held]
    said = engines.transformers_greedy(saved, ids, tokens, ends)
    texts = [prompt + str(tokenizer.decode(goes_on)) for prompt, goes_on in zip(held, said, strict=True)]
    trained = given.exact()
    kept = AutoModelForCausalLM.from_pretrained(making, dtype=torch.float32).eval()
    pairs = (trained, whole), (whole, kept), (trained, given.model())
    exact, rounded, arithmetic = (proof.divergence(a, b, tokenizer, texts) for a, b in pairs)
    findings = [
        proof.differs_from_base(whole, base),
        proof.close_to_trained(exact, other_base=onto != "dequantised"),
        proof.close_when_saved(rounded, arithmetic),
        proof.tied_head(saved),
        proof.ends(making, tokenizer),
        proof.template(making, tokenizer),
        _in_vllm(making, kept, ids, tokens, ends, vllm),
    ]
    command = Evaluation.of(given.recipe).command(str(out))
    report = {
        "adapter": str(adapter),
        "onto": onto,
        "findings": [asdict(f) for f in findings],
        "evaluate": command,
    }
    write_text(making / "merge.json", json.dumps(report, indent=2))
    if all(finding.passed is not False for finding in findings):
        making.rename(out)
    return findings, command


def _in_vllm(
    folder: Path,
    exact: Any,
    ids: engines.Tokens,
    tokens: int,
    ends: Sequence[int],
    wanted: bool,
) -> Finding:
    import torch

    if not wanted or not engines.can_run_vllm():
        why = "vLLM is not installed" if wanted else "left out with --no-vllm"
        return Finding("vLLM goes on as transformers", None, why)
    try:
        theirs = engines.vllm_greedy(folder, ids, tokens, ends)
    except RuntimeError as error:
        return Finding("vLLM goes on as transformers", False, str(error))
    return engines.agree(exact, copy.deepcopy(exact).to(torch.bfloat16), ids, theirs)


def _held_prompts(recipe: Recipe, tokenizer: Any, n: int) -> list[str]:
    """Prompts of the recipe's task, of problems that nothing was trained on."""
    from ..data.build import prompts_of

    prompts = prompts_of(recipe, tokenizer)
    return [prompts.prompt(doc) for doc in prompts.evaluated[:n]]


if __name__ == "__main__":
    app(prog_name=command("merge"))
