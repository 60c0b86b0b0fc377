r"""Problems with worked solutions, from the train splits of the data sets that the tasks evaluate on.

A document of any source::

    {"id": "train-0007", "problem": "There are 3 bags ...", "solution": "3 * 8 = 24. The answer is 24.",
     "gold": "24"}

and whatever else its task's few-shot template shows (`cot`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from lm_eval_ext.grading.golds import KINDS, is_gold
from lm_eval_ext.harness.docs import arith_words, gsm8k, math, mathnet, mbpp
from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.sources import load, read_rows

from . import instructions, published

Doc = dict[str, Any]


def documents(source: str, data: str | None = None, size: int | None = None) -> list[Doc]:
    """The documents of a source, in its order.

    Args:
        source: one of SOURCES, or a .jsonl or .parquet file with `problem`, `gold` and `solution` (or a
            `response` of the model's own), or in the columns of GSM8K or APPS.
        data: where data sets come from, see `lm_eval_ext.harness.sources`.
        size: number of documents, from the start; None: all (the usual number of generated ones).

    Raises DataError if there is no such source, or a file lacks these fields.
    """
    if source in SOURCES:
        found = SOURCES[source](data, size)
    elif source.endswith((".jsonl", ".parquet")):
        found = _of_file(Path(source), data)
    else:
        raise DataError(
            f"no source {source!r}: it is one of {', '.join(SOURCES)}, or a .jsonl or .parquet file"
        )
    if size is not None and len(found) < size:
        raise DataError(f"{source} has {len(found)} documents, and size is {size}")
    return found[:size]


def _of_file(file: Path, data: str | None) -> list[Doc]:
    if not file.is_file():
        raise DataError(f"no such file: {file}")
    rows = list(read_rows(file))
    if rows and {"question", "answer"} <= set(rows[0]):
        everything = _gsm8k_docs(load(gsm8k.HUB, ("train",), data), "gsm8k-train")
        pool = [everything[i] for i in gsm8k.pool(len(everything))]
        return without(_gsm8k_docs(rows, file.stem), pool)
    if rows and {"question", "input_output"} <= set(rows[0]):
        return published.documents(published.apps, rows)
    for number, row in enumerate(rows, 1):
        if missing := {"problem", "gold"} - set(row):
            raise DataError(
                f"{file}, row {number}: no {' and no '.join(sorted(missing))}; it has {sorted(row)}"
            )
        if not is_gold(row["gold"], blank=False):
            raise DataError(f"{file}, row {number}: gold is {row['gold']!r}; it must be {KINDS}")
    return [{"id": str(number), **row} for number, row in enumerate(rows)]


def _numbered(prefix: str, docs: Iterable[Doc]) -> list[Doc]:
    return [{"id": f"{prefix}-{i}", **doc} for i, doc in enumerate(docs)]


def _rlvr(kind: str, data: str | None) -> list[Doc]:
    rows = [row for row in load(published.RLVR, ("train",), data) if kind in str(row.get("dataset")).lower()]
    return _numbered(f"rlvr-{kind}", published.documents(published.rlvr, rows))


def _gsm8k(data: str | None) -> list[Doc]:
    docs = _gsm8k_docs(load(gsm8k.HUB, ("train",), data), "gsm8k-train")
    pool = set(gsm8k.pool(len(docs)))
    return [doc for i, doc in enumerate(docs) if i not in pool]


def _gsm8k_docs(rows: Iterable[Doc], prefix: str) -> list[Doc]:
    return _numbered(prefix, ({"solution": doc["cot"], **doc} for doc in map(gsm8k.to_doc, rows)))


def _gsm8k_easy(data: str | None) -> list[Doc]:
    """The easiest half of GSM8K; the solutions are equations, one a line, and the answer."""
    train = load(gsm8k.HUB, ("train",), data)
    written = {f"gsm8k-train-{i}": "\n".join(gsm8k.equations(train[i])) for i in gsm8k.easiest(train)}
    return [
        {**doc, "solution": f"{written[doc['id']]}\nThe answer is {doc['gold']}."}
        for doc in _gsm8k(data)
        if doc["id"] in written
    ]


SOURCES: dict[str, Callable[[str | None, int | None], list[Doc]]] = {
    "arith_words": lambda _, size: arith_words.generate("train", size),
    "gsm8k": lambda data, _: _gsm8k(data),
    "gsm8k_easy": lambda data, _: _gsm8k_easy(data),
    "math": lambda data, _: math.train_docs(data=data),
    "instructions": lambda _, size: instructions.generate(size),
    "mathnet": lambda data, _: mathnet.splits(data, solutions=True)[1],
    "mathnet_multilingual": lambda data, _: mathnet.splits(data, language=None, solutions=True)[1],
    "mbpp": lambda data, _: [mbpp.to_doc(row) for row in mbpp.rows(data, "train")],
    "rlvr_gsm8k": lambda data, _: _rlvr("gsm8k", data),
    "rlvr_ifeval": lambda data, _: _rlvr("ifeval", data),
    "rlvr_math": lambda data, _: _rlvr("math", data),
}


EVALUATIONS: dict[str, Callable[[str | None], Iterable[Doc]]] = {
    "arith_words": lambda _: arith_words.dataset()["test"],
    "gsm8k": lambda data: gsm8k.dataset(data)["test"],
    "math": lambda data: math.test_docs(math.SUBJECTS, data),
    "mathnet": lambda data: mathnet.splits(data)[0],
    "mathnet_multilingual": lambda data: mathnet.splits(data)[0],
    "mbpp": lambda data: mbpp.dataset(data)["test"],
}
"""What the task that belongs to a source evaluates on."""


def without(docs: Iterable[Doc], reserved: Sequence[Doc]) -> list[Doc]:
    """The documents whose problem is not reserved (an exemplar, an evaluation problem)."""
    hashes = {mathnet.text_hash(doc["problem"]) for doc in reserved}
    return [doc for doc in docs if mathnet.text_hash(doc["problem"]) not in hashes]
