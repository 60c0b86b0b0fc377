"""Where a logged sample has its gold, and how its task's responses state an answer.

This package's tasks say so themselves: `doc.gold`, and `extract` in the filter's configuration. lm-eval's are
known by name; any other has its gold in the logged target.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lm_eval_ext.analysis.lm_eval_files import LoggedRow, RunError
from lm_eval_ext.analysis.runs import problem_in
from lm_eval_ext.grading import EXTRACTORS, extract
from lm_eval_ext.grading.golds import is_gold, plain

FILTER = "grade_math"
"""Name of this package's filter, and of the rows that grading adds to a task of lm-eval's."""
_WORKED = re.compile(r"\\boxed|\\fbox|^####[ \t]", re.MULTILINE)


@dataclass(frozen=True)
class TaskAdapter:
    """How the samples of some of lm-eval's tasks are read."""

    tasks: str  # pattern of the beginning of their names
    gold: Callable[[LoggedRow], Any]
    extract: str = "statement"


def _from_target(row: LoggedRow) -> Any:
    """The target, or the answer in a target that is a worked solution."""
    target = row["target"]
    return extract(target) if isinstance(target, str) and _WORKED.search(target) else target


def _from_gsm8k(row: LoggedRow) -> Any:
    """The target of gsm8k is the whole solution: the text after the last `####`, 1,200 without its comma."""
    return str(row["target"]).rpartition("####")[2].strip().replace(",", "")


def _from_solution(row: LoggedRow) -> Any:
    """The answer of a MATH solution: the target has lost its spaces, units and all boxes but the last."""
    from lm_eval_ext.harness.docs.math import gold_of  # loads lm-eval

    problem, solution = row["doc"].get("problem"), row["doc"].get("solution")
    return gold_of(problem, solution) if problem and solution else _from_target(row)


ADAPTERS = (
    TaskAdapter(r"gsm8k|gsm_plus|mgsm", _from_gsm8k),
    TaskAdapter(r"minerva_math|leaderboard_math", _from_solution),
    # its prompts show bare answers: "Problem: ...\nAnswer: $7$"
    TaskAdapter(r"hendrycks_math", _from_solution, extract="bare"),
    TaskAdapter("", _from_target),
)
"""The first that matches is used."""


def adapter(task: str) -> TaskAdapter:
    """The adapter of a task of lm-eval's."""
    return next(known for known in ADAPTERS if re.match(known.tasks, task))


def extractors(task: str, config: Mapping[str, Any], override: str | None = None) -> dict[str, str]:
    """The filters to grade, each with the name of its extractor: the task's own, else FILTER.

    Raises RunError on an unknown extractor.
    """
    found = {
        entry["name"]: step.get("extract", "statement")
        for entry in config.get("filter_list") or []
        for step in entry.get("filter") or []
        if step.get("function") == FILTER
    } or {FILTER: adapter(task).extract}
    found = {name: override or extractor for name, extractor in found.items()}
    for extractor in found.values():
        if extractor not in EXTRACTORS:
            raise RunError(f"{task}: extract is {extractor!r}; it must be one of {', '.join(EXTRACTORS)}")
    return found


def graded_doc(task: str, row: LoggedRow, own: bool, gold_field: str | None = None) -> dict[str, Any]:
    """The document with `gold` and `problem`, as grading needs it.

    Args:
        own: whether the task has this package's filter, so that the document itself has the gold.
        gold_field: field of the document with the gold; None: the adapter finds it.

    Raises RunError if there is no gold, with the document's number.
    """
    doc = row["doc"]
    if gold_field is not None and gold_field not in doc:
        raise RunError(
            f"{task}, doc {row['doc_id']}: no field {gold_field!r} in the document, only "
            f"{', '.join(doc)}; --gold-field names the field with the gold"
        )
    in_doc = gold_field or ("gold" if own and "gold" in doc else None)
    found = doc[in_doc] if in_doc else adapter(task).gold(row)
    if not is_gold(found, blank=False):
        raise RunError(
            f"{task}, doc {row['doc_id']}: no gold in its target {str(row['target'])[:80]!r}; "
            f"--gold-field names a field of the document, which has {', '.join(doc)}"
        )
    return {**doc, "gold": plain(found), "problem": problem_in(doc)}
