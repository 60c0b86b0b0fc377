"""How checkpoints will be evaluated: the harness's own protocol, asked before training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lm_eval_ext.harness import protocol
from lm_eval_ext.harness.errors import ModelError, ProtocolError

from ..check import Outcome, check, does_not_apply, failed, passed
from ..context import PreflightContext, Unavailable


def accepted_by(protocol_check: Callable[..., Any], *given: Any, seen: str, **more: Any) -> Outcome:
    """Failed with the protocol's own sentence where it refuses what is given."""
    try:
        protocol_check(*given, **more)
    except ProtocolError as error:
        return failed(f"{error.code} (eval_model_args, eval_gen_kwargs of the recipe)")
    return passed(seen)


@check(1, "tensor parallelism in evaluation", "error")
def tensor_parallel(context: PreflightContext) -> Outcome:
    """Sums that are split in another way change scores."""
    args = context.evaluation.model_args
    seen = f"the evaluation runs with tensor_parallel_size={args.get('tensor_parallel_size', 1)}"
    return accepted_by(protocol.check_model_args, args, vllm=False, seen=seen)


@check(2, "seed of the evaluation engine", "error")
def engine_seed(context: PreflightContext) -> Outcome:
    """`--seed` does not reach vLLM; only model_args do."""
    args = {**context.evaluation.model_args, "tensor_parallel_size": 1, "pretrained": context.folder}
    seen = f"the evaluation gives its engine seed={args.get('seed')}"
    return accepted_by(protocol.check_model_args, args, vllm=True, seen=seen)


@check(3, "token budget of the evaluation", "warn")
def token_budget(context: PreflightContext) -> Outcome:
    """The harness's default of 256 truncates; decoding is part of the same protocol."""
    name, task = context.recipe.task, context.task
    seen = f"responses may have {task.budget} tokens"
    return accepted_by(protocol.check_generation, name, task.generation, task.repeats, seen=seen)


@check(
    4, "chat template on a base model", "error", fix="train and evaluate with chat: false, or accept row 4"
)
def base_model(context: PreflightContext) -> Outcome:
    """A base model never saw the template: what closes its turns is not what the model ends with."""
    if not (context.recipe.chat or context.evaluation.chat):
        return does_not_apply("prompts are plain text, in training and in evaluation")
    tokenizer, ends = context.tokenizer, context.eos_tokens
    if not tokenizer.chat_template:
        return failed(f"chat is on, and the tokenizer of {context.folder} has no chat template")
    closing = _closing_token(tokenizer)
    if closing is None:
        return passed("the chat template closes turns without a token of its own")
    name, *others = tokenizer.convert_ids_to_tokens([closing, *ends])
    seen = f"the chat template closes turns with {name}, the model ends with {', '.join(others)}"
    if closing in ends:
        return passed(seen)
    return failed(f"{seen}, so it is a base model that never saw the template")


def _closing_token(tokenizer: Any) -> int | None:
    """The first special token that the chat template writes behind what the assistant said."""
    reply = "forty-two"
    turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": reply}]
    text = str(tokenizer.apply_chat_template(turns, tokenize=False)).rpartition(reply)[2]
    special = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return next((i for i in ids if i in special), None)


@check(29, "prompt and response over the window", "warn")
def window(context: PreflightContext) -> Outcome:
    """Longest prompts plus token budget must fit the model's window, in evaluation and in rollouts."""
    name, task = context.recipe.task, context.task
    if task.budget is None:
        return does_not_apply("without a token budget there is nothing to add up (row 3)")
    args = {"pretrained": context.folder, "revision": context.revision, **context.evaluation.model_args}
    if not args.get("max_model_len"):
        args["pretrained"] = context.source  # its configuration says it
    try:
        size = protocol.context_window(args)
        seen = f"longest prompts of {name} and {task.budget} tokens of response fit the window of {size}"
        found = accepted_by(protocol.check_window, name, task.longest, task.budget, args, seen=seen)
        if found.verdict == "failed" and context.folder != context.model.model_name_or_path:
            return failed(found.seen, f"the window is that of the stand-in {context.folder}")
        if found.verdict == "failed" or context.kind == "sft":
            return found
        return _rollouts(context, args, seen)
    except ModelError as error:
        raise Unavailable(f"the window of {context.folder} is not known here; give --tokenizer") from error


def _rollouts(context: PreflightContext, args: dict[str, Any], seen: str) -> Outcome:
    training, budget = context.training, context.training.max_completion_length
    args = {key: value for key, value in args.items() if key != "max_model_len"}
    if training.use_vllm and training.vllm_max_model_length:
        args["max_model_len"] = training.vllm_max_model_length
    try:
        protocol.check_window("training", context.prompt_texts, budget, args)
    except ProtocolError as error:
        message = str(error.code).replace("max_gen_toks", "max_completion_length")
        return failed(message.replace("--gen_kwargs ", "").replace("max_model_len", "vllm_max_model_length"))
    return passed(f"{seen}; training prompts with {budget}")
