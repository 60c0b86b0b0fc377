"""How the checkpoints will be evaluated: the harness's own protocol, asked before training."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from lm_eval_ext.harness import protocol
from lm_eval_ext.harness.errors import ModelError, ProtocolError

from ..registry import NotAtHand, Outcome, broken, inapplicable, judged, passed, row
from ..subject import Subject


def refused(check: Callable[[], Any], fine: str) -> Outcome:
    """Broken with the protocol's own sentence where it refuses."""
    try:
        check()
    except ProtocolError as error:
        return broken(f"{error.code} (eval_model_args, eval_gen_kwargs of the recipe)")
    return passed(fine)


@row(1, "tensor parallelism in evaluation", "error")
def tensor_parallel(subject: Subject) -> Outcome:
    """Another split of the sums changes scores."""
    args = subject.evaluation.model_args
    return refused(
        partial(protocol.check_model_args, args, vllm=False),
        f"the evaluation runs with tensor_parallel_size={args.get('tensor_parallel_size', 1)}",
    )


@row(2, "seed of the evaluation engine", "error")
def engine_seed(subject: Subject) -> Outcome:
    """`--seed` does not reach vLLM; only model_args do."""
    args = {**subject.evaluation.model_args, "tensor_parallel_size": 1, "pretrained": subject.folder}
    return refused(
        partial(protocol.check_model_args, args, vllm=True),
        f"the evaluation gives its engine seed={args.get('seed')}",
    )


@row(3, "token budget of the evaluation", "warn")
def token_budget(subject: Subject) -> Outcome:
    """The harness's default of 256 truncates; decoding is part of the same protocol."""
    task = subject.task
    generation = task.generation
    return refused(
        partial(protocol.check_generation, task.name, generation, task.repeats),
        f"responses may have {task.budget} tokens",
    )


@row(4, "chat template on a base model", "error")
def base_model(subject: Subject) -> Outcome:
    """A base model never saw the template: what closes its turns is not what the model ends with."""
    if not (subject.recipe.chat or subject.evaluation.chat):
        return inapplicable("prompts are plain text, in training and in evaluation")
    mend = "train and evaluate with chat: false, or accept row 4"
    if not subject.tokenizer.chat_template:
        return broken(f"chat is on, and the tokenizer of {subject.folder} has no chat template; {mend}")
    closing = closing_token(subject.tokenizer)
    if closing is None:
        return passed("the chat template closes turns without a token of its own")
    names = subject.tokenizer.convert_ids_to_tokens([closing, *subject.ends])
    seen = f"the chat template closes turns with {names[0]}, the model ends with {', '.join(names[1:])}"
    return judged(closing in subject.ends, seen, f"so it is a base model that never saw the template: {mend}")


def closing_token(tokenizer: Any) -> int | None:
    """The first special token behind what the assistant said, as the chat template writes it."""
    said = "forty-two"
    turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": said}]
    text = str(tokenizer.apply_chat_template(turns, tokenize=False)).rpartition(said)[2]
    special = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return next((i for i in ids if i in special), None)


@row(29, "prompt and response over the window", "warn")
def window(subject: Subject) -> Outcome:
    """Longest prompts plus token budget, in evaluation and in rollouts, beside the model's window."""
    task = subject.task
    if task.budget is None:
        return inapplicable("without a token budget there is nothing to add up (row 3)")
    given = {"pretrained": subject.folder, **subject.evaluation.model_args}
    given.setdefault("revision", subject.revision)
    if not given.get("max_model_len"):
        given["pretrained"] = subject.source  # its configuration says it
    try:
        size = protocol.context_window(given)
        found = refused(
            partial(protocol.check_window, task.name, task.longest, task.budget, given),
            f"longest prompts of {task.name} and {task.budget} tokens of response fit the window of {size}",
        )
        if found.verdict == "broken" and subject.stands_in:
            return broken(f"{found.seen}; the window is that of the stand-in {subject.folder}")
        if found.verdict == "broken" or subject.kind == "sft":
            return found
        return _rollouts(subject, given, found)
    except ModelError as error:
        raise NotAtHand(f"the window of {subject.folder} is not known here; give --tokenizer") from error


def _rollouts(subject: Subject, given: dict[str, Any], fine: Outcome) -> Outcome:
    args = {key: value for key, value in given.items() if key != "max_model_len"}
    if subject.training.use_vllm and subject.training.vllm_max_model_length:
        args["max_model_len"] = subject.training.vllm_max_model_length
    budget = subject.training.max_completion_length
    try:
        protocol.check_window("training", subject.asked, budget, args)
    except ProtocolError as error:
        said = str(error.code).replace("max_gen_toks", "max_completion_length")
        return broken(said.replace("--gen_kwargs ", "").replace("max_model_len", "vllm_max_model_length"))
    return passed(f"{fine.seen}; training prompts with {budget}")
