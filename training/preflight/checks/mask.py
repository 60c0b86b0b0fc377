"""Which tokens the loss is on, read from TRL's own rows and batches."""

from __future__ import annotations

import string

from ..check import Outcome, check, does_not_apply, failed, passed, passed_if
from ..context import PreflightContext, Unavailable

MAX_LOST = 0.01
"""Share of rows that may lose their end to max_length."""
EMPTY_THINK = "<think></think>"


@check(
    14,
    "loss on the prompt",
    "error",
    only="sft",
    fix="use shape: masked without completion_only_loss: false, or accept row 14 if prompts are to be learnt",
)
def loss_on_prompt(context: PreflightContext) -> Outcome:
    """On text rows TRL ignores `completion_only_loss` and says nothing."""
    trained = sum(row["labels"][0] != -100 for row in context.tokenized)
    seen = f"the loss is on the prompt in {trained} of {len(context.tokenized)} rows (shape: "
    seen += f"{context.recipe.shape}, completion_only_loss: {context.training.completion_only_loss})"
    return passed_if(not trained, seen)


@check(15, "max_length cuts answers and ends", "error", only="sft")
def cut_ends(context: PreflightContext) -> Outcome:
    """Counts rows whose last tokens, the end token among them, TRL cuts off."""
    training, rows = context.training, context.tokenized
    if training.packing and training.packing_strategy in ("wrapped", "bfd_split"):
        return passed(f"packing with {training.packing_strategy} splits long rows and cuts none")
    kept = {number: row["input_ids"] for number, row in context.truncated.items()}
    lost = sum(row["input_ids"] != kept.get(row["number"]) for row in rows)
    longest = max(len(row["input_ids"]) for row in rows)
    seen = f"{lost} of {len(rows)} rows lose their end at max_length={training.max_length} (the longest has "
    fix = f"set max_length: {longest} or max_solution_tokens"
    return passed_if(lost <= MAX_LOST * len(rows), f"{seen}{longest} tokens)", fix)


@check(16, "empty <think></think> as the target", "warn")
def thinking_mode(context: PreflightContext) -> Outcome:
    """The first supervised tokens must suit the mode that prompts ask for."""
    chat, thinking = context.recipe.chat, context.recipe.thinking
    if chat and thinking is None and "enable_thinking" in (context.tokenizer.chat_template or ""):
        seen = "the chat template has a thinking mode and the recipe asks for none"
        return failed(seen, "set thinking: true or false")
    if context.kind == "grpo":
        return does_not_apply(f"no targets; thinking is {thinking}")
    targets = context.targets
    empty = sum("".join(target.split()).startswith(EMPTY_THINK) for target in targets)
    first = repr(targets[0][:40])
    if empty:
        seen = f"{empty} of {len(targets)} targets start with an empty <think></think> ({first})"
        return failed(seen, "take it out of the responses: with thinking: false the prompt ends in it")
    traces = sum(target.lstrip().startswith("<think>") for target in targets)
    seen = f"the first supervised tokens are {first}; {traces} of {len(targets)} targets think"
    if chat and thinking and not traces:
        fix = "train on responses with traces, or thinking: false"
        return failed(f"{seen}, and the recipe says thinking: true", fix)
    if chat and thinking is False and traces:
        return failed(f"{seen}, and the recipe says thinking: false", "set thinking: true")
    return passed(seen)


@check(17, "end or text taken for padding", "error")
def padding(context: PreflightContext) -> Outcome:
    """The end token must be in the loss of every collated row, and token 0 must stay what it is."""
    tokenizer = context.tokenizer
    pad, end = tokenizer.pad_token_id, tokenizer.eos_token_id
    same = " (padding and end are one token, which TRL keeps apart by lengths)" if pad == end else ""
    if pad is None:
        seen = "the tokenizer has no padding token, so TRL pads with the end token"
        return failed(seen, "give it one no text has")
    if pad != end and pad in _text_ids(context):
        seen = f"padding is {tokenizer.pad_token!r} (id {pad}), which texts have"
        return failed(seen, "give it a special one")
    if tokenizer(tokenizer.eos_token, add_special_tokens=False)["input_ids"] != [end]:
        return failed(f"the end token {tokenizer.eos_token!r} is not one token", "add it as a special token")
    if context.kind == "grpo":
        return passed(f"padding is {tokenizer.pad_token!r}, the end {tokenizer.eos_token!r}{same}")
    missing, total = _unsupervised_ends(context)
    if missing:
        seen = f"the loss is not on the end token in {missing} of {total} collated rows{same}"
        return failed(
            seen, "give the tokenizer a padding token of its own, and an end token that rows end in"
        )
    seen = f"the loss is on {tokenizer.eos_token!r} in all {total} collated rows; token 0 comes through{same}"
    if _zero_survives(context):
        return passed(seen)
    seen = "token 0 is taken for padding in collated batches"
    return failed(seen, "give the tokenizer another padding token")


def _text_ids(context: PreflightContext) -> set[int]:
    """Tokens of plain text: printable characters, and problems that are trained on."""
    try:
        problems = [str(doc["problem"]) for doc in context.sampled]
    except Unavailable:
        problems = []
    encoded = context.tokenizer([string.printable, *problems], add_special_tokens=False)["input_ids"]
    return {i for ids in encoded for i in ids}


def _unsupervised_ends(context: PreflightContext) -> tuple[int, int]:
    """(rows whose loss does not end on the end token, rows) among the shortest and longest."""
    by_length = sorted(context.tokenized, key=lambda row: len(row["input_ids"]))
    taken = [*by_length[:4], *by_length[4:][-4:]]
    batch = context.collated(taken)
    last = [[i for i in labels if i != -100][-1:] for labels in batch["labels"].tolist()]
    return sum(found != [context.tokenizer.eos_token_id] for found in last), len(taken)


def _zero_survives(context: PreflightContext) -> bool:
    end = context.tokenizer.eos_token_id
    short, long = [0, 1, 0, end], [1, 0, 1, 0, 0, 1, end]
    batch = context.collated([{"input_ids": ids, "labels": list(ids)} for ids in (short, long)])
    first = {name: values.tolist()[0] for name, values in batch.items()}
    kept = short in (first["labels"][:4], first["labels"][-4:])  # padded on either side
    return kept and sum(first.get("attention_mask", [1] * 4)) == 4


@check(18, "the end that is trained ends no generation", "error")
def trained_end(context: PreflightContext) -> Outcome:
    """The token that responses are trained to end in must be among those that end generation."""
    tokenizer, ends = context.tokenizer, context.model_eos_tokens
    emitted = {tokenizer.eos_token_id}
    if getattr(context.training, "eos_token", None):
        emitted = {tokenizer.convert_tokens_to_ids(context.training.eos_token)}
        ends = [*ends, *emitted]  # TRL adds it to the model's generation_config
    elif context.kind == "sft":
        emitted = {row["input_ids"][-1] for row in context.tokenized}
    names = ", ".join(map(str, tokenizer.convert_ids_to_tokens(sorted(emitted))))
    seen = f"responses end in {names}; eos_token_id in generation_config is {ends}"
    fix = f"add it to eos_token_id of {context.folder}'s generation_config"
    return passed_if(emitted <= set(ends), seen, fix)
