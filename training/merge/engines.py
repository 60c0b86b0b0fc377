"""The merged model in vLLM, beside transformers: greedy outputs of the same prompts.

vLLM runs in a process of its own (this module with FOLDER and TOKENS, prompts as JSON on the
standard input), so that its engine takes no memory of the caller and ends with it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from typing import Any

from lm_eval_ext.harness.engines import on_cpu

from ..ends import listed
from .proof import Finding

Tokens = list[list[int]]
TOLERATED_GAP = 0.25
"""Log-probability, in nats, by which the two engines' next tokens may differ where they part: a near-tie that
bfloat16 sums of another order decide otherwise. A wrong export is off by whole nats at the first tokens."""


def transformers_greedy(model: Any, prompts: Tokens, tokens: int, ends: Sequence[int]) -> Tokens:
    """What the model goes on with, one prompt at a time, up to any of the end tokens."""
    import torch

    found = []
    for prompt in prompts:
        ids = torch.tensor([prompt], device=model.device)
        settings = {"max_new_tokens": tokens, "do_sample": False, "eos_token_id": list(ends)}
        out = model.generate(ids, attention_mask=torch.ones_like(ids), **settings)
        found.append(_until(out[0, len(prompt) :].tolist(), ends))
    return found


def vllm_greedy(folder: Path, prompts: Tokens, tokens: int, ends: Sequence[int]) -> Tokens:
    """What vLLM goes on with. Raises RuntimeError with the end of its log where it cannot load the model."""
    environment = {**on_cpu(), "VLLM_LOGGING_LEVEL": "ERROR", **os.environ}
    command = [sys.executable, "-m", __name__, str(folder), str(tokens)]
    done = subprocess.run(
        command, input=json.dumps(prompts), capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        raise RuntimeError(f"vLLM cannot run {folder}: {done.stderr[-2000:]}")
    return [_until(ids, ends) for ids in json.loads(done.stdout.splitlines()[-1])]


def agree(model: Any, ours: Tokens, theirs: Tokens, prompts: Tokens) -> Finding:
    """Whether vLLM goes on as transformers; where they part, by how much transformers preferred its own."""
    import torch

    gaps = []
    for prompt, a, b in zip(prompts, ours, theirs, strict=True):
        place = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
        if place >= max(len(a), len(b)):
            continue
        end = listed(model.generation_config.eos_token_id)[0]
        mine, other = (side[place] if place < len(side) else end for side in (a, b))
        with torch.no_grad():
            logits = model(torch.tensor([[*prompt, *a[:place]]], device=model.device)).logits[0, -1].float()
        gaps.append((float(logits[mine] - logits[other]), place))
    same = len(prompts) - len(gaps)
    seen = f"{same} of {len(prompts)} greedy outputs are equal"
    if gaps:
        worst, place = max(gaps)
        seen += f"; of the others the clearest parts at token {place}, by {worst:.3f} nats"
    return Finding("vLLM goes on as transformers", all(gap <= TOLERATED_GAP for gap, _ in gaps), seen)


def can_run_vllm() -> bool:
    """Whether vLLM is installed."""
    return find_spec("vllm") is not None


def _until(ids: Sequence[int], ends: Sequence[int]) -> list[int]:
    return list(takewhile(lambda token: token not in ends, ids))


def _main(folder: str, tokens: str) -> None:
    from vllm import LLM, SamplingParams, TokensPrompt

    prompts = json.load(sys.stdin)
    longest = max(len(prompt) for prompt in prompts) + int(tokens)
    engine = LLM(folder, dtype="auto", enforce_eager=True, seed=42, max_model_len=longest, max_num_seqs=32)
    sampling = SamplingParams(temperature=0, max_tokens=int(tokens))
    inputs = [TokensPrompt(prompt_token_ids=prompt) for prompt in prompts]
    outputs = engine.generate(inputs, sampling, use_tqdm=False)
    print(json.dumps([list(output.outputs[0].token_ids) for output in outputs]))


if __name__ == "__main__":
    _main(*sys.argv[1:])
