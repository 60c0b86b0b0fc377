"""The rows that a recipe asks for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import compress
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
    """

    docs: list[Doc]
    found: int
    left_out: dict[str, int]

    def keep(self, docs: list[Any], why: str) -> None:
        """Keeps these; the others are left out for this reason."""
        if len(docs) < len(self.docs):
            self.left_out[why] = len(self.docs) - len(docs)
        self.docs = docs

    def __str__(self) -> str:
        reasons = "".join(f"; {number} left out: {why}" for why, number in self.left_out.items())
        return f"{len(self.docs)} of {self.found} documents{reasons}"


def selected(
    recipe: Recipe, prompts: TaskPrompts, count: Callable[[str], int], trainer: str = ""
) -> Selection:
    """The documents that a recipe asks for: neither exemplars nor evaluated on, of its lengths, in its order.

    Args:
        recipe: which.
        prompts: of its task.
        count: number of tokens in a text.
        trainer: "sft" needs documents with a solution or a response; "": the recipe's.

    Raises DataError if none is left.
    """
    found = documents(recipe.source or recipe.task, recipe.data, recipe.size)
    chosen = Selection(found, len(found), {})
    chosen.keep(without(chosen.docs, prompts.exemplars), "exemplars of the task")
    chosen.keep(without(chosen.docs, prompts.evaluated), "evaluated on")
    if recipe.validation_task:
        reserved = TaskPrompts(recipe.validation_task, data=recipe.data).evaluated
        chosen.keep(without(chosen.docs, reserved), "validated on")
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
    if not chosen.docs:
        raise DataError(f"nothing to train on in {recipe.source or recipe.task}: {chosen}")
    return chosen


def _keep_lengths(
    chosen: Selection, recipe: Recipe, prompts: TaskPrompts, count: Callable[[str], int], supervised: bool
) -> None:
    """Leaves out solutions and rows outside the recipe's lengths; none is truncated."""
    if least := recipe.min_solution_tokens:
        long = [doc for doc in chosen.docs if count(rows.worked(doc)) >= least]
        chosen.keep(long, f"solutions under {least} tokens")
    if most := recipe.max_solution_tokens:
        short = [doc for doc in chosen.docs if count(rows.worked(doc)) <= most]
        chosen.keep(short, f"solutions over {most} tokens")
    if supervised and (limit := recipe.max_row_tokens):
        texts = [rows.text(row) for row in rows_of(recipe, "sft", chosen.docs, prompts)]
        fits = [count(text) < limit for text in texts]  # with the EOS token
        chosen.keep(list(compress(chosen.docs, fits)), f"rows over {limit} tokens")


def rows_of(recipe: Recipe, trainer: str, docs: Iterable[Doc], prompts: TaskPrompts) -> list[rows.Row]:
    """The trainer's rows of these documents."""
    if trainer == "grpo":
        return rows.unsupervised(docs, prompts)
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
    prompts = prompts_of(recipe, tokenizer)
    chosen = selected(recipe, prompts, lambda text: len(tokenizer(text, verbose=False)["input_ids"]), trainer)
    progress = tqdm(chosen.docs, desc="rows", unit="row", disable=len(chosen.docs) < 1000)
    chosen.docs = rows_of(recipe, trainer, progress, prompts)
    return chosen


def dataset(recipe: Recipe, trainer: str, tokenizer: Any) -> Any:
    """The `datasets.Dataset` of a trainer ("sft" or "grpo"); reports what was left out on stderr."""
    from datasets import Dataset

    made = built(recipe, trainer, tokenizer)
    if os.environ.get("RANK", "0") == "0":
        print(f"data: {made}", file=sys.stderr)
    return Dataset.from_list(made.docs)
