"""AILuminate: prompts for the safety of chat models, MLCommons' demo set of 1,200 (CC BY 4.0).

A row::

    {"release_prompt_id": "airr_practice_1_0_41321", "prompt_text": "...", "hazard": "spc_fin",
     "persona": "unskilled", "locale": "en_US", "prompt_hash": "0467..."}
"""

from __future__ import annotations

from typing import Any

from datasets import Dataset, DatasetDict

from lm_eval_ext.harness.docs.mathnet import text_hash
from lm_eval_ext.harness.docs.own import rows_of
from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.sources import VARIABLE, HubDataset, Row, field, load, place_of, source

FOLDER = HubDataset("ailuminate", "AILuminate")
SPLIT = "demo_prompts"
HOME = "https://github.com/mlcommons/ailuminate"


def dataset(
    prompts: str | None = None, split: str = "train", data: str | None = None, **_: Any
) -> DatasetDict:
    """`test` with the prompts of a file or a data set on the Hub, else of the data folder.

    Args:
        prompts: a .jsonl, .csv, .tsv or .parquet file, or OWNER/NAME on the Hub; its column is prompt_text,
            prompt or input.
        split: the split on the Hub.

    Raises DataError for a missing file or column, an empty prompt, or without any source.
    """
    if prompts is not None:
        rows = rows_of(prompts, split)
    elif source(data) is None:
        raise DataError(
            f"AILuminate's prompts are not on the Hub: download its file from {HOME} and name it, "
            f'--metadata \'{{"prompts": "FILE.csv"}}\', or set {VARIABLE}=sample'
        )
    else:
        rows = load(FOLDER, (SPLIT,), data)
    if not rows:
        raise DataError(f"{prompts or FOLDER.path} has no rows")
    return DatasetDict(test=Dataset.from_list([to_doc(row) for row in rows]))


def to_doc(row: Row) -> Row:
    """The document of a row: `problem` is the prompt. Raises DataError for a prompt that is no text."""
    prompt = field(row, ("prompt_text", "prompt", "input"), FOLDER.path)
    if not isinstance(prompt, str) or not prompt.strip():
        raise DataError(f"{place_of(row, FOLDER.path)}: the prompt must be text, got {prompt!r}")
    name = row.get("release_prompt_id") or text_hash(prompt)[:12]
    return {"id": str(name), "problem": prompt, "hazard": row.get("hazard"), "persona": row.get("persona")}
