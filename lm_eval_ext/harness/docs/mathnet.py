r"""MathNet: olympiad problems from 47 countries (ShadenA/MathNet, CC BY 4.0).

A row of the release with the published 500-problem split (other releases use other names)::

    {"id": "007c", "country": "Argentina", "competition": "Mathematical Olympiad Rioplatense",
     "language": "English", "problem_type": null, "problem_markdown": "One of the numbers ...",
     "final_answer": "9", "topics_flat": ["Discrete Mathematics > Combinatorics > ..."]}

`eval` is the published English, text-only evaluation split of 500 problems, recognised by id and by the
SHA-256 of the problem text; `train` is every other problem that passes the same filters.
"""

from __future__ import annotations

import hashlib
import json
import logging
import random
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from datasets import Dataset, DatasetDict

from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.sources import HubDataset, Row, field, is_sample, load, source

HUB = HubDataset("mathnet", "ShadenA/MathNet")
SPLITS = ("train", "eval", "test", "validation")
EVAL_SIZE = 500

log = logging.getLogger(f"lm_eval.{__name__}")  # below lm-eval's logger: its format, its verbosity


def dataset(data: str | None = None, size: int | str = EVAL_SIZE, **_: Any) -> DatasetDict:
    """`test` and, for few-shot prompts, `fewshot`; `size` other than 500 draws a stratified sample."""
    evaluation, _train = splits(data, int(size))
    return DatasetDict(test=Dataset.from_list(evaluation), fewshot=Dataset.from_list(exemplars()))


def splits(
    data: str | None = None,
    size: int = EVAL_SIZE,
    language: str | None = "English",
    solutions: bool = False,
) -> tuple[list[Row], list[Row]]:
    """(evaluation, train) problems as docs: 500 and 3,596 English ones on the full data set.

    `language` is that of the train split; None: every language (14,585 problems). Worked `solutions` are only
    for training: an evaluation would log them.
    """
    docs = [doc for row in load(HUB, SPLITS, data) if (doc := to_doc(row, solutions)) is not None]
    english = [doc for doc in docs if doc["language"] == "English"]
    pool = [doc for doc in docs if language in (None, doc["language"])]
    if is_sample(data) and size == EVAL_SIZE:
        evaluation = english
    elif size == EVAL_SIZE:
        evaluation = [doc for doc in english if is_published_eval(doc)]
        _check_found(len(evaluation), data)
    else:
        evaluation = stratified(english, size)
    chosen = {doc["problem_sha256"] for doc in evaluation}
    return evaluation, [doc for doc in pool if doc["problem_sha256"] not in chosen]


def _check_found(found: int, data: str | None) -> None:
    if found == 0:
        raise DataError(
            f"none of the {EVAL_SIZE} problems of the published evaluation split is in the data "
            f"({source(data) or 'the Hub'}); to evaluate on other problems give a size: "
            "--metadata '{\"size\": 100}'"
        )
    if found < EVAL_SIZE:
        log.warning("mathnet: %d of the %d published evaluation problems found", found, EVAL_SIZE)


def to_doc(row: Row, solutions: bool = False) -> Row | None:
    """The document of a row, with its worked `solution` on request; None with images or without an answer.

    Raises DataError if a column is missing under every name it has had.
    """
    answer = field(row, ("final_answer", "answers_markdown"), "mathnet")
    listed = answer if isinstance(answer, list) else [] if answer is None else [answer]
    gold = ", ".join(map(str, listed)).strip()
    problem = field(row, ("problem_markdown", "problem"), "mathnet")
    if not gold or row.get("images") or "![" in problem:
        return None
    topics = row.get("topics_flat") or []
    topics = [topics] if isinstance(topics, str) else list(topics)
    return {
        "id": str(field(row, ("id", "unique_id"), "mathnet")),
        "problem": problem,
        "gold": gold,
        "country": row.get("country") or "unknown",
        "competition": row.get("competition") or "unknown",
        "language": field(row, ("language",), "mathnet"),
        "topics": topics,
        "topic": topics[0].partition(" > ")[0] if topics else "unknown",
        "problem_sha256": text_hash(problem),
        **({"solution": _solution(row)} if solutions else {}),
    }


def _solution(row: Row) -> str:
    """The first worked solution: releases have a text, or a list of them."""
    found = row.get("solutions_markdown") or row.get("solution") or ""
    texts = [found] if isinstance(found, str) else found
    return next((text.strip() for text in texts if text and text.strip()), "")


def text_hash(text: str) -> str:
    """SHA-256 of the text with collapsed white space."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()


@cache
def _published() -> tuple[frozenset[str], frozenset[str]]:
    lines = (files("lm_eval_ext") / "data" / "mathnet_eval.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return frozenset(r["id"] for r in rows), frozenset(r["problem_sha256"] for r in rows)


def is_published_eval(doc: Row) -> bool:
    """Whether a doc belongs to the published split: by its text, else by its short id."""
    ids, hashes = _published()
    return doc["problem_sha256"] in hashes or doc["id"] in ids


def stratified(docs: Sequence[Row], size: int, seed: int = 0) -> list[Row]:
    """`size` docs, in proportion to competitions (largest remainders), in their original order.

    Raises DataError if there are fewer docs.
    """
    if not 0 < size <= len(docs):
        raise DataError(f"size is {size}; it must be between 1 and the {len(docs)} problems there are")
    strata: dict[str, list[int]] = defaultdict(list)
    for i, doc in enumerate(docs):
        strata[doc["competition"]].append(i)
    rng = random.Random(seed)
    quota = _largest_remainders({name: len(rows) for name, rows in strata.items()}, size)
    chosen = {i for name in sorted(strata) for i in rng.sample(strata[name], quota[name])}
    return [doc for i, doc in enumerate(docs) if i in chosen]


def _largest_remainders(counts: dict[str, int], total: int) -> dict[str, int]:
    """Seats by the method of Hamilton: floors first, then the largest fractions (ties by name)."""
    everyone = sum(counts.values())
    quota = {name: total * count // everyone for name, count in counts.items()}
    by_remainder = sorted(counts, key=lambda name: (-(total * counts[name] % everyone), name))
    for name in by_remainder[: total - sum(quota.values())]:
        quota[name] += 1
    return quota


@cache
def exemplars() -> list[Row]:
    """Our own worked examples for `--num_fewshot`, the same for every data source."""
    text = (files("lm_eval_ext") / "data" / "mathnet_exemplars.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]
