r"""MATH (EleutherAI/hendrycks_math, MIT) and its 500-problem subset MATH-500 (prm800k's split).

A row of MATH::

    {"problem": "How many vertical asymptotes does the graph of $y=\frac{2}{x^2+x-6}$ have?",
     "level": "Level 3", "type": "Algebra", "solution": "The denominator ... $\boxed{2}$."}

A row of MATH-500 adds `answer`, `subject`, `unique_id`, and its level is a number.
"""

from __future__ import annotations

import re
from typing import Any

from datasets import Dataset, DatasetDict

from lm_eval_ext.grading.extraction import EXTRACTORS, boxes
from lm_eval_ext.harness.docs.mathnet import text_hash
from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.sources import HubDataset, Row, field, is_sample, is_there, load, place_of

SUBJECTS = (
    *("algebra", "counting_and_probability", "geometry", "intermediate_algebra"),
    *("number_theory", "prealgebra", "precalculus"),
)
MATH500 = HubDataset("math500", "HuggingFaceH4/MATH-500")

QWEN_EXEMPLARS = ("e07c82cc8fe4", "c27cb2481ec5", "3ca4d9600326", "60b79a989e7b")
"""SHA-256 (of the problem text with collapsed white space) of the four MATH train rows in Qwen's report."""

_SEVERAL_ASKED = re.compile(
    r"separated by comma|(?:enter|find|list|give|state) all|all (?:the |possible |real |complex )*"
    r"(?:solutions|values|roots)",
    re.IGNORECASE,
)
_ALSO_ACCEPTED = re.compile(r"\balso (?:an )?accept", re.IGNORECASE)


def hub(subject: str) -> HubDataset:
    """The data set of one subject. Raises DataError for an unknown one."""
    if subject not in SUBJECTS:
        raise DataError(f"subject is {subject!r}; MATH has {', '.join(SUBJECTS)}")
    return HubDataset(f"hendrycks_math/{subject}", "EleutherAI/hendrycks_math", subject)


def subject_dataset(subject: str, data: str | None = None, **_: Any) -> DatasetDict:
    """`test` of one subject and the four exemplars as `fewshot`: a task of the group `math_qwen`."""
    return DatasetDict(
        test=Dataset.from_list(test_docs((subject,), data)),
        fewshot=Dataset.from_list(qwen_exemplars(data)),
    )


def full_dataset(data: str | None = None, level: int | None = None, **_: Any) -> DatasetDict:
    """`test` of all subjects, or of one level of all subjects (with the exemplars as `fewshot`)."""
    docs = test_docs(SUBJECTS, data)
    if level is None:
        return DatasetDict(test=Dataset.from_list(docs))
    return DatasetDict(
        test=Dataset.from_list([doc for doc in docs if doc["level"] == level]),
        fewshot=Dataset.from_list(qwen_exemplars(data)),
    )


def math500_dataset(data: str | None = None, **_: Any) -> DatasetDict:
    """MATH-500; its gold is the `answer` column."""
    rows = load(MATH500, ("test",), data)
    docs = [
        {**to_doc(row, field(row, ("subject",), "math500")), "gold": str(field(row, ("answer",), "math500"))}
        for row in rows
    ]
    return DatasetDict(test=Dataset.from_list(docs))


def test_docs(subjects: tuple[str, ...], data: str | None = None) -> list[Row]:
    """Test problems of the subjects, in order."""
    return [to_doc(row, subject) for subject in subjects for row in load(hub(subject), ("test",), data)]


def train_docs(subjects: tuple[str, ...] = SUBJECTS, data: str | None = None) -> list[Row]:
    """Train problems; subjects without a train file in a data folder are left out."""
    docs: list[Row] = []
    for subject in subjects:
        if is_there(hub(subject), "train", data):
            docs += [to_doc(row, subject) for row in load(hub(subject), ("train",), data)]
    return docs


def to_doc(row: Row, subject: str) -> Row:
    """The document of a row."""
    problem = field(row, ("problem",), f"MATH {subject}")
    solution = field(row, ("solution",), f"MATH {subject}")
    level = re.search(r"\d", str(row.get("level", "")))
    return {
        "id": row.get("unique_id") or text_hash(problem)[:12],
        "problem": problem,
        "solution": solution,
        "gold": gold_of(problem, solution, place_of(row, f"MATH {subject}")),
        "level": int(level.group()) if level else None,
        "subject": subject,
        "problem_sha256": text_hash(problem),
    }


def gold_of(problem: str, solution: str, where: str = "MATH") -> str:
    r"""The answer of a worked solution.

    The only box; of several boxes, all if the problem asks for several values, else the last that is not
    introduced as "also acceptable". If the problem itself uses `\boxed` as notation, the announced answer.

    Raises DataError if the solution has no boxed answer.
    """
    if r"\boxed" in problem and (announced := EXTRACTORS["announced"](solution)):
        return announced
    found = [box for box in boxes(solution) if not _offered_as_alternative(solution, box.start, box.end)]
    texts = list(dict.fromkeys(box.text.strip() for box in found))
    if not texts:
        raise DataError(f"{where}: a MATH solution without a boxed answer: {solution[:120]!r}")
    return ", ".join(texts) if _SEVERAL_ASKED.search(problem) else texts[-1]


def _offered_as_alternative(solution: str, start: int, end: int) -> bool:
    before, after = solution.rfind(".", 0, start) + 1, solution.find(".", end)
    return bool(_ALSO_ACCEPTED.search(solution[before : after if after > 0 else len(solution)]))


def qwen_exemplars(data: str | None = None) -> list[Row]:
    """The four worked examples of `math_qwen`, in Qwen's order; the sample has its own four.

    Raises DataError if one of them is not in the train split.
    """
    train = train_docs(data=data)
    if is_sample(data):
        return [_exemplar(doc) for doc in train]
    by_hash = {doc["problem_sha256"][:12]: doc for doc in train}
    missing = [h for h in QWEN_EXEMPLARS if h not in by_hash]
    if missing:
        raise DataError(
            f"math_qwen needs four exemplars from the MATH train split, but none of the {len(train)} rows "
            f"has a problem text with SHA-256 {', '.join(missing)}...; add the full train split of "
            "EleutherAI/hendrycks_math as hendrycks_math/<subject>/train.jsonl"
        )
    return [_exemplar(by_hash[h]) for h in QWEN_EXEMPLARS]


def _exemplar(doc: Row) -> Row:
    """Adds the target that a model sees: reasoning, box, and the answer in words."""
    cot = f"Let's think step by step\n{doc['solution']}\nThe answer is {doc['gold']}"
    return {**doc, "cot": cot}
