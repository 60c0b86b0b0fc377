"""The parts of a recipe, each checked for itself: its sources, and prompts with and without exemplars."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..data.mixture import order
from ..recipe import Recipe
from .context import PreflightContext


def parts(context: PreflightContext) -> list[PreflightContext]:
    """A context for each part of its recipe; itself if there is only one."""
    variants = [variant for part in context.recipe.parts for variant in _phases(part)]
    if len(variants) == 1:
        return [context]
    made = [replace(context, recipe=variant, whole=context) for variant in variants]
    for each in made:
        each.siblings = made
        if "tokenizer" in vars(context):
            each.tokenizer = context.tokenizer
    return made


def _phases(recipe: Recipe) -> Iterator[Recipe]:
    """Where exemplars are phased out: the recipe with all of them, and with none."""
    if not recipe.fewshot_phase_out:
        yield recipe
        return
    yield replace(recipe, fewshot_phase_out=0, eval_num_fewshot=None)
    yield replace(recipe, fewshot_phase_out=0, num_fewshot=0)


def name_of(part: PreflightContext) -> str:
    """What a part trains on, and with how many exemplars if that changes."""
    assert part.whole, "not a part"
    phased = part.whole.recipe.fewshot_phase_out
    return part.recipe.training_data + (f", {part.recipe.num_fewshot or 0} exemplars" if phased else "")


def row_count(context: PreflightContext) -> int:
    """The number of rows in an epoch of the whole recipe."""
    whole = context.whole
    if whole is None or not whole.recipe.sources:
        return len(context.documents)
    phases = len(context.siblings) // len(whole.recipe.parts)
    return len(order(whole.recipe, [len(part.documents) for part in context.siblings[::phases]]))
