"""The evaluation protocol: what makes two runs comparable, checked before an engine or a request runs.

Tensor parallelism 1 (splitting the sums differently changes scores: 28% with TP=1 became 10% in one case), an
engine seed with vLLM (`--seed` does not reach the engine), greedy decoding unless there are repeats, and an
explicit token budget that fits the model's context window together with the prompt (lm-eval would silently
truncate the prompt).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from lm_eval_ext.harness.errors import ModelError, ProtocolError, model_errors
from lm_eval_ext.versions import versions_of

TOKEN_BUDGET_NAMES = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
RECORDED_PACKAGES = (
    "lm_eval_ext", "lm_eval", "vllm", "torch", "transformers", "math_verify", "latex2sympy2_extended", "sympy"
)  # fmt: skip
MIN_ANSWERED = 0.5
"""If fewer responses commit to an answer, a score says little about the model's mathematics."""
MAX_CAPPED = 0.2
"""If more responses run into the token budget, the score measures the budget."""
_TAG = re.compile(r"\s*<[^<>\s]+>\s*")
_VLLM_BACKEND = "lm_eval.models.vllm_causallms"
_OPENAI_BACKEND = "lm_eval.models.openai_completions"


def vllm_is_loaded() -> bool:
    """Whether lm-eval built its model with vLLM: tasks are loaded later and are not told."""
    return _VLLM_BACKEND in sys.modules


def check_model_args(model_args: Mapping[str, Any], vllm: bool) -> None:
    """Refuses tensor parallelism, vLLM without a seed, and a URL without the API's path.

    `model_args` is the parsed `--model_args`, which lm-eval also passes to tasks as metadata.

    Raises ProtocolError with the setting to use instead.
    """
    parallel = int(model_args.get("tensor_parallel_size", 1))
    if parallel != 1:
        raise ProtocolError(
            f"tensor_parallel_size={parallel}: splitting the model's sums differently changes its scores, so "
            "runs are comparable only with tensor_parallel_size=1. Several GPUs: one process per GPU "
            "(lm-eval-ext batch). A model that does not fit one GPU: pipeline_parallel_size="
            f"{parallel}, a quantized checkpoint, or a server of your own (--model local-completions)"
        )
    url = str(model_args.get("base_url", "")).rstrip("/")
    if url.endswith("/v1") and _OPENAI_BACKEND in sys.modules:
        raise ProtocolError(
            f"base_url={url} is the server's address, but lm-eval posts to this very URL: add "
            "/chat/completions (local-chat-completions) or /completions (local-completions)"
        )
    known = "pretrained" in model_args  # a model built in Python comes without its arguments
    if vllm and known and "seed" not in model_args:
        raise ProtocolError(
            "vLLM runs without a seed in --model_args (--seed does not reach its engine, whose default is "
            "1234): add seed=42 to --model_args"
        )


def check_chat(model_args: Mapping[str, Any], apply_chat_template: bool) -> None:
    """Raises ProtocolError for a chat server without a chat template."""
    url = str(model_args.get("base_url", ""))
    if url.endswith("/chat/completions") and not apply_chat_template and _OPENAI_BACKEND in sys.modules:
        raise without_chat_template(url)


def without_chat_template(what: str) -> ProtocolError:
    """The error for a chat server that would be sent plain text."""
    return ProtocolError(f"{what} takes chats, not text: add --apply_chat_template")


def check_generation(task: str, generation: Mapping[str, Any], repeats: int) -> int:
    """The token budget of a task, if temperature and budget follow the protocol.

    Raises ProtocolError without an explicit budget, for sampling without repeats or repeats without sampling.
    """
    budget = next((generation[name] for name in TOKEN_BUDGET_NAMES if generation.get(name)), None)
    if budget is None:
        raise ProtocolError(
            f"{task}: no max_gen_toks, and the harness's default of 256 truncates solutions; "
            "set it in the task or with --gen_kwargs max_gen_toks=2048"
        )
    temperature = 0.0 if generation.get("do_sample") is False else float(generation.get("temperature", 0))
    if repeats == 1 and temperature > 0:
        raise ProtocolError(
            f"{task}: temperature={temperature:g} with one response per problem measures luck; use "
            "temperature=0, or several responses: --metadata '{\"repeats\": 8}'"
        )
    if repeats > 1 and temperature == 0:
        raise ProtocolError(
            f"{task}: {repeats} repeats at temperature 0 are {repeats} times the same response; add "
            "--gen_kwargs do_sample=True,temperature=0.8"
        )
    return int(budget)


def stops_of(generation: Mapping[str, Any], chat: bool) -> list[str]:
    """The strings that end a response, from a task's `generation_kwargs`.

    Stops of plain prompts end the next exemplar that a base model invents. Under a chat template the turn
    ends by itself, and a reply may say "Identify the Question:", so only tags (`</answer>`) remain stops.
    """
    until = generation.get("until") or []
    until = [until] if isinstance(until, str) else list(until)
    return [stop for stop in until if _TAG.fullmatch(stop)] if chat else until


def check_window(task: str, prompts: Iterable[str], budget: int, model_args: Mapping[str, Any]) -> None:
    """Refuses a token budget that does not fit the model's window together with the longest prompt.

    Checks nothing if the window is unknown, as for models behind an API.

    Raises ProtocolError with window, longest prompt and budget, and what fits.
    """
    window = context_window(model_args)
    if window is None:
        return
    longest = _longest(list(prompts), window - budget, model_args)
    if longest + budget > window:
        fits = f"max_gen_toks={window - longest}" if longest < window else "a shorter prompt"
        raise ProtocolError(
            f"{task}: the longest prompt has {longest} tokens and max_gen_toks is {budget}; together "
            f"{longest + budget}, and the model's window is {window}. Use --gen_kwargs {fits} or a larger "
            "max_model_len"
        )


def _longest(prompts: list[str], room: int, model_args: Mapping[str, Any]) -> int:
    """Tokens of the longest prompt, 0 if all fit; a text has no more tokens than bytes."""
    long = [prompt for prompt in prompts if len(prompt.encode()) > room]
    if not long or "pretrained" not in model_args:
        return 0
    return max(map(token_counter(model_args), long))


def context_window(model_args: Mapping[str, Any]) -> int | None:
    """Tokens of prompt and response together: `max_model_len`, `max_length`, else the model's config."""
    given = model_args.get("max_model_len") or model_args.get("max_length")
    if given:
        return int(given)
    if "pretrained" not in model_args:
        return None
    from transformers import AutoConfig

    name = model_args["pretrained"]
    with model_errors(name):
        config = AutoConfig.from_pretrained(name, **_loading(model_args, "revision"))
    return getattr(config.get_text_config(), "max_position_embeddings", None)


def check_model_exists(model_args: Mapping[str, Any]) -> None:
    """Raises ModelError if `pretrained` is missing, or neither a path nor an available model of the Hub.

    Leaves to the engine what only it can find: `repo:quantization`, `s3://bucket`, a GGUF file in a
    repository.
    """
    from transformers import PretrainedConfig

    if "pretrained" not in model_args:
        raise ModelError("--model_args names no model: add pretrained=MODEL, a folder or a name on the Hub")
    name = str(model_args["pretrained"])
    if Path(name).exists() or ":" in name or "gguf_file" in model_args:
        return
    with model_errors(name):  # any architecture: the engine may know more than transformers
        PretrainedConfig.get_config_dict(name, revision=model_args.get("revision") or "main")


def token_counter(model_args: Mapping[str, Any]) -> Callable[[str], int]:
    """A function that counts tokens with the evaluated model's tokenizer."""
    tokenizer = load_tokenizer(model_args)
    return lambda text: len(tokenizer(text, verbose=False)["input_ids"])


def truncation_test(model_args: Mapping[str, Any], budget: int) -> Callable[[str], bool] | None:
    """A function that says whether a response used up the token budget; None without a tokenizer.

    lm-eval passes no finish reason, so tokens are counted again.
    """
    if not {"pretrained", "tokenizer"} & set(model_args):
        return None
    try:
        count = token_counter(model_args)
    except ModelError:  # a model that only the engine can find: its responses can still be graded
        return None
    return lambda response: (
        used_up(len(response.encode("utf-8", "replace")), budget)  # a text has no more tokens than bytes
        and used_up(count(response), budget)
    )


def used_up(tokens: int, budget: int) -> bool:
    """Whether this many tokens exhaust the budget; within 1%, because counting again may give fewer."""
    return tokens >= budget - max(1, budget // 100)


def load_tokenizer(model_args: Mapping[str, Any]) -> Any:
    """The evaluated model's tokenizer. Raises ModelError if it is not available."""
    from transformers import AutoTokenizer

    name = model_args.get("tokenizer") or model_args["pretrained"]
    with model_errors(name):
        return AutoTokenizer.from_pretrained(name, **_loading(model_args, "tokenizer_revision"))


def _loading(model_args: Mapping[str, Any], revision: str) -> dict[str, Any]:
    return {
        "revision": model_args.get(revision) or "main",
        "trust_remote_code": bool(model_args.get("trust_remote_code", False)),
    }


def versions() -> dict[str, str]:
    """Versions of what decides a score; lm-eval records only its own and transformers'."""
    return versions_of(RECORDED_PACKAGES)
