"""Rejection-sampled self-distillation: a model's own right responses as its training data.

STaR (Zelikman et al. 2022, arXiv 2203.14465), without hints; RFT (Yuan et al. 2023, arXiv 2308.01825). A
response is kept if the evaluation's grader accepts it, and only whole: one that reached the token limit is
dropped, since a truncated response teaches the model never to end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from .documents import Doc
from .sampling import Row

Prefer = Literal["first", "shortest"]
COUNTS = tuple("problems generated capped undecided wrong accepted duplicates surplus kept solved".split())
"""Problems and responses; the responses that were capped, undecided or wrong; those accepted, without
duplicates (of the same problem) and without the surplus over the number wanted; problems with any."""


def distilled(
    docs: Sequence[Doc], rows: Sequence[Row], most: int = 1, prefer: Prefer = "first"
) -> tuple[list[Doc], dict[str, int]]:
    """Documents with a `response`, and COUNTS.

    Args:
        docs: the problems.
        rows: responses to each, of `sample`.
        most: documents per problem.
        prefer: which responses to keep: those drawn first, or the shortest in tokens.

    The id of a document is its problem's and the number of the response: "train-0007/3".
    """
    counts = Counter(problems=len(docs))
    kept = []
    for doc, row in zip(docs, rows, strict=True):
        distinct = _distinct(row["responses"], counts)
        if prefer == "shortest":
            distinct.sort(key=lambda numbered: numbered[1]["tokens"])
        counts["surplus"] += len(distinct[most:])
        counts["solved"] += bool(distinct)
        kept += [_document(doc, number, response) for number, response in distinct[:most]]
    counts["kept"] = len(kept)
    return kept, {name: counts[name] for name in COUNTS}


def _distinct(responses: Sequence[Row], counts: Counter[str]) -> list[tuple[int, Row]]:
    """The accepted responses with their numbers; texts that differ only in white space count once."""
    distinct: dict[str, tuple[int, Row]] = {}
    for number, response in enumerate(responses):
        outcome = _outcome(response)
        counts.update(("generated", outcome))
        if outcome == "accepted":
            key = " ".join(response["text"].split())
            counts["duplicates"] += key in distinct
            distinct.setdefault(key, (number, response))
    return list(distinct.values())


def _outcome(response: Row) -> str:
    if response["capped"]:
        return "capped"
    return {None: "undecided", False: "wrong", True: "accepted"}[response["correct"]]


def _document(doc: Doc, number: int, response: Row) -> dict[str, Any]:
    return {
        **doc,
        "id": f"{doc['id']}/{number}",
        "problem_id": doc["id"],
        "response": response["text"],
        "response_tokens": response["tokens"],
    }
