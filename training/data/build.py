"""The rows that a recipe asks for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from itertools import count as integers
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.weights import here

from .. import command
from ..prompts import TaskPrompts
from ..recipe import Recipe
from . import rows
from .documents import Doc, documents, without
from .mixture import exemplars_at, order


def prompts_of(recipe: Recipe, tokenizer: Any) -> TaskPrompts:
    """The task's prompts, under the recipe's settings."""
    return TaskPrompts(
        recipe.task,
        num_fewshot=recipe.num_fewshot,
        tokenizer=tokenizer if recipe.chat else None,
        system_instruction=recipe.system_instruction,
        chat_template_kwargs=recipe.template_variables,
        data=recipe.data,
    )


@dataclass
class Selection:
    """Documents, or the rows they became, and how many were left out for what reason.

    Attributes:
        docs: those selected.
        found: the number before selection.
        left_out: reason -> number.
        mixed: how many rows each of several sources has.
    """

    docs: list[Doc]
    found: int
    left_out: dict[str, int]
    mixed: str = ""

    def keep(self, docs: list[Any], why: str) -> None:
        """Keeps these; the others are left out for this reason."""
        if len(docs) < len(self.docs):
            self.left_out[why] = len(self.docs) - len(docs)
        self.docs = docs

    def __str__(self) -> str:
        reasons = "".join(f"; {number} left out: {why}" for why, number in self.left_out.items())
        return f"{len(self.docs)} of {self.found} documents{self.mixed}{reasons}"


def verifier_of(recipe: Recipe, prompts: TaskPrompts) -> str:
    """The name of the verifier of a recipe's rows: its own, else that of the task."""
    assert isinstance(recipe.verifier, dict)  # since Recipe.__post_init__
    return str(recipe.verifier.get("name", prompts.verifier))


def selected(
    recipe: Recipe,
    prompts: TaskPrompts,
    count: Callable[[str], int],
    trainer: str = "",
    reserved: Sequence[Doc] = (),
) -> Selection:
    """The documents that a recipe asks for: neither exemplars nor evaluated on, of its lengths, in its order.

    Args:
        recipe: which.
        prompts: of its task.
        count: number of tokens in a text.
        trainer: "sft" needs documents with a solution or a response; "": the recipe's.
        reserved: what the tasks of other sources evaluate on.

    Raises DataError if none is left.
    """
    found = documents(recipe.source or recipe.task, recipe.data, recipe.size)
    chosen = Selection(found, len(found), {})
    _keep_unseen(chosen, recipe, prompts, reserved)
    if recipe.levels:
        chosen.keep([doc for doc in chosen.docs if doc.get("level") in recipe.levels], "of another level")
    supervised = (trainer or recipe.trainer) == "sft"
    if supervised:
        chosen.keep([doc for doc in chosen.docs if rows.worked(doc)], "without a solution")
    if recipe.boxed:
        chosen.docs = rows.boxed(chosen.docs)
    _keep_lengths(chosen, recipe, prompts, count, supervised)
    if recipe.curriculum:
        ids = curriculum_of(recipe.curriculum)
        kept = rows.joined(ids, chosen.docs, allow_missing=recipe.allow_missing_ids)
        chosen.keep(kept, "not in the curriculum")
    chosen.keep(chosen.docs[: recipe.max_prompts], "more than asked for")
    if not chosen.docs:
        raise DataError(f"nothing to train on in {recipe.source or recipe.task}: {chosen}")
    return chosen


def _keep_unseen(chosen: Selection, recipe: Recipe, prompts: TaskPrompts, reserved: Sequence[Doc]) -> None:
    """Leaves out what no verifier reads, exemplars, and what is evaluated or validated on."""
    for why in dict.fromkeys(doc["unverified"] for doc in chosen.docs if "unverified" in doc):
        chosen.keep([doc for doc in chosen.docs if doc.get("unverified") != why], why)
    chosen.keep(without(chosen.docs, prompts.exemplars), "exemplars of the task")
    chosen.keep(without(chosen.docs, [*prompts.evaluated, *reserved]), "evaluated on")
    if recipe.validation_task:
        reserved = TaskPrompts(recipe.validation_task, data=recipe.data).evaluated
        chosen.keep(without(chosen.docs, reserved), "validated on")


def _keep_lengths(
    chosen: Selection, recipe: Recipe, prompts: TaskPrompts, count: Callable[[str], int], supervised: bool
) -> None:
    """Leaves out prompts, solutions and rows outside the recipe's lengths; none is truncated."""
    if longest := recipe.max_prompt_tokens:
        fits = [doc for doc in chosen.docs if count(prompts.prompt(doc)) <= longest]
        chosen.keep(fits, f"prompts over {longest} tokens")
    if least := recipe.min_solution_tokens:
        long = [doc for doc in chosen.docs if count(rows.worked(doc)) >= least]
        chosen.keep(long, f"solutions under {least} tokens")
    if most := recipe.max_solution_tokens:
        short = [doc for doc in chosen.docs if count(rows.worked(doc)) <= most]
        chosen.keep(short, f"solutions over {most} tokens")
    if supervised and (limit := recipe.max_row_tokens):
        texts = [rows.text(row) for row in rows_of(recipe, "sft", chosen.docs, prompts)]
        whole = [count(text) < limit for text in texts]  # with the EOS token
        chosen.keep(list(compress(chosen.docs, whole)), f"rows over {limit} tokens")


def rows_of(
    recipe: Recipe,
    trainer: str,
    docs: Iterable[Doc],
    prompts: TaskPrompts,
    numbers: Iterable[int] | None = None,
) -> list[rows.Row]:
    """The trainer's rows of these documents; `numbers`: their places in the data set, from 0."""
    if trainer == "grpo":
        shots = None
        if span := recipe.fewshot_phase_out:
            shots = (exemplars_at(number, prompts.num_fewshot, span) for number in numbers or integers())
        return rows.unsupervised(docs, prompts, verifier_of(recipe, prompts), shots)
    full, verbatim = recipe.shape == "full", recipe.target == "solution"
    return rows.supervised(docs, prompts, full=full, verbatim=verbatim)


def curriculum_of(file: str | Path) -> list[str]:
    """The ids of a curriculum, a local or remote file, in its order."""
    path = here(str(file))
    if not path.is_file():
        raise DataError(f"no curriculum {file}; make one with {command('data')} curriculum")
    return [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]


def built(recipe: Recipe, trainer: str, tokenizer: Any) -> Selection:
    """The rows of a trainer ("sft" or "grpo"), as `docs` of a Selection. Raises DataError if none is left."""
    parts = [(part, prompts_of(part, tokenizer)) for part in recipe.parts]
    reserved = _evaluated_elsewhere(recipe, [prompts for _, prompts in parts])
    length = lambda text: len(tokenizer(text, verbose=False)["input_ids"])  # noqa: E731
    chosen = [selected(part, prompts, length, trainer, reserved) for part, prompts in parts]
    places = order(recipe, [len(each.docs) for each in chosen])
    made: list[rows.Row] = [{}] * len(places)
    counts = []
    for source, ((part, prompts), each) in enumerate(zip(parts, chosen, strict=True)):
        numbers = [i for i, (of, _) in enumerate(places) if of == source]
        docs = [each.docs[places[i][1]] for i in numbers]
        progress = tqdm(docs, desc="rows", unit="row", disable=len(docs) < 1000)
        for i, row in zip(numbers, rows_of(part, trainer, progress, prompts, numbers), strict=True):
            made[i] = row
        counts.append(f"{len(docs)} of {part.training_data}")
    if len(parts) == 1:
        return replace(chosen[0], docs=rows.of_one_type(made))
    left_out = {f"{part.training_data}: {why}": number for (part, _), each in zip(parts, chosen, strict=True)
                for why, number in each.left_out.items()}  # fmt: skip
    found = sum(each.found for each in chosen)
    return Selection(rows.of_one_type(made), found, left_out, f" ({', '.join(counts)})")


def _evaluated_elsewhere(recipe: Recipe, prompts: Sequence[TaskPrompts]) -> list[Doc]:
    """What a mixture's tasks, and the task of the recipe, evaluate on; [] for a single source."""
    if not recipe.sources:
        return []
    own = [] if recipe.task in {each.name for each in prompts} else [prompts_of(recipe, None)]
    return [doc for each in (*prompts, *own) for doc in each.evaluated]


def dataset(recipe: Recipe, trainer: str, tokenizer: Any) -> Any:
    """The `datasets.Dataset` of a trainer ("sft" or "grpo"); reports what was left out on stderr."""
    from datasets import Dataset

    made = built(recipe, trainer, tokenizer)
    if os.environ.get("RANK", "0") == "0":
        print(f"data: {made}", file=sys.stderr)
    return Dataset.from_list(made.docs)
