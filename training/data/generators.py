"""Responses of a model to prompts, sampled: by vLLM, or by transformers where vLLM is absent."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from lm_eval_ext.harness.engines import settle_on_cpu
from lm_eval_ext.harness.errors import UserError

from ..ends import end_ids, listed
from ..merge.engines import can_run_vllm
from ..models import ids_of, loaded_model, loaded_tokenizer

Engine = Literal["auto", "vllm", "transformers"]


@dataclass(frozen=True)
class Sampling:
    """How responses are drawn.

    Attributes:
        samples: responses to each prompt.
        temperature, top_p, top_k: as in vLLM; top_k 0 means no limit.
        max_tokens: a response of so many tokens without an end is capped.
        seed: with a request's name it gives the seed of each response: chunks and order do not matter.
        stops: strings that end a response and are no part of it.
    """

    samples: int = 8
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    max_tokens: int = 1024
    seed: int = 42
    stops: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for holds, why in (
            (self.samples > 0, f"samples must be positive, got {self.samples}"),
            (self.max_tokens > 0, f"max_tokens must be positive, got {self.max_tokens}"),
            (self.temperature >= 0, f"temperature must not be negative, got {self.temperature}"),
            (0 < self.top_p <= 1, f"top_p must be over 0 and at most 1, got {self.top_p}"),
            (self.top_k >= 0, f"top_k must be 0 (no limit) or more, got {self.top_k}"),
            (
                self.samples == 1 or self.temperature > 0,
                f"{self.samples} samples at temperature 0 are {self.samples} times the same response",
            ),
        ):
            if not holds:
                raise ValueError(why)

    def seed_of(self, name: str, index: int) -> int:
        """The seed of a request's response: another one for each name and index."""
        digest = hashlib.sha256(f"{self.seed}:{name}:{index}".encode()).digest()
        return int.from_bytes(digest[:4], "big") >> 1

    def settings(self) -> dict[str, Any]:
        """As it is recorded."""
        return {**asdict(self), "stops": list(self.stops)}


@dataclass(frozen=True)
class Request:
    """A prompt, and the name that its seeds come from."""

    name: str
    prompt: str


@dataclass(frozen=True)
class Response:
    """A text, its number of tokens, and whether it ran into the token limit before it ended."""

    text: str
    tokens: int
    capped: bool


class Generator(Protocol):
    """What samples responses."""

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Response]]:
        """For each request `sampling.samples` responses. Raises UserError where prompts are too long."""

    def close(self) -> None:
        """Ends what it has started."""


class Vllm:
    """vLLM in this process, on one GPU or the CPU; each response is a request with a seed of its own.

    Args:
        model: a folder or a name on the Hub.
        max_model_len: tokens of prompt and response together; None: the model's own.
        eager: whether to do without compilation.
    """

    def __init__(self, model: str, max_model_len: int | None = None, eager: bool = False) -> None:
        settle_on_cpu()
        import torch
        from vllm import LLM

        # On a CPU, vLLM cannot rewind a request's seed after half a prompt: prompts go in whole there.
        whole: dict[str, Any] = {} if torch.accelerator.is_available() else {"enable_chunked_prefill": False}
        self.engine = LLM(
            model, dtype="bfloat16", seed=42, max_model_len=max_model_len, enforce_eager=eager, **whole
        )
        self.tokenizer = self.engine.get_tokenizer()
        self.window = int(self.engine.model_config.max_model_len)

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Response]]:
        """See `Generator`."""
        from vllm import SamplingParams, TokensPrompt

        prompts, settings = [], []
        for request, ids in zip(requests, _ids(requests, self.tokenizer, sampling, self.window), strict=True):
            for index in range(sampling.samples):
                prompts.append(TokensPrompt(prompt_token_ids=ids))
                settings.append(
                    SamplingParams(
                        temperature=sampling.temperature,
                        top_p=sampling.top_p,
                        top_k=sampling.top_k,
                        max_tokens=sampling.max_tokens,
                        stop=list(sampling.stops),
                        seed=sampling.seed_of(request.name, index),
                    )
                )
        said = [done.outputs[0] for done in self.engine.generate(prompts, settings, use_tqdm=False)]
        found = [Response(o.text, len(o.token_ids), o.finish_reason != "stop") for o in said]
        return [found[i : i + sampling.samples] for i in range(0, len(found), sampling.samples)]

    def close(self) -> None:
        """Ends the engine's processes: left to the interpreter's exit, they may be waited for forever."""
        self.engine.llm_engine.engine_core.shutdown()


class Transformers:
    """transformers' own generation, the responses to one prompt at a time: slow, and everywhere.

    Args:
        model: a folder or a name on the Hub.
        max_model_len: tokens of prompt and response together; None: the model's own.
    """

    def __init__(self, model: str, max_model_len: int | None = None) -> None:
        import torch

        device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        self.tokenizer = loaded_tokenizer(model)
        self.model: Any = loaded_model(model, dtype=torch.bfloat16).eval()
        self.model.to(device or "cpu")
        self.ends = end_ids(self.tokenizer, listed(self.model.generation_config.eos_token_id))
        self.window = max_model_len or int(self.model.config.get_text_config().max_position_embeddings)

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[list[Response]]:
        """See `Generator`."""
        ids = _ids(requests, self.tokenizer, sampling, self.window)
        return [self._responses(r, i, sampling) for r, i in zip(requests, ids, strict=True)]

    def close(self) -> None:
        """Nothing was started."""

    def _responses(self, request: Request, ids: list[int], sampling: Sampling) -> list[Response]:
        import torch

        prompt = torch.tensor([ids], device=self.model.device)
        drawn = {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": sampling.top_k}
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(sampling.seed_of(request.name, 0))
            out = self.model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                max_new_tokens=sampling.max_tokens,
                num_return_sequences=sampling.samples,
                do_sample=sampling.temperature > 0,
                eos_token_id=self.ends,
                pad_token_id=self.tokenizer.eos_token_id,
                **(drawn if sampling.temperature > 0 else {}),
            )
        return [self._response(row, sampling) for row in out[:, len(ids) :].tolist()]

    def _response(self, ids: list[int], sampling: Sampling) -> Response:
        size = next((i for i, token in enumerate(ids) if token in self.ends), None)
        text = str(self.tokenizer.decode(ids[:size], skip_special_tokens=True))
        places = [place for stop in sampling.stops if (place := text.find(stop)) >= 0]
        capped = size is None and not places
        return Response(text[: min(places, default=None)], len(ids[:size]), capped)


def generator(
    model: str, engine: Engine = "auto", max_model_len: int | None = None, eager: bool = False
) -> Generator:
    """The engine of this name; "auto": vLLM if it is installed.

    Raises UserError if vLLM is asked for and absent, or there is no such engine.
    """
    if engine not in ("auto", "vllm", "transformers"):
        raise UserError(f"engine is {engine!r}; it is auto, vllm or transformers")
    if engine == "vllm" and not can_run_vllm():
        raise UserError("vLLM is not installed: pip install vllm, or use --engine transformers")
    if engine == "transformers" or not can_run_vllm():
        return Transformers(model, max_model_len)
    return Vllm(model, max_model_len, eager)


def _ids(requests: Sequence[Request], tokenizer: Any, sampling: Sampling, window: int) -> list[list[int]]:
    """Tokens of the prompts, as lm-eval gives them to vLLM."""
    ids = [ids_of(tokenizer, request.prompt) for request in requests]
    for request, tokens in zip(requests, ids, strict=True):
        if len(tokens) + sampling.max_tokens > window:
            raise UserError(
                f"the prompt of {request.name} has {len(tokens)} tokens and max_tokens is "
                f"{sampling.max_tokens}; the model's window is {window}: lower --max-tokens"
            )
    return ids
