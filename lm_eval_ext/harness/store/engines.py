"""What the store needs from the engines of lm-eval: lengths of responses, seeds, facts for the results."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from functools import partial
from typing import Any

from lm_eval.api.model import LM, CacheHook
from lm_eval.api.registry import get_model
from tqdm import tqdm

from lm_eval_ext.harness.store.chunks import Chunk, is_sampled
from lm_eval_ext.harness.weights import digest

SEED_PER_REQUEST = ("vllm",)
SEED_PER_REPEAT = ("local-completions", "local-chat-completions", "openai-completions")


class RecordsLengths:
    """Mixed into lm-eval's vLLM class: records the length of each response and why it ended."""

    def _model_generate(self, requests: Any, generate: bool = False, **kwargs: Any) -> Any:
        outputs = super()._model_generate(requests, generate=generate, **kwargs)  # type: ignore[misc]
        if generate:
            ends = self.__dict__.setdefault("ends", {})
            for output in outputs:
                response = output.outputs[0]
                ends[tuple(output.prompt_token_ids)] = (len(response.token_ids), response.finish_reason)
        return outputs


class Advancing(CacheHook):
    """lm-eval tells it of each response: advances a bar."""

    def __init__(self, bar: Any) -> None:
        super().__init__(None)
        self.bar = bar

    def add_partial(self, attr: str, req: Any, res: Any) -> None:
        self.bar.update()


def advance(engine: Any, bar: Any) -> None:
    """Lets an engine advance a bar by each response.

    vLLM returns a batch as a whole and meanwhile updates its own bar, which is hidden and advances this one.
    """
    if not isinstance(engine, RecordsLengths) or not hasattr(engine, "model"):
        engine.set_cache_hook(Advancing(bar))
        return

    class Hidden(tqdm):  # type: ignore[type-arg]
        def update(self, n: float | None = 1) -> bool | None:
            bar.update(n)
            return super().update(n)

    generate, hidden = partial(type(engine.model).generate, engine.model), partial(Hidden, file=io.StringIO())
    engine.model.generate = lambda *given, **settings: generate(*given, **settings | {"use_tqdm": hidden})


def engine_class(name: str) -> type[LM]:
    """lm-eval's class of that name; vLLM's with RecordsLengths.

    Raises ValueError if lm-eval knows no such model.
    """
    import lm_eval.models  # noqa: F401  # fills the registry, which get_model leaves alone once it has entries

    found: type[LM] = get_model(name)
    return type("VLLM", (RecordsLengths, found), {}) if name == "vllm" else found


def reset_prefix_cache(engine: Any) -> None:
    """Empties vLLM's prefix cache: a warm one changes outputs, so each chunk starts with an empty one."""
    model: Any = getattr(engine, "model", None)
    if hasattr(model, "reset_prefix_cache") and not model.reset_prefix_cache():
        raise RuntimeError("vLLM did not empty its prefix cache; add enable_prefix_caching=False")


def lengths_of(
    engine: Any, prompts: Sequence[str], responses: Sequence[str]
) -> list[tuple[int | None, str | None]]:
    """(tokens, finish reason) of each response: from the engine, else the tokenizer, else unknown."""
    tokenizer = getattr(engine, "tokenizer", None)
    ends = engine.__dict__.pop("ends", {})
    ids = engine.tok_encode(list(prompts)) if ends else [()] * len(prompts)

    def counted(response: str) -> int | None:
        if not callable(tokenizer):
            return None
        return len(tokenizer(response, add_special_tokens=False)["input_ids"])

    return [
        ends.get(tuple(prompt)) or (counted(response), None)
        for prompt, response in zip(ids, responses, strict=True)
    ]


def facts_of(engine: Any) -> dict[str, Any]:
    """What lm-eval records about an engine at the end of a run, as JSON."""
    tokenizer = getattr(engine, "tokenizer", None)
    names = [f"{kind}_token{end}" for kind in ("pad", "eos", "bos") for end in ("", "_id")]
    known = tokenizer is not None and all(hasattr(tokenizer, name) for name in names)
    info = engine.get_model_info() if hasattr(engine, "get_model_info") else {}
    return {
        "tokenizer": {name: getattr(tokenizer, name) for name in names} if known else None,
        "eot_token_id": getattr(engine, "eot_token_id", None),
        "max_length": getattr(engine, "max_length", None),
        "info": {k: v if isinstance(v, (str, int, float)) or v is None else str(v) for k, v in info.items()},
    }


def seeds_of(backend: str, chunk: Chunk, seed: Any) -> list[dict[str, int]]:
    """`[{"seed": 7}, ...]`: settings that make sampling independent of what was generated before.

    Empty where responses are greedy, and for engines that take no seeds: there torch is seeded.
    """
    none: list[dict[str, int]] = [{} for _ in chunk.requests]
    if not any(map(is_sampled, chunk.generation)):
        return none
    if backend in SEED_PER_REQUEST:
        return [
            {"seed": seed_of(seed, r.args[1].get("seed"), str(r.args[0]), chunk.repeat)}
            for r in chunk.requests
        ]
    if backend in SEED_PER_REPEAT:  # distinct settings would be sent one after the other
        return [{"seed": seed_of(seed, r.args[1].get("seed"), chunk.repeat)} for r in chunk.requests]
    import torch

    torch.manual_seed(seed_of(seed, chunk.key))
    return none


def seed_of(*parts: Any) -> int:
    """A seed of 31 bits that depends on all parts, and on nothing else."""
    return int.from_bytes(hashlib.sha256(digest(parts).encode()).digest()[:4], "big") >> 1
