"""Where a logged sample has its gold and its problem, and how its task's responses state an answer.

This package's own tasks say so themselves: `doc.gold`, `doc.problem`, and `extract` in the filter's
configuration. lm-eval's tasks are known by name; any other has its gold in the logged target.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lm_eval_ext.analysis.samples import RunError
from lm_eval_ext.grading import EXTRACTORS, extract
from lm_eval_ext.grading.golds import is_gold, plain
from lm_eval_ext.harness.docs.math import gold_of

FILTER = "grade_math"
"""Name of this package's filter, and of the rows that grading adds to a task of lm-eval's."""
_PROBLEMS = ("problem", "question", "problem_markdown")
_WORKED = re.compile(r"\\boxed|\\fbox|^####[ \t]", re.MULTILINE)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Adapter:
    """How the samples of some of lm-eval's tasks are read.

    Attributes:
        tasks: pattern of their names.
        gold: from a logged row to its gold; None where the row has not got it.
        extract: name of the extractor for the responses.
    """

    tasks: str
    gold: Callable[[Row], Any]
    extract: str = "statement"

    def __post_init__(self) -> None:
        assert self.extract in EXTRACTORS, f"extract is {self.extract!r}; it must be one of {[*EXTRACTORS]}"


def _from_target(row: Row) -> Any:
    """The target, or the answer in it where it is a worked solution."""
    target = row["target"]
    return extract(target) if isinstance(target, str) and _WORKED.search(target) else target


def _from_gsm8k(row: Row) -> Any:
    """What follows the last `####`, without the commas of 1,200: `target` of gsm8k is the whole solution."""
    return str(row["target"]).rpartition("####")[2].strip().replace(",", "")


def _from_solution(row: Row) -> Any:
    """The answer of a MATH solution: the target has lost its spaces, units and all boxes but the last."""
    problem, solution = row["doc"].get("problem"), row["doc"].get("solution")
    return gold_of(problem, solution) if problem and solution else _from_target(row)


ADAPTERS = (
    Adapter(r"gsm8k|gsm_plus|mgsm", _from_gsm8k),
    Adapter(r"minerva_math|leaderboard_math", _from_solution),
    # its prompts show bare answers: "Problem: ...\nAnswer: $7$"
    Adapter(r"hendrycks_math", _from_solution, extract="bare"),
)
"""The first whose pattern begins the task's name counts."""
_ANY = Adapter("", _from_target)


def adapter(task: str) -> Adapter:
    """The adapter of a task of lm-eval's."""
    return next((known for known in ADAPTERS if re.match(known.tasks, task)), _ANY)


def extractors(task: str, config: Row, override: str | None = None) -> dict[str, str]:
    """The filters to grade (again), each with the name of its extractor.

    Those of this package that the task has; a task without any gets FILTER. Raises RunError on an unknown
    extractor.
    """
    found: dict[str, str] = {}
    for entry in config.get("filter_list") or []:
        for step in entry.get("filter") or []:
            if step.get("function") == FILTER:
                found[entry["name"]] = step.get("extract", "statement")
    found = found or {FILTER: adapter(task).extract}
    found = {name: override or extractor for name, extractor in found.items()}
    for extractor in found.values():
        if extractor not in EXTRACTORS:
            raise RunError(f"{task}: extract is {extractor!r}; it must be one of {', '.join(EXTRACTORS)}")
    return found


def graded_doc(task: str, row: Row, own: bool, gold_field: str | None = None) -> dict[str, Any]:
    """The document with `gold` and `problem`, as grading wants it.

    Args:
        task: its name.
        row: as logged.
        own: whether the task had this package's filter, so that the document itself has the gold.
        gold_field: field of the document that has the gold; None: the adapter knows.

    Raises RunError where there is no gold, with the document's number.
    """
    doc = row["doc"]
    if gold_field is not None:
        if gold_field not in doc:
            raise RunError(
                f"{task}, doc {row['doc_id']}: no field {gold_field!r} in the document, only "
                f"{', '.join(doc)}; --gold-field names the field with the gold"
            )
        found = doc[gold_field]
    else:
        found = doc["gold"] if own and "gold" in doc else adapter(task).gold(row)
    if not is_gold(found, blank=False):
        raise RunError(
            f"{task}, doc {row['doc_id']}: no gold in its target {str(row['target'])[:80]!r}; "
            f"--gold-field names a field of the document, which has {', '.join(doc)}"
        )
    problem = next((doc[name] for name in _PROBLEMS if isinstance(doc.get(name), str)), None)
    return {**doc, "gold": plain(found), "problem": problem}
