"""IFEval and IFBench: prompts with instructions that a program can check.

google/IFEval is under Apache 2.0, allenai/IFBench_test (300 prompts, other instructions) under ODC-BY.

A row::

    {"key": 1000, "prompt": "Write a 300+ word summary of ... Do not use any commas ...",
     "instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"],
     "kwargs": [{}, {"relation": "at least", "num_words": 300}]}
"""

from __future__ import annotations

from typing import Any

from datasets import Dataset, DatasetDict

from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.sources import HubDataset, Row, field, load, place_of

HUB = {
    "ifeval": HubDataset("ifeval", "google/IFEval"),
    "ifbench": HubDataset("ifbench", "allenai/IFBench_test"),
}
SPLITS = ("train", "test")
"""The benchmarks are the split train."""


def dataset(data: str | None = None, benchmark: str = "ifeval", **_: Any) -> DatasetDict:
    """`test`. Raises DataError for rows that lack a column, or have other numbers of names and arguments."""
    return DatasetDict(test=Dataset.from_list([to_doc(row) for row in load(HUB[benchmark], SPLITS, data)]))


def to_doc(row: Row) -> Row:
    """The document of a row."""
    names, arguments = (field(row, (column,), "ifeval") for column in ("instruction_id_list", "kwargs"))
    if not names or len(names) != len(arguments):
        raise DataError(
            f"{place_of(row, 'ifeval')}: {len(names)} instructions, but {len(arguments)} kwargs, one for each"
        )
    return {
        "id": str(field(row, ("key",), "ifeval")),
        "problem": field(row, ("prompt",), "ifeval"),
        "instruction_id_list": names,
        "kwargs": [each or {} for each in arguments],
    }
