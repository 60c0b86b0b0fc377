r"""GSM8K: grade-school word problems (openai/gsm8k, MIT).

A row::

    {"question": "Natalia sold clips to 48 of her friends in April, ...",
     "answer": "Natalia sold 48/2 = <<48/2=24>>24 clips in May.\n...\n#### 72"}
"""

from __future__ import annotations

import re
from typing import Any

from datasets import Dataset, DatasetDict

from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.sources import HubDataset, Row, field, load, place_of

HUB = HubDataset("gsm8k", "openai/gsm8k", "main")
EXEMPLARS = 8
"""The first rows of the train split, in order: the same exemplars in every run."""

VALIDATION = 200
"""The last rows of the train split: for choosing checkpoints, and then never trained on."""

_CALCULATOR = re.compile(r"<<[^<>]*>>")


def dataset(data: str | None = None, **_: Any) -> DatasetDict:
    """`test`, `validation` from the end of the train split, and the exemplars from its start as `fewshot`."""
    train = load(HUB, ("train",), data)
    splits = {
        "test": load(HUB, ("test",), data),
        "validation": train[EXEMPLARS:][-VALIDATION:],
        "fewshot": train[:EXEMPLARS],
    }
    return DatasetDict(
        {name: Dataset.from_list([to_doc(row) for row in rows]) for name, rows in splits.items()}
    )


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
