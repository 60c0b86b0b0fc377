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
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from typing import Any

from lm_eval_ext.harness.engines import on_cpu

from .proof import Finding

Tokens = list[list[int]]
MAX_NOISE = 1.5
"""The engine's log-probabilities may be at most this many times as far from float32, on average, as bfloat16
arithmetic in transformers is on the same tokens. Ten merges of SmolLM2-135M in vLLM: 0.7 to 1.3 times; with
the adapter left out: 1.7 to 16 times, where it moves weights by 1% to 8% of their norm."""
MAX_FLIP = 4.0
"""Where the engine chooses another token than float32, that one may be better by so many times the largest
difference that bfloat16 arithmetic makes to one token: two tokens err, in two engines."""
LEAST_NOISE = 1e-3
"""Nats that are nothing, however exact the arithmetic."""


@dataclass(frozen=True)
class Said:
    """What an engine went on with: its tokens, and the log-probability in nats that it gave each."""

    ids: list[int]
    logprobs: list[float]


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


def vllm_greedy(folder: Path, prompts: Tokens, tokens: int, ends: Sequence[int]) -> list[Said]:
    """What vLLM goes on with, ends included. Raises RuntimeError with its log where it cannot load it."""
    environment = {**on_cpu(), "VLLM_LOGGING_LEVEL": "ERROR", **os.environ}
    command = [sys.executable, "-m", __name__, str(folder), str(tokens)]
    given = json.dumps({"prompts": prompts, "ends": list(ends)})
    done = subprocess.run(command, input=given, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(f"vLLM cannot run {folder}: {done.stderr[-2000:]}")
    return [Said(**said) for said in json.loads(done.stdout.splitlines()[-1])]


def agree(exact: Any, rounded: Any, prompts: Tokens, said: Sequence[Said]) -> Finding:
    """Whether vLLM is no further from the weights in float32 than bfloat16 arithmetic on its own tokens is.

    Args:
        exact: the saved weights, in float32.
        rounded: the same in bfloat16.
        prompts: token ids.
        said: what vLLM, greedy, went on with.
    """
    import torch

    engine, arithmetic, margins = [], [], []
    for prompt, one in zip(prompts, said, strict=True):
        if not one.ids:
            continue
        ours, coarse = (_log_probabilities(model, prompt, one.ids) for model in (exact, rounded))  # (T, V)
        chosen = torch.tensor(one.ids)[:, None]
        own = ours.gather(1, chosen)[:, 0]
        engine.append((torch.tensor(one.logprobs) - own).abs())
        arithmetic.append((coarse.gather(1, chosen)[:, 0] - own).abs())
        margins.append(ours.max(dim=1).values - own)
    name = "vLLM goes on as transformers"
    if not engine:
        return Finding(name, None, "vLLM ended every response at once")
    far, noise, margin = (torch.cat(found) for found in (engine, arithmetic, margins))
    bounds = (
        max(LEAST_NOISE, MAX_NOISE * float(noise.mean())),
        max(LEAST_NOISE, MAX_FLIP * float(noise.max())),
    )
    close = float(far.mean()) <= bounds[0] and float(margin.max()) <= bounds[1]
    seen = (
        f"vLLM is {float(far.mean()):.2e} nats a token from float32, bfloat16 arithmetic "
        f"{float(noise.mean()):.2e}, over {len(far)} tokens; {int((margin > 0).sum())} of them are not "
        f"float32's own first choice, by up to {float(margin.max()):.3f} nats (noise of one token: up to "
        f"{float(noise.max()):.3f})"
    )
    return Finding(name, close, seen)


def _log_probabilities(model: Any, prompt: list[int], said: list[int]) -> Any:
    """Of every token at each place of the response: (T, V), float32, on the CPU."""
    import torch

    with torch.no_grad():
        logits = model(torch.tensor([[*prompt, *said]], device=model.device)).logits[0]
    return logits[len(prompt) - 1 : -1].float().log_softmax(-1).cpu()


def can_run_vllm() -> bool:
    """Whether vLLM is installed."""
    return find_spec("vllm") is not None


def _until(ids: Sequence[int], ends: Sequence[int]) -> list[int]:
    return list(takewhile(lambda token: token not in ends, ids))


def _main(folder: str, tokens: str) -> None:
    from vllm import LLM, SamplingParams, TokensPrompt

    given = json.load(sys.stdin)
    longest = max(len(prompt) for prompt in given["prompts"]) + int(tokens)
    engine = LLM(folder, dtype="auto", enforce_eager=True, seed=42, max_model_len=longest, max_num_seqs=32)
    sampling = SamplingParams(temperature=0, max_tokens=int(tokens), logprobs=0, stop_token_ids=given["ends"])
    inputs = [TokensPrompt(prompt_token_ids=prompt) for prompt in given["prompts"]]
    outputs = [done.outputs[0] for done in engine.generate(inputs, sampling, use_tqdm=False)]
    said = [
        Said(
            list(o.token_ids),
            [(p or {})[i].logprob for i, p in zip(o.token_ids, o.logprobs or [], strict=True)],
        )
        for o in outputs
    ]
    print(json.dumps([asdict(one) for one in said]))


if __name__ == "__main__":
    _main(*sys.argv[1:])
