"""The lm-eval model that asks the store first, and starts its engine only if it must."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from types import SimpleNamespace
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from lm_eval.api.registry import get_model
from tqdm import tqdm

from lm_eval_ext.harness import manifest
from lm_eval_ext.harness.identity import digest
from lm_eval_ext.harness.store.chunks import Chunk, cut, samples, seed_of, with_settings
from lm_eval_ext.harness.store.folder import Store, StoredResponse

SEED_PER_REQUEST = ("vllm",)
SEED_PER_REPEAT = ("local-completions", "local-chat-completions", "openai-completions")


@dataclass
class Tally:
    """What a run took from the store and what it made, for one task."""

    reused: int = 0
    generated: int = 0
    seconds: float = 0.0
    made_of: dict[str, Any] = field(default_factory=dict)


class StoredModel(LM):
    """Stands in for a backend of lm-eval: takes whole chunks from the store, has the others generated.

    Everything else (chat templates, names, loglikelihoods) is the backend's. What it says about itself is
    kept in the store too, so a run that finds all its chunks never starts the engine.

    Args:
        backend: a name lm-eval knows: "vllm", "hf", "local-completions", ...
        build: makes that backend. Called once, when it is first needed.
        store: entered already; the chunk size is among its settings.
        about: what the header of each new chunk says of this run.
    """

    def __init__(
        self, backend: str, build: Callable[[], LM], store: Store, about: Callable[[], dict[str, Any]]
    ) -> None:
        super().__init__()
        self.backend = backend
        self.tallies: dict[str, Tally] = defaultdict(Tally)
        self._build = build
        self._store = store
        self._about = about
        self._engine: Any = None

    def __str__(self) -> str:
        return self.backend

    @property
    def engine(self) -> Any:
        """The backend, started when it is first needed."""
        if self._engine is None:
            self._engine = self._build()
            self._facts()
        return self._engine

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        """The responses in the order of the requests; missing chunks are generated and kept one by one."""
        self._note(requests)
        chunks = cut(requests, self._store.settings.values["chunk_size"])
        found = {chunk.name: self._take(chunk) for chunk in chunks}
        missing = [chunk for chunk in chunks if found[chunk.name] is None]
        self._say_why(missing)
        bar = tqdm(total=len(requests), desc="responses", unit="", disable=disable_tqdm or not missing)
        with bar:
            bar.update(len(requests) - sum(len(chunk.requests) for chunk in missing))
            for chunk in missing:
                found[chunk.name] = self._make(chunk)
                bar.update(len(chunk.requests))
        responses = [""] * len(requests)
        for chunk in chunks:
            for position, row in zip(chunk.positions, found[chunk.name] or (), strict=True):
                responses[position] = row.response
        return responses

    def _note(self, requests: Sequence[Instance]) -> None:
        per_task: dict[str, list[Instance]] = defaultdict(list)
        for instance in dict.fromkeys(map(_Same, requests)):
            per_task[str(instance.instance.task_name)].append(instance.instance)
        for task, instances in per_task.items():
            self.tallies[task].made_of = manifest.of_requests(instances)

    def _take(self, chunk: Chunk) -> list[StoredResponse] | None:
        rows = self._store.get(chunk)
        self.tallies[chunk.task].reused += len(rows or ())
        return rows

    def _say_why(self, missing: Sequence[Chunk]) -> None:
        """Once a task: why a chunk that has a predecessor is made again."""
        said: set[str] = set()
        for chunk in missing:
            why = None if chunk.task in said else self._store.why_not(chunk)
            if why:
                said.add(chunk.task)
                self._store.say(f"{chunk.task}: the responses in the store are not reused: {why}")

    def _make(self, chunk: Chunk) -> list[StoredResponse]:
        engine = self.engine
        forget_prefixes(engine)
        start = time.perf_counter()
        responses = engine.generate_until(self._seeded(chunk), disable_tqdm=True)
        seconds = time.perf_counter() - start
        lost = responses.count(None)
        if lost:
            raise RuntimeError(f"{self.backend} gave no response to {lost} requests of {chunk.place}")
        lengths = lengths_of(engine, chunk.prompts, responses)
        rows = [
            StoredResponse(instance.doc_id, digest(prompt), response, *length)
            for (_, instance), prompt, response, length in zip(
                chunk.requests, chunk.prompts, responses, lengths, strict=True
            )
        ]
        self._store.put(chunk, rows, {"seconds": round(seconds, 3), **self._about()})
        tally = self.tallies[chunk.task]
        tally.generated += len(rows)
        tally.seconds += seconds
        return rows

    def _seeded(self, chunk: Chunk) -> list[Instance]:
        """The requests, their sampling independent of what was generated before them."""
        shared = self._store.settings.values
        seed = (shared["seed"], shared.get("model_args.seed"))
        if not any(samples(settings) for settings in chunk.generation):
            return [with_settings(instance) for _, instance in chunk.requests]
        if self.backend in SEED_PER_REQUEST:
            return [
                with_settings(i, seed=seed_of(seed, i.args[1].get("seed"), str(i.args[0]), chunk.repeat))
                for _, i in chunk.requests
            ]
        if self.backend in SEED_PER_REPEAT:  # distinct settings would be sent one after the other
            seeds = [seed_of(seed, i.args[1].get("seed"), chunk.repeat) for _, i in chunk.requests]
            return [with_settings(i, seed=s) for (_, i), s in zip(chunk.requests, seeds, strict=True)]
        import torch

        torch.manual_seed(seed_of(seed, chunk.key))
        return [with_settings(instance) for _, instance in chunk.requests]

    def loglikelihood(self, requests: list[Instance], **kwargs: Any) -> list[tuple[float, bool]]:
        """The backend's: likelihoods are not kept."""
        return list(self.engine.loglikelihood(requests, **kwargs))

    def loglikelihood_rolling(self, requests: list[Instance], **kwargs: Any) -> list[float]:
        """The backend's: likelihoods are not kept."""
        return list(self.engine.loglikelihood_rolling(requests, **kwargs))

    def apply_chat_template(
        self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
    ) -> Any:
        """The backend's rendering of a conversation."""
        return self._store.asked(
            ["apply_chat_template", chat_history, add_generation_prompt],
            lambda: self.engine.apply_chat_template(
                chat_history, add_generation_prompt=add_generation_prompt
            ),
        )

    def chat_template(self, chat_template: bool | str = False) -> str | None:
        """The backend's template, as the results record it."""
        template: str | None = self._store.asked(
            ["chat_template", chat_template], lambda: self.engine.chat_template(chat_template)
        )
        return template

    @property
    def tokenizer_name(self) -> str:
        """The backend's."""
        return str(self._store.asked(["tokenizer_name"], lambda: self.engine.tokenizer_name))

    @property
    def tokenizer(self) -> SimpleNamespace | None:
        """What the results record of the tokenizer: its special tokens and their ids."""
        tokens = self._facts()["tokenizer"]
        return SimpleNamespace(**tokens) if tokens else None

    @property
    def eot_token_id(self) -> int | None:
        """The backend's."""
        found: int | None = self._facts()["eot_token_id"]
        return found

    @property
    def max_length(self) -> int | None:
        """The backend's window."""
        found: int | None = self._facts()["max_length"]
        return found

    def get_model_info(self) -> dict[str, Any]:
        """What the backend tells of its model, for the results."""
        return dict(self._facts()["info"])

    def _facts(self) -> dict[str, Any]:
        return dict(self._store.asked(["facts"], lambda: facts_of(self.engine)))

    def counts(self) -> dict[str, dict[str, Any]]:
        """Per task: responses reused and generated, seconds of generation, what it was made of."""
        return {task: asdict(tally) for task, tally in self.tallies.items()}


@dataclass(frozen=True)
class _Same:
    """A request, equal to itself alone: lm-eval lists one that is repeated K times."""

    instance: Instance

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.instance is other.instance

    def __hash__(self) -> int:
        return id(self.instance)


class NotedLengths:
    """Mixed into lm-eval's vLLM class: keeps how long each response is, and why it ended."""

    def _model_generate(self, requests: Any, generate: bool = False, **kwargs: Any) -> Any:
        outputs = super()._model_generate(requests, generate=generate, **kwargs)  # type: ignore[misc]
        if generate:
            ends = self.__dict__.setdefault("ends", {})
            for output in outputs:
                response = output.outputs[0]
                ends[tuple(output.prompt_token_ids)] = (len(response.token_ids), response.finish_reason)
        return outputs


def backend_class(name: str) -> type[LM]:
    """lm-eval's class of that name; vLLM's with the lengths of its responses.

    Raises ValueError where lm-eval knows no such model.
    """
    import lm_eval.models  # noqa: F401  # fills the registry, which get_model leaves alone once it has entries

    found: type[LM] = get_model(name)
    return type("VLLM", (NotedLengths, found), {}) if name == "vllm" else found


def forget_prefixes(engine: Any) -> None:
    """Empties vLLM's prefix cache: a warm one changes outputs, so each chunk starts with none."""
    model: Any = getattr(engine, "model", None)
    if hasattr(model, "reset_prefix_cache") and not model.reset_prefix_cache():
        raise RuntimeError("vLLM did not empty its prefix cache; add enable_prefix_caching=False")


def lengths_of(
    engine: Any, prompts: Sequence[str], responses: Sequence[str]
) -> list[tuple[int | None, str | None]]:
    """(tokens, why it ended) of each response: the engine's, else tokens by the tokenizer, else nothing."""
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
    """What lm-eval records of a backend at the end of a run, as JSON."""
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
