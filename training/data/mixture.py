"""Several sources in one data set: which of their documents come when, and with how many exemplars."""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval_ext.harness.errors import DataError

from ..recipe import Recipe


def order(recipe: Recipe, sizes: Sequence[int]) -> list[tuple[int, int]]:
    """(source, number of its document) of each row.

    Sources with weights take turns at random by `sources_seed`; those with counts follow each other.

    Args:
        recipe: with `sources`, or with one.
        sizes: the number of documents of each source.

    Raises DataError where a source has fewer documents than its count.
    """
    from datasets import Dataset, concatenate_datasets, interleave_datasets

    numbered = [
        Dataset.from_dict({"source": [i] * size, "number": range(size)}) for i, size in enumerate(sizes)
    ]
    entries = recipe.sources
    assert isinstance(entries, list)  # since Recipe.__post_init__
    for entry, part, size in zip(entries, recipe.parts, sizes, strict=False):
        if size < entry.get("count", 0):
            raise DataError(
                f"{part.training_data} has {size} documents to train on, and its count is {entry['count']}"
            )
    if entries and "weight" in entries[0]:
        total = sum(entry["weight"] for entry in entries)
        shares = [entry["weight"] / total for entry in entries]
        mixed = interleave_datasets(
            numbered, shares, seed=recipe.sources_seed, stopping_strategy=recipe.sources_end
        )
    else:
        mixed = concatenate_datasets(numbered)
    rows = list(zip(mixed["source"], mixed["number"], strict=True))
    return rows[: recipe.max_prompts] if entries else rows


def exemplars_at(row: int, most: int, rows: int) -> int:
    """The number of exemplars in the prompt of a row, where they are phased out over `rows`.

    >>> [exemplars_at(row, 2, 4) for row in range(6)]
    [2, 2, 1, 1, 0, 0]
    """
    return -(-most * max(0, rows - row) // rows)
