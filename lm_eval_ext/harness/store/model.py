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
from tqdm import tqdm

from lm_eval_ext.harness import provenance
from lm_eval_ext.harness.store.chunks import Chunk, cut, with_settings
from lm_eval_ext.harness.store.engines import advance, facts_of, lengths_of, reset_prefix_cache, seeds_of
from lm_eval_ext.harness.store.folder import Store, StoredResponse
from lm_eval_ext.harness.weights import digest


@dataclass
class TaskCounts:
    """What a run needs, reused and generated for one task, in responses, and its seconds."""

    requests: int = 0
    reused: int = 0
    generated: int = 0
    seconds: float = 0.0
    made_of: dict[str, Any] = field(default_factory=dict)


class StoredModel(LM):
    """Stands in for an engine of lm-eval: takes whole chunks from the store and has the others generated.

    Everything else (chat templates, names, loglikelihoods) comes from the engine. What the engine says about
    itself is stored too, so a run that finds all its chunks never starts it.

    Args:
        backend: a name lm-eval knows: "vllm", "hf", "local-completions", ...
        build: makes the engine; called once, when it is first needed.
        store: entered already; the chunk size is among its settings.
        about: what the header of each new chunk says about this run.
        progressed: called with the model when requests are known, and after each chunk.
    """

    def __init__(
        self,
        backend: str,
        build: Callable[[], LM],
        store: Store,
        about: Callable[[], dict[str, Any]],
        progressed: Callable[[StoredModel], None] = lambda model: None,
    ) -> None:
        super().__init__()
        self.backend = backend
        self.counts: dict[str, TaskCounts] = defaultdict(TaskCounts)
        self._build = build
        self._store = store
        self._about = about
        self._progressed = progressed
        self._engine: Any = None

    def __str__(self) -> str:
        return self.backend

    @property
    def engine(self) -> Any:
        """The engine, started when it is first needed."""
        if self._engine is None:
            self._engine = self._build()
            self._facts()
        return self._engine

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        """The responses in the order of the requests; missing chunks are generated and stored one by one."""
        self._record_sources(requests)
        chunks = cut(requests, self._store.settings.values["chunk_size"])
        found = {chunk.name: self._reuse(chunk) for chunk in chunks}
        missing = [chunk for chunk in chunks if found[chunk.name] is None]
        self._say_why(missing)
        done = len(requests) - sum(len(chunk.requests) for chunk in missing)
        self._progressed(self)
        off = disable_tqdm or not missing
        with tqdm(total=len(requests), initial=done, desc="responses", unit="response", disable=off) as bar:
            if missing:
                advance(self.engine, bar)
                bar.unpause()  # the estimate leaves out the engine's start
            for chunk in missing:
                found[chunk.name] = self._generate(chunk)
                done += len(chunk.requests)
                bar.update(done - bar.n)
                self._progressed(self)
        responses = [""] * len(requests)
        for chunk in chunks:
            for position, row in zip(chunk.positions, found[chunk.name] or (), strict=True):
                responses[position] = row.response
        return responses

    def _record_sources(self, requests: Sequence[Instance]) -> None:
        for request in requests:
            self.counts[str(request.task_name)].requests += 1
        per_task: dict[str, list[Instance]] = defaultdict(list)
        for request in {id(request): request for request in requests}.values():
            per_task[str(request.task_name)].append(request)
        for task, of_task in per_task.items():
            self.counts[task].made_of = provenance.of_requests(of_task)

    def _reuse(self, chunk: Chunk) -> list[StoredResponse] | None:
        rows = self._store.get(chunk)
        self.counts[chunk.task].reused += len(rows or ())
        return rows

    def _say_why(self, missing: Sequence[Chunk]) -> None:
        """Says once per task why a chunk that an earlier run stored in the same place is not reused."""
        said: set[str] = set()
        for chunk in missing:
            why = None if chunk.task in said else self._store.why_not(chunk)
            if why:
                said.add(chunk.task)
                self._store.say(f"{chunk.task}: the responses in the store are not reused: {why}")

    def _generate(self, chunk: Chunk) -> list[StoredResponse]:
        engine, shared = self.engine, self._store.settings.values
        reset_prefix_cache(engine)
        seeds = seeds_of(self.backend, chunk, (shared["seed"], shared.get("model_args.seed")))
        requests = [with_settings(r, **seed) for r, seed in zip(chunk.requests, seeds, strict=True)]
        start = time.perf_counter()
        responses = engine.generate_until(requests, disable_tqdm=True)
        seconds = time.perf_counter() - start
        if lost := responses.count(None):
            raise RuntimeError(f"{self.backend} gave no response to {lost} requests of {chunk.place}")
        lengths = lengths_of(engine, chunk.prompts, responses)
        rows = [
            StoredResponse(request.doc_id, digest(prompt), response, *length)
            for request, prompt, response, length in zip(
                chunk.requests, chunk.prompts, responses, lengths, strict=True
            )
        ]
        docs = {"docs": [request.doc for request in chunk.requests]} if chunk.repeat == 0 else {}
        self._store.put(chunk, rows, {"seconds": round(seconds, 3), **self._about(), **docs})
        counts = self.counts[chunk.task]
        counts.generated += len(rows)
        counts.seconds += seconds
        return rows

    def loglikelihood(self, requests: list[Instance], **kwargs: Any) -> list[tuple[float, bool]]:
        """The engine's: likelihoods are not stored."""
        return list(self.engine.loglikelihood(requests, **kwargs))

    def loglikelihood_rolling(self, requests: list[Instance], **kwargs: Any) -> list[float]:
        """The engine's: likelihoods are not stored."""
        return list(self.engine.loglikelihood_rolling(requests, **kwargs))

    def apply_chat_template(
        self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
    ) -> Any:
        """The engine's rendering of a conversation."""
        return self._store.engine_answer(
            ["apply_chat_template", chat_history, add_generation_prompt],
            lambda: self.engine.apply_chat_template(
                chat_history, add_generation_prompt=add_generation_prompt
            ),
        )

    def chat_template(self, chat_template: bool | str = False) -> str | None:
        """The engine's template, as the results record it."""
        template: str | None = self._store.engine_answer(
            ["chat_template", chat_template], lambda: self.engine.chat_template(chat_template)
        )
        return template

    @property
    def tokenizer_name(self) -> str:
        return str(self._store.engine_answer(["tokenizer_name"], lambda: self.engine.tokenizer_name))

    @property
    def tokenizer(self) -> SimpleNamespace | None:
        """The tokenizer's special tokens and their ids, which the results record."""
        tokens = self._facts()["tokenizer"]
        return SimpleNamespace(**tokens) if tokens else None

    @property
    def eot_token_id(self) -> int | None:
        found: int | None = self._facts()["eot_token_id"]
        return found

    @property
    def max_length(self) -> int | None:
        found: int | None = self._facts()["max_length"]
        return found

    def get_model_info(self) -> dict[str, Any]:
        """What the engine says about its model, for the results."""
        return dict(self._facts()["info"])

    def _facts(self) -> dict[str, Any]:
        return dict(self._store.engine_answer(["facts"], lambda: facts_of(self.engine)))

    def record(self) -> dict[str, dict[str, Any]]:
        """Per task: responses reused and generated, seconds of generation, where the requests come from."""
        return {task: asdict(counts) for task, counts in self.counts.items()}
