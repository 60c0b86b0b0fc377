"""Sample graded responses to the problems of a training split: an evaluation run with repeats.

lm-eval's engine generates, and the run store (`lm_eval_ext.harness.store`) in `OUT.partial/` keeps
every chunk of responses, so that an interrupted command resumes where it stopped. The rows, one per
problem::

    {"id": "train-0007", "responses": [{"text": "3 * 8 = 24. ...", "tokens": 17, "capped": false,
     "correct": true, "layer": "exact", "answer": "24"}, ...]}
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from lm_eval_ext.atomic import write_text
from lm_eval_ext.harness import engines, protocol
from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.resume import read_json, require_same, write_json
from lm_eval_ext.rewards import AccuracyReward

from ..merge.engines import can_run_vllm
from ..models import eos_tokens, ids_of, loaded_tokenizer
from ..prompts import TaskPrompts
from ..recipe import Recipe
from .build import prompts_of, selected
from .documents import Doc

Row = dict[str, Any]
PROBLEMS = ("task", "source", "data", "size", "num_fewshot", "chat", "thinking")
"""Options that are settings of a recipe."""
RECORDED = tuple(
    "model task engine dtype max_model_len chunk samples temperature top_p top_k max_tokens seed".split()
)


@dataclass(frozen=True)
class Sampling:
    """Which problems a model is asked, and how it samples: the options that `distill` and `probe` share."""

    model: Annotated[str, typer.Option(help="A folder, or a name on the Hub.")]
    task: Annotated[str, typer.Option(help="The lm-eval task whose prompts are used.")]
    out: Annotated[Path, typer.Option(help="The file to write. It must not exist.")]
    source: Annotated[str | None, typer.Option(help="Source of the problems. Default: the task's name.")] = (
        None
    )
    data: Annotated[str | None, typer.Option(help="Where data sets come from, as LM_EVAL_EXT_DATA.")] = None
    size: Annotated[int | None, typer.Option(min=1, help="Problems, from the start of the source.")] = None
    num_fewshot: Annotated[int | None, typer.Option(min=0, help="Exemplars. Default: the task's.")] = None
    chat: Annotated[bool, typer.Option("--chat", help="Apply the chat template to prompts.")] = False
    thinking: Annotated[
        bool | None, typer.Option("--thinking/--no-thinking", help="enable_thinking of the chat template.")
    ] = None
    samples: Annotated[int, typer.Option(min=1, help="Responses per problem.")] = 8
    temperature: Annotated[float, typer.Option(min=0.0, help="0 is greedy.")] = 1.0
    top_p: Annotated[float, typer.Option(min=0.0, max=1.0)] = 1.0
    top_k: Annotated[int, typer.Option(min=0, help="0: no limit.")] = 0
    max_tokens: Annotated[int, typer.Option(min=1, help="Token limit of a response.")] = 1024
    seed: Annotated[int, typer.Option(help="Seed of the sampling.")] = 42
    engine: Annotated[str, typer.Option(help="auto (vLLM if installed), vllm or transformers.")] = "auto"
    dtype: Annotated[str, typer.Option(help="Of the weights; CPUs without AVX-512 need float32.")] = (
        "bfloat16"
    )
    max_model_len: Annotated[
        int | None, typer.Option(min=1, help="Tokens of prompt and response. Default: the model's limit.")
    ] = None
    eager: Annotated[
        bool, typer.Option("--eager", help="vLLM without compilation: fast start, slow run.")
    ] = False
    chunk: Annotated[int, typer.Option(min=1, help="Save after the responses of this many problems.")] = 64

    def __post_init__(self) -> None:
        if self.top_p == 0:
            raise UserError("--top-p must be over 0, got 0")
        if self.samples > 1 and self.temperature == 0:
            raise UserError(
                f"{self.samples} samples at temperature 0 are {self.samples} times the same response"
            )
        if self.engine not in ("auto", "vllm", "transformers"):
            raise UserError(f"engine is {self.engine!r}; it is auto, vllm or transformers")
        if self.engine == "vllm" and not can_run_vllm():
            raise UserError("vLLM is not installed: pip install vllm, or use --engine transformers")

    @property
    def backend(self) -> str:
        """The engine by lm-eval's name."""
        return "hf" if self.engine == "transformers" or not can_run_vllm() else "vllm"

    @property
    def partial(self) -> Path:
        """The folder of an unfinished output."""
        return self.out.with_name(f"{self.out.name}.partial")

    def generation_kwargs(self, stops: Sequence[str]) -> dict[str, Any]:
        """lm-eval's settings of a request."""
        settings: dict[str, Any] = {"until": list(stops), "max_gen_toks": self.max_tokens}
        if self.backend == "vllm":
            settings["skip_special_tokens"] = True
        if self.temperature == 0:
            return {**settings, "do_sample": False}
        drawn = {"temperature": self.temperature, "top_p": self.top_p, "top_k": self.top_k}
        return {**settings, "do_sample": True, **drawn}


def sample(sampling: Sampling) -> tuple[list[Doc], list[Row], Row]:
    """Documents, graded responses to each, and the settings that they were made with.

    Raises UserError if the output exists, a prompt is too long, or the work was begun with other settings.
    """
    if sampling.out.exists():
        raise UserError(f"{sampling.out} exists; name another file, or remove it to make it again")
    tokenizer = loaded_tokenizer(sampling.model)
    recipe = Recipe(**{name: getattr(sampling, name) for name in PROBLEMS})
    prompts = prompts_of(recipe, tokenizer)
    docs = selected(recipe, prompts, len).docs
    texts = [prompts.prompt(doc) for doc in docs]
    _check_window(sampling, tokenizer, docs, texts)
    settings = _settings(sampling, prompts, docs, texts)
    record = sampling.partial / "settings.json"
    advice = "Give the same settings to resume, or remove the folder to start again"
    require_same(settings, read_json(record), sampling.partial, advice)
    write_json(record, settings)
    responses = _responses(sampling, docs, texts, prompts.stops)
    with closing(AccuracyReward(**prompts.reward_settings)) as reward:
        return docs, _graded(docs, responses, reward), settings


def finish(sampling: Sampling, rows: Sequence[Row], record: Row) -> None:
    """Writes the output, and its record beside it; removes the folder of chunks."""
    write_text(sampling.out, jsonl(rows))
    write_json(sampling.out.with_name(f"{sampling.out.name}.json"), record)
    shutil.rmtree(sampling.partial)


def jsonl(rows: Sequence[Row]) -> str:
    """JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _check_window(sampling: Sampling, tokenizer: Any, docs: Sequence[Doc], texts: Sequence[str]) -> None:
    window = protocol.context_window({"pretrained": sampling.model, "max_model_len": sampling.max_model_len})
    for doc, text in zip(docs, texts, strict=True):
        if window and (size := len(ids_of(tokenizer, text))) + sampling.max_tokens > window:
            raise UserError(
                f"the prompt of {doc['id']} has {size} tokens and max_tokens is {sampling.max_tokens}; the "
                f"model's window is {window}: lower --max-tokens"
            )


def _settings(sampling: Sampling, prompts: TaskPrompts, docs: Sequence[Doc], texts: Sequence[str]) -> Row:
    """All that decides the rows; problems and prompts as one digest."""
    digest = hashlib.sha256()
    for doc, text in zip(docs, texts, strict=True):
        digest.update(f"{doc['id']}\0{text}\0{doc['gold']}\0".encode())
    return {
        **{name: getattr(sampling, name) for name in RECORDED},
        "grading": prompts.grading,
        "problems": len(docs),
        "problems_sha256": digest.hexdigest(),
        "stops": prompts.stops,
    }


def _responses(
    sampling: Sampling, docs: Sequence[Doc], texts: Sequence[str], stops: Sequence[str]
) -> list[list[Row]]:
    """The responses to each document: stored ones, and new ones that are stored chunk by chunk."""
    engines.settle_on_cpu()
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    from lm_eval.api.instance import Instance

    from lm_eval_ext.harness.store.chunks import cut
    from lm_eval_ext.harness.store.folder import Store
    from lm_eval_ext.harness.store.model import StoredModel
    from lm_eval_ext.harness.store.settings import settings_of

    generation, n = sampling.generation_kwargs(stops), sampling.samples
    requests = [
        request
        for i, (doc, text) in enumerate(zip(docs, texts, strict=True))
        for request in [Instance("generate_until", doc, (text, generation), i, (sampling.task, i, n))] * n
    ]
    size = sampling.chunk * n
    model_args = {"pretrained": sampling.model, "max_model_len": sampling.max_model_len}
    settings = settings_of(sampling.backend, model_args, chunk_size=size, seed=sampling.seed, batch_size=n)
    rows: list[Row] = [{}] * len(requests)
    with Store(sampling.partial, settings, partial(print, file=sys.stderr)) as store:
        StoredModel(sampling.backend, lambda: engine(sampling), store, dict).generate_until(requests)
        for chunk in cut(requests, size):
            for position, row in zip(chunk.positions, store.get(chunk) or (), strict=True):
                capped = row.finish != "stop"
                rows[position] = {"text": row.response, "tokens": row.tokens, "capped": capped}
    engines.end_at_exit()
    return [rows[start : start + n] for start in range(0, len(rows), n)]


def _graded(docs: Sequence[Doc], responses: Sequence[list[Row]], reward: AccuracyReward) -> list[Row]:
    """All responses graded in one batch."""
    flat = [(doc, response) for doc, found in zip(docs, responses, strict=True) for response in found]
    golds, problems = [doc["gold"] for doc, _ in flat], [doc["problem"] for doc, _ in flat]
    texts = [response["text"] for _, response in flat]
    verdicts = reward.verdicts(texts, golds, problems, progress="grading")
    for (_, response), verdict in zip(flat, verdicts, strict=True):
        response |= {"correct": verdict.correct, "layer": verdict.layer, "answer": verdict.answer}
    return [{"id": doc["id"], "responses": found} for doc, found in zip(docs, responses, strict=True)]


def engine(sampling: Sampling) -> Any:
    """The model, in lm-eval's class for the engine."""
    import torch

    from lm_eval_ext.harness.store.engines import engine_class

    loaded = {"pretrained": sampling.model, "dtype": sampling.dtype}
    kind: Any = engine_class(sampling.backend)
    if sampling.backend == "hf":
        device = str(torch.accelerator.current_accelerator() or "cpu")
        noting = type("HFLM", (_NotedEnds, kind), {})
        window = {"max_length": sampling.max_model_len}
        return noting(**loaded, **window, device=device, batch_size=sampling.samples)
    # On a CPU, vLLM cannot rewind a request's seed after half a prompt: prompts are not chunked there.
    whole: dict[str, Any] = {} if torch.accelerator.is_available() else {"enable_chunked_prefill": False}
    window = {"max_model_len": sampling.max_model_len, "enforce_eager": sampling.eager}
    return kind(**loaded, **window, **whole, seed=42, batch_size="auto")


class _NotedEnds:
    """Mixed into lm-eval's transformers class: notes how long each response is, and why it ended."""

    def _model_generate(self, context: Any, max_length: int, stop: list[str], **settings: Any) -> Any:
        out = super()._model_generate(context, max_length, stop, **settings)  # type: ignore[misc]
        model, tokenizer = self.model, self.tokenizer  # type: ignore[attr-defined]
        eos = eos_tokens(tokenizer, model.generation_config.eos_token_id)
        ends = self.__dict__.setdefault("ends", {})
        for prompt, mask, row in zip(context, settings["attention_mask"], out.tolist(), strict=True):
            ids = row[len(prompt) :]
            size = next((i for i, token in enumerate(ids) if token in eos), None)
            text = tokenizer.decode(ids[:size], skip_special_tokens=True)
            stopped = size is not None or any(string in text for string in stop)
            ends[tuple(prompt[mask == 1].tolist())] = (len(ids[:size]), "stop" if stopped else "length")
        return out

    def tok_encode(self, string: str | list[str], *more: Any, **settings: Any) -> Any:
        if isinstance(string, str):
            return super().tok_encode(string, *more, **settings)  # type: ignore[misc]
        return [self.tok_encode(text, *more, **settings) for text in string]
