"""The merged model in vLLM and in transformers: greedy outputs for the same prompts.

vLLM runs in its own process (this module with FOLDER and TOKENS, prompts as JSON on the standard input), so
that it frees its memory when it is done.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lm_eval_ext.harness.engines import on_cpu

from .proof import ProofResult

Tokens = list[list[int]]
AGREES = "vLLM agrees with transformers"
MAX_NOISE = 1.5
"""The engine's log-probabilities may be at most this many times as far from float32, on average, as bfloat16
arithmetic in transformers is on the same tokens, plus two standard errors of that ratio over n tokens: the
distances spread about as widely as their mean, so 2 sqrt(2/n). Ten merges of SmolLM2-135M in vLLM, n = 150 to
180: 0.7 to 1.3 times; with the adapter left out: 1.7 to 16 times, where it moves weights by 1% to 8%."""
MAX_FLIP = 4.0
"""Where vLLM's choice differs from that of float32, the latter may be better by at most this many times the
largest error that bfloat16 makes on one token: two tokens err, in two engines."""
LEAST_NOISE = 1e-3
"""Nats that count as nothing, however exact the arithmetic."""


@dataclass(frozen=True)
class Continuation:
    """The tokens that an engine generated, and the log-probability in nats that it gave each."""

    ids: list[int]
    logprobs: list[float]


def transformers_greedy(model: Any, prompts: Tokens, tokens: int, ends: Sequence[int]) -> Tokens:
    """What the model generates for each prompt alone, up to any of the end tokens."""
    import torch

    found = []
    settings = {"max_new_tokens": tokens, "do_sample": False, "eos_token_id": list(ends)}
    for prompt in tqdm(prompts, "generating", unit="prompt"):
        ids = torch.tensor([prompt], device=model.device)
        out = model.generate(ids, attention_mask=torch.ones_like(ids), **settings)
        found.append(list(takewhile(lambda token: token not in ends, out[0, len(prompt) :].tolist())))
    return found


def vllm_greedy(folder: Path, prompts: Tokens, tokens: int, ends: Sequence[int]) -> list[Continuation]:
    """What vLLM generates, end tokens included. Raises RuntimeError with its log where it fails."""
    environment = {**on_cpu(), "VLLM_LOGGING_LEVEL": "ERROR", **os.environ}
    command = [sys.executable, "-m", __name__, str(folder), str(tokens)]
    given = json.dumps({"prompts": prompts, "ends": list(ends)})
    done = subprocess.run(command, input=given, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(f"vLLM cannot run {folder}: {done.stderr[-2000:]}")
    return [Continuation(**one) for one in json.loads(done.stdout.splitlines()[-1])]


def in_vllm(
    folder: Path, exact: Any, rounded: Any, prompts: Tokens, tokens: int, ends: Sequence[int]
) -> ProofResult:
    """`agree` on what vLLM generates with the weights in this folder; failed if it cannot load them."""
    if not can_run_vllm():
        return ProofResult(AGREES, None, "vLLM is not installed")
    try:
        generated = vllm_greedy(folder, prompts, tokens, ends)
    except RuntimeError as error:
        return ProofResult(AGREES, False, str(error))
    return agree(exact, rounded, prompts, generated)


def agree(exact: Any, rounded: Any, prompts: Tokens, generated: Sequence[Continuation]) -> ProofResult:
    """Whether vLLM is no further from the weights in float32 than bfloat16 arithmetic on its own tokens is.

    Args:
        exact: the saved weights, in float32.
        rounded: the same in bfloat16.
        prompts: token ids.
        generated: by vLLM, greedily.
    """
    import torch

    engine, arithmetic, margins = [], [], []
    for prompt, one in zip(prompts, generated, strict=True):
        if not one.ids:
            continue
        ours, coarse = (log_probabilities(model, prompt, one.ids) for model in (exact, rounded))  # (T, V)
        chosen = torch.tensor(one.ids)[:, None]
        own = ours.gather(1, chosen)[:, 0]
        engine.append((torch.tensor(one.logprobs) - own).abs())
        arithmetic.append((coarse.gather(1, chosen)[:, 0] - own).abs())
        margins.append(ours.max(dim=1).values - own)
    if not engine:
        return ProofResult(AGREES, None, "vLLM ended every response at once")
    far, noise, margin = (torch.cat(found) for found in (engine, arithmetic, margins))
    most = MAX_NOISE * (1 + 2 * math.sqrt(2 / len(far)))
    mean_bound = max(LEAST_NOISE, most * float(noise.mean()))
    flip_bound = max(LEAST_NOISE, MAX_FLIP * float(noise.max()))
    close = float(far.mean()) <= mean_bound and float(margin.max()) <= flip_bound
    seen = (
        f"vLLM is {float(far.mean()):.2e} nats a token from float32, bfloat16 arithmetic "
        f"{float(noise.mean()):.2e}, over {len(far)} tokens; {int((margin > 0).sum())} of them are not "
        f"float32's own first choice, by up to {float(margin.max()):.3f} nats (noise of one token: up to "
        f"{float(noise.max()):.3f})"
    )
    return ProofResult(AGREES, close, seen)


def log_probabilities(model: Any, prompt: list[int], ids: list[int], temperature: float = 1.0) -> Any:
    """(T, V): of every token at each of the T generated places."""
    import torch

    with torch.no_grad():
        logits = model(torch.tensor([[*prompt, *ids]], device=model.device)).logits[0]
    return (logits[len(prompt) - 1 : -1].float() / temperature).log_softmax(-1).cpu()


def can_run_vllm() -> bool:
    """Whether vLLM is installed."""
    return find_spec("vllm") is not None


def _main(folder: str, tokens: str) -> None:
    from vllm import LLM, SamplingParams, TokensPrompt

    given = json.load(sys.stdin)
    longest = max(len(prompt) for prompt in given["prompts"]) + int(tokens)
    engine = LLM(folder, dtype="auto", enforce_eager=True, seed=42, max_model_len=longest, max_num_seqs=32)
    sampling = SamplingParams(temperature=0, max_tokens=int(tokens), logprobs=0, stop_token_ids=given["ends"])
    inputs = [TokensPrompt(prompt_token_ids=prompt) for prompt in given["prompts"]]
    generated = []
    for request in engine.generate(inputs, sampling, use_tqdm=False):
        output = request.outputs[0]
        places = zip(output.token_ids, output.logprobs or [], strict=True)
        logprobs = [(by_token or {})[token].logprob for token, by_token in places]
        generated.append(asdict(Continuation(list(output.token_ids), logprobs)))
    print(json.dumps(generated))


if __name__ == "__main__":
    _main(*sys.argv[1:])
