"""MBPP: short Python functions by their description and asserts (google-research-datasets/mbpp, CC BY 4.0).

A row of the full part, and one of the sanitized part::

    {"task_id": 11, "text": "Write a python function to remove first and last occurrence of ...",
     "code": "def remove_Occ(s,ch): ...", "test_list": ["assert remove_Occ(...) == ...", ...],
     "test_setup_code": "", "challenge_test_list": [...]}
    {"task_id": 11, "prompt": "Write a python function to ...", "code": "...", "test_imports": [],
     "test_list": [...], "source_file": "Benchmark Questions Verification V2.ipynb"}
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from datasets import Dataset, DatasetDict

from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.sources import HubDataset, Row, field, folder_of, is_there, load, place_of, source

HUB = HubDataset("mbpp", "google-research-datasets/mbpp", "full")
SANITIZED = "sanitized-mbpp.json"
"""The file of the sanitized part in Google's repository, which a data folder may have instead."""
IDS = {"test": range(11, 511), "train": range(601, 975)}
"""The rows of a split in a file of all."""
SHOWN = 3
"""Asserts in the prompt."""


def dataset(data: str | None = None, **_: Any) -> DatasetDict:
    """`test`, and the three exemplars of lm-eval's task, rows 2 to 4, as `fewshot`.

    Raises DataError for rows that lack a column, or have fewer than three asserts.
    """
    shown = (files("lm_eval_ext") / "data" / "mbpp_exemplars.jsonl").read_text("utf-8")
    splits = {"test": rows(data), "fewshot": [json.loads(line) for line in shown.splitlines()]}
    return DatasetDict({name: Dataset.from_list(list(map(to_doc, each))) for name, each in splits.items()})


def rows(data: str | None = None, split: str = "test") -> list[Row]:
    """The rows of a split, test or train. Raises DataError."""
    place = source(data)
    if place is not None and not is_there(HUB, split, data):
        file = folder_of(HUB, place) / SANITIZED
        if file.is_file():
            return [row for row in json.loads(file.read_text("utf-8")) if row["task_id"] in IDS[split]]
    return load(HUB, (split,), data)


def to_doc(row: Row) -> Row:
    """The document of a row. Raises DataError."""
    tests = field(row, ("test_list",), "mbpp")
    if len(tests) < SHOWN:
        raise DataError(
            f"{place_of(row, 'mbpp')}: the prompt shows {SHOWN} asserts; test_list has {len(tests)}"
        )
    code = field(row, ("code",), "mbpp")
    return {
        "id": str(field(row, ("task_id",), "mbpp")),
        "problem": field(row, ("text", "prompt"), "mbpp"),
        "test_list": tests,
        "test_setup_code": row.get("test_setup_code") or "\n".join(row.get("test_imports") or ()),
        "code": code,
        "solution": code,
    }
