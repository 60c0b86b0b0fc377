"""Shapes of training rows: what TRL is given, and so which tokens the loss is on.

    masked    {"prompt", "completion"}: the loss is on the completion alone
    full      {"text"}: the loss is on the prompt, too
    prompts   {"prompt", "task", "verifier", "gold", "problem", "document"}: for reinforcement learning

The prompt is the task's own rendering, a chat if the recipe says so; every row has its document's `id`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from lm_eval_ext.grading.golds import acceptable, plain
from lm_eval_ext.harness.errors import DataError

from ..prompts import TaskPrompts
from .documents import Doc

Row = dict[str, Any]
UNREAD = ("id", "gold", "problem", "solution", "response")
"""Fields of a document that are columns of their own, or that no verifier reads."""
BOXED = "\n\nTherefore, the final answer is $\\boxed{%s}$"


def supervised(
    docs: Iterable[Doc], prompts: TaskPrompts, *, full: bool = False, verbatim: bool = False
) -> list[Row]:
    """Rows for SFT. Raises DataError on a document without a solution.

    Args:
        docs: documents with a `solution`, or a `response` of the model's own, which takes precedence.
        prompts: of the task.
        full: the loss is on the prompt, too.
        verbatim: solutions word for word, not as the task's exemplars show them.
    """
    rows = []
    for doc in docs:
        row = {"prompt": prompts.prompt(doc), "completion": _completion(doc, prompts, verbatim)}
        rows.append({"id": doc["id"], **({"text": text(row)} if full else row)})
    return rows


def _completion(doc: Doc, prompts: TaskPrompts, verbatim: bool) -> str:
    """The model's own response if the document has one (`response`), else the worked solution."""
    from jinja2 import UndefinedError

    if "response" in doc:
        return str(doc["response"])
    if not worked(doc):
        raise DataError(f"document {doc['id']} has neither a solution nor a response; it has {sorted(doc)}")
    if verbatim:
        return prompts.completion(worked(doc))
    try:
        return prompts.target(doc)
    except UndefinedError as error:
        raise DataError(
            f"document {doc['id']}: the exemplars of {prompts.name} show a field that it lacks ({error}); "
            f"it has {sorted(doc)}. Use target: solution"
        ) from error


def worked(doc: Doc) -> str:
    """The text to learn from a document: its response, else its solution; "" if it has neither."""
    return str(doc.get("response") or doc.get("solution") or "").strip()


def text(row: Row) -> str:
    """The whole text of a row for SFT."""
    return str(row["text"]) if "text" in row else f"{row['prompt']}{row['completion']}"


def unsupervised(
    docs: Iterable[Doc], prompts: TaskPrompts, verifier: str, shots: Iterable[int] | None = None
) -> list[Row]:
    """Rows for GRPO: prompts, and what the reward needs.

    Args:
        docs: documents.
        prompts: of the task.
        verifier: name of the one that grades them; `math` needs gold and problem alone.
        shots: the number of exemplars in each prompt; None: the task's.
    """
    rows, numbers = [], iter(shots or ())
    for doc in docs:
        number = next(numbers, None)
        row = {"id": doc["id"], "prompt": prompts.prompt(doc, number), "task": prompts.name}
        row |= {"verifier": verifier, "gold": _gold(doc), "problem": doc["problem"]}
        if verifier != "math":
            rest = {name: value for name, value in doc.items() if name not in UNREAD}
            row["document"] = json.dumps(rest, ensure_ascii=False)
        rows.append(row if shots is None else {**row, "num_fewshot": number})
    return rows


def of_one_type(rows: Iterable[Row]) -> list[Row]:
    """The same rows as a data set needs them: with the same keys, golds all text or all lists."""
    rows = list(rows)
    keys = dict.fromkeys(key for row in rows for key in row)
    if any(isinstance(row.get("gold"), list) for row in rows):
        rows = [{**row, "gold": _listed(row["gold"])} for row in rows]
    return [{key: row.get(key) for key in keys} for row in rows]


def _gold(doc: Doc) -> str | list[Any] | None:
    return None if doc.get("gold") is None else plain(doc["gold"])


def _listed(gold: Any) -> list[str] | None:
    return None if gold is None else [str(one) for one in acceptable(gold)]


def boxed(docs: Iterable[Doc]) -> list[Doc]:
    """Documents whose solutions end in a sentence with the boxed gold; responses stay as they are."""
    return [
        doc
        if "response" in doc
        else {**doc, "solution": worked(doc) + BOXED.replace("%s", acceptable(doc["gold"])[0])}
        for doc in docs
    ]


def joined(ids: Sequence[str], docs: Iterable[Doc], *, allow_missing: bool = False) -> list[Doc]:
    """The documents with these ids, in the order of the ids: a curriculum.

    Raises DataError if an id has no document, unless that is allowed, or two documents share an id.
    """
    by_id: dict[str, Doc] = {}
    for doc in docs:
        if doc["id"] in by_id:
            raise DataError(f"two documents have the id {doc['id']!r}")
        by_id[doc["id"]] = doc
    missing = [name for name in ids if name not in by_id]
    if missing and not allow_missing:
        raise DataError(
            f"{len(missing)} of {len(ids)} ids have no document, {missing[0]!r} for one (a document's id is "
            f"{next(iter(by_id), None)!r}); spaces, underscores and case count"
        )
    return [by_id[name] for name in ids if name in by_id]
