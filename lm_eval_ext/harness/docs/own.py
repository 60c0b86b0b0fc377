r"""A user's own problems: a file (.jsonl, .csv, .tsv, .parquet) or a data set on the Hub.

A row, with `problem_field: question` and `gold_field: answer`::

    {"question": "What is $1/2 + 1/3$?", "answer": "\\frac{5}{6}", "source": "lecture 3"}
"""

from __future__ import annotations

import json
from typing import Any

from datasets import Dataset, DatasetDict

from lm_eval_ext.grading.golds import GoldError, acceptable
from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.sources import FORMATS, HubDataset, Row, field, load_from_hub, place_of, read_rows
from lm_eval_ext.harness.weights import here

_SCALARS = {str, int, float, bool}
_ADVICE = "; name yours with --problem-field and --gold-field"


def dataset(
    source: str, problem_field: str = "problem", gold_field: str = "gold", split: str = "test", **_: Any
) -> DatasetDict:
    """`test` with the rows of `source`: `problem`, `gold`, and the other columns for breakdowns.

    Args:
        source: a file, or the name of a data set on the Hub.
        problem_field: the column with the problem's text.
        gold_field: the column with the reference answer: text (an answer, or a solution that ends in a box or
            in `#### 7`), a number, or a list of acceptable answers.
        split: the split on the Hub.

    Raises DataError for a missing file or column, a row that states no answer, a broken line.
    """
    docs = [_to_doc(row, problem_field, gold_field, source) for row in rows_of(source, split)]
    if not docs:
        raise DataError(f"{source} has no rows")
    if all(len(doc["gold"]) == 1 for doc in docs):
        docs = [{**doc, "gold": doc["gold"][0]} for doc in docs]
    return DatasetDict(test=Dataset.from_list(_with_typed_columns(docs)))


def _with_typed_columns(docs: list[Row]) -> list[Row]:
    """Columns of several types become JSON text: Arrow has one type per column."""
    names = list(dict.fromkeys(name for doc in docs for name in doc if name != "gold"))
    types = {name: {type(doc.get(name)) for doc in docs} - {type(None)} for name in names}
    mixed = [name for name in names if not (len(types[name]) == 1 and types[name] <= _SCALARS)]
    texts = [{name: json.dumps(doc.get(name), default=str) for name in mixed} for doc in docs]
    return [{**doc, **text} for doc, text in zip(docs, texts, strict=True)]


def rows_of(source: str, split: str = "test") -> list[Row]:
    """The rows of a file, or of a split on the Hub.

    Raises DataError for a missing file and for rows that cannot be read.
    """
    path = here(source)
    if path.is_file():
        return list(read_rows(path))
    if path.suffix or source.count("/") != 1:
        raise DataError(f"{source}: no such file; name a {', '.join(FORMATS)} file, or OWNER/NAME on the Hub")
    return load_from_hub(HubDataset(path.name, source), (split,))


def _to_doc(row: Row, problem_field: str, gold_field: str, where: str) -> Row:
    named = ((problem_field,), (gold_field,))
    problem, gold = (field(row, names, where, _ADVICE) for names in named)
    if not isinstance(problem, str) or not problem.strip():
        raise DataError(f"{place_of(row, where)}: {problem_field} must be text, got {problem!r}")
    try:
        answers = list(acceptable(gold))
    except GoldError as error:
        raise DataError(f"{place_of(row, where)}: column {gold_field}: {error}") from None
    return {**row, "problem": problem, "gold": answers}
