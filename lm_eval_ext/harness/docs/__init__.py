"""Data sets as documents, one module per family, each with a real example row at the top.

Every document has `problem` and `gold`; other fields are for few-shot prompts and breakdowns.
"""

from __future__ import annotations

import random
from typing import Any

from lm_eval_ext.errors import DataError


def drawn(total: int, subset: Any) -> list[int]:
    """Places of a random subset of `total` documents, in order: the same for every model (seed 0).

    `subset` is a share below 1, such as 0.2, or a number of documents.

    Raises DataError for anything else, and for more documents than there are.
    """
    number = isinstance(subset, int | float) and not isinstance(subset, bool)
    size = round(subset * total) if number and 0 < subset < 1 else subset
    if not number or size != int(size) or not 1 <= size <= total:
        raise DataError(
            f"subset is {subset!r}: give a share below 1 or a number of problems, of {total} there are"
        )
    return sorted(random.Random(0).sample(range(total), int(size)))
