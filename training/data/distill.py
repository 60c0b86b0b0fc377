"""Rejection-sampled self-distillation: a model's own right responses as its training data.

STaR (Zelikman et al. 2022, arXiv 2203.14465), without hints; RFT (Yuan et al. 2023, arXiv 2308.01825). A
response is kept if the evaluation's grader accepts it. It is kept whole or not at all: one that ran into the
token limit is dropped, whatever it says, since what is cut teaches never to end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .documents import Doc
from .sampled import Row

Prefer = Literal["first", "shortest"]


@dataclass
class Counts:
    """What became of the responses, in the order of the reasons; `kept` are what is left.

    Attributes:
        problems, generated: how many there were.
        capped: ran into the token limit.
        undecided: the grader could not decide.
        wrong: another answer, or none.
        accepted: right, and whole.
        duplicates: of another accepted response to the problem.
        surplus: over the number wanted of a problem.
        kept: responses that are left; solved: problems that they are of.
    """

    problems: int = 0
    generated: int = 0
    capped: int = 0
    undecided: int = 0
    wrong: int = 0
    accepted: int = 0
    duplicates: int = 0
    surplus: int = 0
    kept: int = 0
    solved: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{name} {number}" for name, number in asdict(self).items())


def distilled(
    docs: Sequence[Doc], rows: Sequence[Row], most: int = 1, prefer: Prefer = "first"
) -> tuple[list[Doc], Counts]:
    """Documents with a `response`, and what became of all responses.

    Args:
        docs: the problems.
        rows: responses to each, of `sampled`.
        most: documents of one problem.
        prefer: which of more: those drawn first, or the shortest in tokens.

    The id of a document is its problem's and the number of the response: "train-0007/3".
    """
    counts = Counts(problems=len(docs))
    found = []
    for doc, row in zip(docs, rows, strict=True):
        distinct = _distinct(row["responses"], counts)
        if prefer == "shortest":
            distinct.sort(key=lambda numbered: numbered[1]["tokens"])
        counts.surplus += len(distinct[most:])
        counts.solved += bool(distinct)
        found += [_document(doc, number, response) for number, response in distinct[:most]]
    counts.kept = len(found)
    return found, counts


def _distinct(responses: Sequence[Row], counts: Counts) -> list[tuple[int, Row]]:
    """The accepted responses, each text once whatever its white space, with their numbers."""
    distinct: dict[str, tuple[int, Row]] = {}
    for number, response in enumerate(responses):
        fate = _fate(response)
        counts.generated += 1
        setattr(counts, fate, getattr(counts, fate) + 1)
        if fate == "accepted":
            key = " ".join(response["text"].split())
            counts.duplicates += key in distinct
            distinct.setdefault(key, (number, response))
    return list(distinct.values())


def _fate(response: Row) -> str:
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
