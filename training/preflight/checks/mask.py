"""Which tokens the loss is on, read from TRL's own rows and batches."""

from __future__ import annotations

import string
from typing import Any

from ..registry import NotAtHand, Outcome, broken, inapplicable, judged, passed, row
from ..subject import Prepared, Subject

MAX_LOST = 0.01
"""Share of rows that may lose their end to max_length."""
EMPTY_THINK = "<think></think>"


@row(14, "loss on the prompt", "error")
def loss_on_prompt(subject: Subject) -> Outcome:
    """Text rows make `completion_only_loss` a silent no-op."""
    if subject.kind == "grpo":
        return inapplicable("GRPO has no loss on prompts")
    shape, wanted = subject.recipe.shape, subject.training.completion_only_loss
    trained = sum(prepared.labels[0] != -100 for prepared in subject.prepared)
    seen = f"the loss is on the prompt in {trained} of {len(subject.prepared)} rows"
    seen += f" (shape: {shape}, completion_only_loss: {wanted})"
    mend = (
        "use shape: masked without completion_only_loss: false, or accept row 14 if prompts are to be learnt"
    )
    return judged(not trained, seen, mend)


@row(15, "max_length cuts answers and ends", "error")
def cut_ends(subject: Subject) -> Outcome:
    """Rows whose last tokens, the end token among them, are not in what TRL keeps."""
    if subject.kind == "grpo":
        return inapplicable("GRPO cuts no rows")
    training = subject.training
    if training.packing and training.packing_strategy in ("wrapped", "bfd_split"):
        return passed(f"packing with {training.packing_strategy} splits long rows and cuts none")
    total = len(subject.prepared)
    lost = [p for p in subject.prepared if not _keeps_end(p, subject.cut.get(p.number))]
    longest = max(len(p.ids) for p in subject.prepared)
    seen = (
        f"{len(lost)} of {total} rows lose their end at max_length={training.max_length} "
        f"(the longest has {longest} tokens)"
    )
    return judged(len(lost) <= MAX_LOST * total, seen, f"set max_length: {longest} or max_solution_tokens")


def _keeps_end(whole: Prepared, kept: Prepared | None) -> bool:
    return kept is not None and kept.ids[-1:] == whole.ids[-1:] and len(kept.ids) == len(whole.ids)


@row(16, "empty <think></think> as the target", "warn")
def thinking_mode(subject: Subject) -> Outcome:
    """The first supervised tokens, and the mode that prompts ask for."""
    recipe = subject.recipe
    if (
        recipe.chat
        and recipe.thinking is None
        and "enable_thinking" in (subject.tokenizer.chat_template or "")
    ):
        return broken(
            "the chat template has a thinking mode and the recipe asks for none; say thinking: true or false"
        )
    if subject.kind == "grpo":
        return inapplicable(f"no targets; thinking is {recipe.thinking}")
    targets = subject.targets
    empty = sum("".join(target.split()).startswith(EMPTY_THINK) for target in targets)
    first = repr(targets[0][:40])
    if empty:
        return broken(
            f"{empty} of {len(targets)} targets start with an empty <think></think> ({first}); take it out "
            "of the responses: with thinking: false the prompt ends in it"
        )
    traces = sum(target.lstrip().startswith("<think>") for target in targets)
    seen = f"the first supervised tokens are {first}; {traces} of {len(targets)} targets think"
    if recipe.thinking and recipe.chat and not traces:
        return broken(
            f"{seen}, and the recipe says thinking: true; train on responses with traces, or thinking: false"
        )
    if traces and recipe.chat and recipe.thinking is False:
        return broken(f"{seen}, and the recipe says thinking: false; set thinking: true")
    return passed(seen)


@row(17, "end or text taken for padding", "error")
def padding(subject: Subject) -> Outcome:
    """The end token is in the loss of every collated row, and token 0 comes out as it went in."""
    tokenizer = subject.tokenizer
    pad, end = tokenizer.pad_token_id, tokenizer.eos_token_id
    if pad is None:
        return broken(
            "the tokenizer has no padding token, so TRL pads with the end token; give it one no text has"
        )
    if pad != end and pad in _text_ids(subject):
        return broken(
            f"padding is {tokenizer.pad_token!r} (id {pad}), which texts have; give it a special one"
        )
    if tokenizer(tokenizer.eos_token, add_special_tokens=False)["input_ids"] != [end]:
        return broken(f"the end token {tokenizer.eos_token!r} is not one token; add it as a special token")
    same = " (padding and end are one token, which TRL keeps apart by lengths)" if pad == end else ""
    if subject.kind == "grpo":
        return passed(f"padding is {tokenizer.pad_token!r}, the end {tokenizer.eos_token!r}{same}")
    missing, total = _unsupervised_ends(subject)
    if missing:
        return broken(
            f"the loss is not on the end token in {missing} of {total} collated rows{same}; give the "
            "tokenizer a padding token of its own, and an end token that rows end in"
        )
    if not _zero_survives(subject):
        return broken(
            "token 0 is taken for padding in collated batches; give the tokenizer another padding token"
        )
    return passed(
        f"the loss is on {tokenizer.eos_token!r} in all {total} collated rows; token 0 comes through{same}"
    )


def _text_ids(subject: Subject) -> set[int]:
    """Tokens of plain text: printable characters, and problems that are trained on."""
    try:
        problems = [str(doc["problem"]) for doc in subject.sampled]
    except NotAtHand:
        problems = []
    texts = [string.printable, *problems]
    return {i for ids in subject.tokenizer(texts, add_special_tokens=False)["input_ids"] for i in ids}


def _unsupervised_ends(subject: Subject) -> tuple[int, int]:
    """(rows without the end token in their loss, rows) of a batch of the shortest and longest whole rows."""
    by_size = sorted(subject.prepared, key=lambda p: len(p.ids))
    taken = [*by_size[:4], *by_size[4:][-4:]]
    batch = subject.collated([{"input_ids": p.ids, "labels": p.labels} for p in taken])
    end = subject.tokenizer.eos_token_id
    last = [[i for i in labels if i != -100][-1:] for labels in batch["labels"].tolist()]
    return sum(found != [end] for found in last), len(taken)


def _zero_survives(subject: Subject) -> bool:
    end = subject.tokenizer.eos_token_id
    short, long = [0, 1, 0, end], [1, 0, 1, 0, 0, 1, end]
    batch = subject.collated([{"input_ids": ids, "labels": list(ids)} for ids in (short, long)])
    read: dict[str, Any] = {name: values.tolist()[0] for name, values in batch.items()}
    size = len(short)
    return (
        short in (read["labels"][:size], read["labels"][-size:])
        and sum(read.get("attention_mask", [1] * 4)) == size
    )


@row(18, "the end that is trained ends no generation", "error")
def trained_end(subject: Subject) -> Outcome:
    """The token that responses are trained to end in is among those that end generation."""
    tokenizer, ends = subject.tokenizer, subject.configured_ends
    emitted = {tokenizer.eos_token_id}
    if getattr(subject.training, "eos_token", None):
        emitted = {tokenizer.convert_tokens_to_ids(subject.training.eos_token)}
        ends = [*ends, *emitted]  # TRL adds it to the model's generation_config
    elif subject.kind == "sft":
        emitted = {p.ids[-1] for p in subject.prepared}
    names = ", ".join(map(str, tokenizer.convert_ids_to_tokens(sorted(emitted))))
    seen = f"responses end in {names}; eos_token_id in generation_config is {ends}"
    return judged(
        emitted <= set(ends), seen, f"add it to eos_token_id of {subject.folder}'s generation_config"
    )
