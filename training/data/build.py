"""The rows a recipe asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lm_eval_ext.harness.errors import DataError
from training.data import rows
from training.data.documents import Doc, documents, without
from training.prompts import TaskPrompts
from training.recipe import Recipe


def prompts_of(recipe: Recipe, tokenizer: Any) -> TaskPrompts:
    """The task's prompts, under the recipe's settings."""
    thinking = {} if recipe.thinking is None else {"enable_thinking": recipe.thinking}
    return TaskPrompts(
        recipe.task,
        num_fewshot=recipe.num_fewshot,
        tokenizer=tokenizer if recipe.chat else None,
        system_instruction=recipe.system_instruction,
        chat_template_kwargs=thinking,
        data=recipe.data,
    )


def documents_of(recipe: Recipe, prompts: TaskPrompts, count: Callable[[str], int]) -> list[Doc]:
    """The documents: neither an exemplar nor evaluated on, of the lengths and in the order asked for.

    Args:
        recipe: which.
        prompts: of its task.
        count: tokens of a text.

    Raises DataError where none is left.
    """
    found = documents(recipe.source or recipe.task, recipe.data, recipe.size)
    kept = without(found, [*prompts.exemplars, *prompts.evaluated])
    if recipe.boxed:
        kept = rows.boxed(kept)
    if recipe.min_solution_tokens or recipe.max_solution_tokens:
        kept = rows.of_length(kept, count, recipe.min_solution_tokens, recipe.max_solution_tokens)
    if recipe.curriculum:
        kept = rows.joined(curriculum_of(recipe.curriculum), kept, allow_missing=recipe.allow_missing_ids)
    if not kept:
        raise DataError(
            f"no document of {recipe.source or recipe.task} is left of {len(found)}: exemplars, problems "
            "evaluated on and solutions of other lengths are taken out"
        )
    return kept


def dataset(recipe: Recipe, trainer: str, tokenizer: Any) -> Any:
    """The `datasets.Dataset` that the trainer ("sft" or "grpo") gets."""
    from datasets import Dataset

    prompts = prompts_of(recipe, tokenizer)
    docs = documents_of(recipe, prompts, lambda text: len(tokenizer(text)["input_ids"]))
    return Dataset.from_list(rows_of(recipe, trainer, docs, prompts))


def rows_of(recipe: Recipe, trainer: str, docs: list[Doc], prompts: TaskPrompts) -> list[rows.Row]:
    """The rows that these documents become for the trainer."""
    if trainer == "grpo":
        return rows.unsupervised(docs, prompts)
    shape: rows.Shape = "masked" if recipe.shape == "masked" else "full"
    return rows.supervised(docs, prompts, shape)


def curriculum_of(file: str | Path) -> list[str]:
    """The ids of a curriculum, in its order."""
    return [line.strip() for line in Path(file).read_text("utf-8").splitlines() if line.strip()]
