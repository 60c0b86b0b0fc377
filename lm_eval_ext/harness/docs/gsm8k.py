r"""GSM8K: grade-school word problems (openai/gsm8k, MIT).

A row::

    {"question": "Natalia sold clips to 48 of her friends in April, ...",
     "answer": "Natalia sold 48/2 = <<48/2=24>>24 clips in May.\n...\n#### 72"}
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any

from datasets import Dataset, DatasetDict

from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.sources import HubDataset, Row, field, load, place_of

HUB = HubDataset("gsm8k", "openai/gsm8k", "main")
EXEMPLARS = 8
"""The first rows of the train split, in order: the same exemplars in every run."""

VALIDATION = 200
"""The last rows of the train split: for choosing checkpoints, and then never trained on."""

POOL_SEED = 42
"""Of the exemplars in `pool`, which are drawn instead of the first rows."""

_CALCULATOR = re.compile(r"<<([^<>]*)>>")


def dataset(data: str | None = None, drawn: bool = False, easy: bool = False, **_: Any) -> DatasetDict:
    """`test`, `validation` from the end of the train split, and its exemplars as `fewshot`.

    The exemplars are the first rows of the train split; with `drawn`, those of `pool`. With `easy`, `test`
    and `validation` are their `easiest` halves.
    """
    train = load(HUB, ("train",), data)
    shown = pool(len(train)) if drawn else list(range(min(EXEMPLARS, len(train))))
    splits = {
        "test": load(HUB, ("test",), data),
        "validation": [row for i, row in enumerate(train) if i not in shown][-VALIDATION:],
        "fewshot": [train[i] for i in shown],
    }
    if easy:
        splits |= {name: [splits[name][i] for i in easiest(splits[name])] for name in ("test", "validation")}
    return DatasetDict(
        {name: Dataset.from_list([to_doc(row) for row in rows]) for name, rows in splits.items()}
    )


def pool(size: int) -> list[int]:
    """Rows of a train split of this size that are drawn as exemplars, and never trained on."""
    return random.Random(POOL_SEED).sample(range(size), min(EXEMPLARS, size))


def equations(row: Row) -> list[str]:
    """The steps of a row's solution, `["48/2=24", "48+24=72"]`; empty where its author marked none."""
    return _CALCULATOR.findall(field(row, ("answer",), "gsm8k"))


def easiest(rows: Sequence[Row]) -> list[int]:
    """Places of the easiest half, in order: those with the fewest steps, of equal ones the shorter questions.

    Solutions without marked steps count as the hardest.
    """

    def effort(i: int) -> tuple[bool, int, int]:
        steps = len(equations(rows[i]))
        return steps == 0, steps, len(field(rows[i], ("question",), "gsm8k"))

    return sorted(sorted(range(len(rows)), key=effort)[: len(rows) // 2])


def to_doc(row: Row) -> Row:
    """The document of a row; `cot` is the worked solution as a model should write it.

    Raises DataError if the answer does not end in `#### N`.
    """
    problem, worked = field(row, ("question",), "gsm8k"), field(row, ("answer",), "gsm8k")
    steps, mark, number = worked.rpartition("####")
    if not mark:
        raise DataError(f"{place_of(row, 'gsm8k')}: an answer without '#### N': {worked[-80:]!r}")
    gold = number.strip().replace(",", "")
    reasoning = " ".join(_CALCULATOR.sub("", steps).split())
    return {"problem": problem, "gold": gold, "cot": f"{reasoning} The answer is {gold}."}
