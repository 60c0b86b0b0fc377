"""The training data beside the evaluation: same prompts, nothing leaked, nothing lost."""

from __future__ import annotations

import re

from lm_eval_ext.harness.errors import DataError

from ...data.build import curriculum_of
from ..registry import NotAtHand, Outcome, broken, inapplicable, judged, passed, row
from ..subject import Subject

COMPARED = 16


@row(5, "training and evaluation prompts differ", "error")
def same_prompts(subject: Subject) -> Outcome:
    """The first training rows beside what lm-eval renders for the same documents."""
    if subject.evaluation.chat and not subject.tokenizer.chat_template:
        raise NotAtHand("the evaluation's prompts: the tokenizer has no chat template (row 4)")
    contexts = subject.task.contexts(subject.sampled[:COMPARED])
    for made, target, context in zip(subject.rows, subject.targets, contexts, strict=False):
        prompt = str(made["prompt"] if "prompt" in made else made["text"].removesuffix(target))
        if prompt != context:
            return broken(
                f"row {made['id']}: {_difference(prompt, context)}; train on prompts as the task "
                "has them (chat, thinking, num_fewshot, system_instruction), or set eval_chat, "
                "eval_num_fewshot and eval_model_args as in training"
            )
    for ours, context in zip(subject.prompt_ids, contexts, strict=False):
        theirs = subject.task.ids(context)
        if ours is not None and ours[: len(theirs)] != theirs:
            place = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), len(ours))
            return broken(
                f"the texts of training and evaluation are equal, their tokens part at {place}: "
                f"{ours[place : place + 4]} is trained on, {theirs[place : place + 4]} is evaluated (BOS is "
                f"{subject.tokenizer.bos_token_id}); load the tokenizer by training.models.loaded_tokenizer, "
                "give eval_model_args no add_bos_token, and start no response with white space"
            )
    compared = min(COMPARED, len(contexts))
    return passed(
        f"{compared} training prompts equal lm-eval's contexts for {subject.recipe.task}, token for token"
    )


def _difference(ours: str, theirs: str) -> str:
    place = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
    if place is None:
        place = min(len(ours), len(theirs))
    at = max(0, place - 12)
    return (
        f"training and evaluation part at character {place}: {ours[at : place + 24]!r} is trained on, "
        f"{theirs[at : place + 24]!r} is evaluated"
    )


@row(19, "curriculum ids do not match", "error")
def curriculum(subject: Subject) -> Outcome:
    """Every id of the curriculum has its document, or their loss is allowed in so many words."""
    if not subject.recipe.curriculum:
        return inapplicable("no curriculum")
    try:
        joined = subject.curriculum
    except DataError as error:
        return broken(f"{error.code}; mend the ids, or say allow_missing_ids: true")
    wanted = len(curriculum_of(subject.recipe.curriculum))
    seen = f"{len(joined)} of {wanted} ids of the curriculum have their document"
    return judged(bool(joined), seen, "mend the ids, none of them matches")


@row(25, "exemplars or evaluated problems in the training data", "error")
def leak(subject: Subject) -> Outcome:
    """Compared without spaces, case and punctuation: more strictly than they are taken out."""
    trained = {_bare(doc["problem"]): doc["id"] for doc in subject.documents}
    for kind, docs in (("an exemplar", subject.prompts.exemplars), ("evaluated", subject.prompts.evaluated)):
        found = [trained[_bare(doc["problem"])] for doc in docs if _bare(doc["problem"]) in trained]
        if found:
            return broken(
                f"{len(found)} training documents are {kind} of {subject.recipe.task} but for "
                f"punctuation, {found[0]!r} for one; take them out of the source"
            )
    pool, evaluated = len(subject.prompts.exemplars), len(subject.prompts.evaluated)
    return passed(f"none of {pool} exemplars and {evaluated} evaluated problems is trained on")


def _bare(problem: str) -> str:
    return re.sub(r"[\s;?'\"“”‘’$]|[.,:](?!\d)", "", problem).casefold()


@row(22, "rows that the sampler drops", "warn")
def sampler(subject: Subject) -> Outcome:
    """TRL's own sampler, asked how many prompts of an epoch it yields."""
    if subject.kind == "sft":
        return inapplicable("SFT sees every row")
    from trl.trainer.utils import RepeatSampler

    training, total = subject.training, len(subject.documents)
    chunk = training.generation_batch_size // training.num_generations
    seen = len(set(RepeatSampler(range(total), training.num_generations, chunk, shuffle=False)))
    said = f"an epoch sees {seen} of {total} prompts, {chunk} at a time"
    drops = seen < total
    if training.max_steps > 0:
        prompts = training.max_steps * training.per_device_train_batch_size * training.world_size
        prompts = prompts * training.gradient_accumulation_steps // training.num_generations
        said += f", and max_steps={training.max_steps} sees {prompts}"
        drops = drops and prompts > seen
    return judged(not drops, said, f"make size a multiple of {chunk}, or accept row 22")
