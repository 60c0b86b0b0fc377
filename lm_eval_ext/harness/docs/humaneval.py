"""HumanEval: Python functions to complete (openai/openai_humaneval, MIT).

A row::

    {"task_id": "HumanEval/0", "prompt": "from typing import List\\n\\n\\ndef has_close_elements(...",
     "canonical_solution": "    for idx, elem in ...", "test": "def check(candidate):\\n    assert ...",
     "entry_point": "has_close_elements"}
"""

from __future__ import annotations

from typing import Any

from datasets import Dataset, DatasetDict

from lm_eval_ext.harness.sources import HubDataset, Row, field, load

HUB = HubDataset("humaneval", "openai/openai_humaneval")


def dataset(data: str | None = None, **_: Any) -> DatasetDict:
    """`test`. Raises DataError for rows that lack a column."""
    return DatasetDict(test=Dataset.from_list([to_doc(row) for row in load(HUB, ("test",), data)]))


def to_doc(row: Row) -> Row:
    """The document of a row; `problem` is the beginning of the function."""
    columns = {"id": "task_id", "problem": "prompt", "solution": "canonical_solution"}
    columns |= {name: name for name in ("test", "entry_point")}
    return {name: field(row, (column,), "humaneval") for name, column in columns.items()}
