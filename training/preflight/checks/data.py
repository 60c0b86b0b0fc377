"""The training data compared with the evaluation: same prompts, nothing leaked, nothing lost."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lm_eval_ext.harness.errors import DataError

from ...data.build import curriculum_of
from ..check import Outcome, check, does_not_apply, failed, passed, passed_if
from ..context import PreflightContext, Unavailable
from ..parts import row_count

COMPARED = 16


@check(
    5,
    "training and evaluation prompts differ",
    "error",
    fix="train on prompts as the task has them (chat, thinking, num_fewshot, system_instruction), or set "
    "eval_chat, eval_num_fewshot and eval_model_args as in training",
)
def same_prompts(context: PreflightContext) -> Outcome:
    """The first training rows must start as lm-eval renders the same documents, token for token."""
    tokenizer, task = context.tokenizer, context.task
    if context.evaluation.chat and not tokenizer.chat_template:
        raise Unavailable("the evaluation's prompts: the tokenizer has no chat template (row 4)")
    rendered = task.prompts(context.sampled[:COMPARED])
    for made, target, theirs in zip(context.rows, context.targets, rendered, strict=False):
        ours = str(made["prompt"] if "prompt" in made else made["text"].removesuffix(target))
        if ours != theirs:
            place = _first_difference(ours, theirs)
            start, end = max(0, place - 12), place + 24
            return failed(
                f"row {made['id']}: training and evaluation part at character {place}: "
                f"{ours[start:end]!r} is trained on, {theirs[start:end]!r} is evaluated"
            )
    for ids, prompt in zip(context.prompt_ids, rendered, strict=False):
        evaluated = task.ids(prompt)
        if ids is not None and ids[: len(evaluated)] != evaluated:
            place = _first_difference(ids, evaluated)
            return failed(
                f"the texts of training and evaluation are equal, their tokens part at {place}: "
                f"{ids[place : place + 4]} is trained on, {evaluated[place : place + 4]} is evaluated "
                f"(BOS is {tokenizer.bos_token_id})",
                "load the tokenizer by training.models.loaded_tokenizer, give eval_model_args no "
                "add_bos_token, and start no response with white space",
            )
    equal = f"{len(rendered)} training prompts equal lm-eval's contexts for {context.recipe.task}"
    return passed(f"{equal}, token for token")


def _first_difference(ours: Sequence[object], theirs: Sequence[object]) -> int:
    pairs = enumerate(zip(ours, theirs, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(ours), len(theirs)))


@check(19, "curriculum ids do not match", "error", fix="fix the ids, none of them matches")
def curriculum(context: PreflightContext) -> Outcome:
    """Every id of the curriculum needs its document, unless the recipe allows missing ones."""
    if not context.recipe.curriculum:
        return does_not_apply("no curriculum")
    try:
        found = context.curriculum
    except DataError as error:
        return failed(str(error.code), "fix the ids, or set allow_missing_ids: true")
    wanted = len(curriculum_of(context.recipe.curriculum))
    return passed_if(bool(found), f"{len(found)} of {wanted} ids of the curriculum have their document")


@check(25, "exemplars or evaluated problems in the training data", "error", fix="take them out of the source")
def leak(context: PreflightContext) -> Outcome:
    """Compared without spaces, case and punctuation: more strictly than such documents are removed."""
    exemplars, evaluated = context.prompts.exemplars, context.prompts.evaluated
    trained = {_bare(doc["problem"]): doc["id"] for doc in context.documents}
    for kind, docs in (("an exemplar", exemplars), ("evaluated", evaluated)):
        found = [trained[_bare(doc["problem"])] for doc in docs if _bare(doc["problem"]) in trained]
        if found:
            seen = (
                f"{len(found)} training documents are {kind} of {context.recipe.task} but for punctuation, "
            )
            return failed(f"{seen}{found[0]!r} for one")
    return passed(f"none of {len(exemplars)} exemplars and {len(evaluated)} evaluated problems is trained on")


def _bare(problem: str) -> str:
    return re.sub(r"[\s;?'\"“”‘’$]|[.,:](?!\d)", "", problem).casefold()


@check(22, "rows that the sampler drops", "warn", only="grpo")
def sampler(context: PreflightContext) -> Outcome:
    """Counts the prompts of an epoch that TRL's own sampler yields."""
    from trl.trainer.utils import RepeatSampler

    training, total = context.training, row_count(context)
    chunk = training.generation_batch_size // training.num_generations
    yielded = len(set(RepeatSampler(range(total), training.num_generations, chunk, shuffle=False)))
    seen, drops = f"an epoch sees {yielded} of {total} prompts, {chunk} at a time", yielded < total
    if training.max_steps > 0:
        prompts = training.max_steps * training.per_device_train_batch_size * training.world_size
        prompts = prompts * training.gradient_accumulation_steps // training.num_generations
        seen += f", and max_steps={training.max_steps} sees {prompts}"
        drops = drops and prompts > yielded
    return passed_if(not drops, seen, f"make size a multiple of {chunk}, or accept row 22")
