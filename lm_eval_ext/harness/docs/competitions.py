r"""Competition mathematics: contests, OlympiadBench, Minerva's OCW courses and Omni-MATH.

Rows as the data sets have them (texts shortened)::

    MathArena      {"problem_idx": 1, "problem": "Find ...", "answer": 70, "problem_type": ["Number Theory"]}
    AMC            {"id": 0, "problem": "Cities ...", "answer": 27.0, "url": "https://..."}
    OlympiadBench  {"id": 1606, "subfield": "Combinatorics", "context": null, "question": "Xenia ...",
                    "final_answer": ["2"], "is_multiple_answer": false, "unit": null,
                    "answer_type": "Numerical", "error": null}
    OCW courses    {"problem": "Each ...", "solution": "... $\boxed{1.6} \mathrm{~cm}$", "type": "..."}
    Omni-MATH      {"domain": ["Mathematics -> Algebra -> ..."], "difficulty": 8.0, "problem": "Let ...",
                    "solution": "...", "answer": "2", "source": "usamo"}
"""

from __future__ import annotations

from typing import Any

from datasets import Dataset, DatasetDict

from lm_eval_ext.grading.golds import GoldError, shown
from lm_eval_ext.harness.docs import math, mathnet
from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.sources import HubDataset, Row, field, load, place_of

SPLITS = ("test", "train")
"""Each data set has one of them."""
MATHARENA = (
    *("aime_2025", "aime_2026", "hmmt_feb_2025", "hmmt_nov_2025", "hmmt_feb_2026"),
    *("brumo_2025", "smt_2025", "cmimc_2025"),
)
BENCHMARKS = {
    "aime_2024": HubDataset("aime24", "HuggingFaceH4/aime_2024"),
    **{name: HubDataset(name.replace("aime_20", "aime"), f"MathArena/{name}") for name in MATHARENA},
    "amc_2023": HubDataset("amc23", "math-ai/amc23"),
    "beyondaime": HubDataset("beyondaime", "ByteDance-Seed/BeyondAIME"),
    "olympiadbench": HubDataset("olympiadbench", "Hothan/OlympiadBench", "OE_TO_maths_en_COMP"),
    "minerva_ocw": HubDataset("minerva_math", "math-ai/minervamath"),
    "omni_math": HubDataset("omni_math", "KbsdJames/Omni-MATH"),
}
"""Task -> data set."""
_KEPT = {
    **{"subfield": "subject", "type": "subject", "problem_type": "subject", "source": "competition"},
    **{name: name for name in ("unit", "error", "answer_type", "difficulty")},
}
"""Column -> field of the document."""


def dataset(
    benchmark: str,
    level: int | str | None = None,
    data: str | None = None,
    tolerance: dict[str, float] | None = None,
    **_: Any,
) -> DatasetDict:
    """`test` and, for few-shot prompts, MathNet's exemplars; all problems, or those of one `level`.

    `tolerance` says how far numbers may be from their golds, for all problems.

    Raises DataError for rows that lack a column, and for a level without problems.
    """
    docs = [to_doc(row, benchmark) for row in load(BENCHMARKS[benchmark], SPLITS, data)]
    if tolerance is not None:
        docs = [{**doc, "tolerance": tolerance} for doc in docs]
    if level is not None:
        levels = sorted({doc["level"] for doc in docs if "level" in doc})
        docs = [doc for doc in docs if doc.get("level") == int(level)]
        if not docs:
            raise DataError(f"{benchmark} has no problems of level {level}; its levels are {levels}")
    return DatasetDict(test=Dataset.from_list(docs), fewshot=Dataset.from_list(mathnet.exemplars()))


def to_doc(row: Row, benchmark: str) -> Row:
    """The document of a row; `level` is the whole part of a difficulty, `topic` the second part of a domain.

    Raises DataError if a column is missing under every name it has, or the answer is null.
    """
    problem = field(row, ("problem", "question"), benchmark)
    kept = {name: row[column] for column, name in _KEPT.items() if column in row}
    if (difficulty := kept.get("difficulty")) is not None:
        kept["level"] = int(difficulty)
    if domain := row.get("domain"):
        kept["topic"] = sorted({path.split(" -> ")[:2][-1] for path in domain})
    digest = mathnet.text_hash(problem)
    if "error" in kept:
        kept["tolerance"] = tolerance_of(kept["error"])
    return {
        "id": str(next((row[name] for name in ("id", "problem_idx", "idx") if name in row), digest[:12])),
        "problem": f"{row['context']}\n{problem}" if row.get("context") else problem,
        "gold": gold_of(row, problem, benchmark),
        "problem_sha256": digest,
        **kept,
    }


def tolerance_of(error: Any) -> dict[str, float] | None:
    """The bound that a row states, "1e-1", for the grader; of several the smallest. Raises DataError."""
    try:
        return None if error in (None, "") else {"absolute": min(map(float, str(error).split(",")))}
    except ValueError:
        raise DataError(f"error is {error!r}; it must be a number, or several with commas") from None


def gold_of(row: Row, problem: str, benchmark: str) -> str:
    """The answer as text: 27.0 as "27", a list joined by commas (all are asked for), the box of a solution.

    Raises DataError for null, NaN, an empty list, or a solution without a box.
    """
    answer = field(row, ("answer", "final_answer", "solution"), benchmark)
    where = place_of(row, benchmark)
    if "answer" not in row and "final_answer" not in row:
        return math.gold_of(problem, answer, where)
    try:
        listed = answer if isinstance(answer, list) and answer else [answer]
        return ", ".join(one if isinstance(one, str) else shown(one) for one in listed)
    except GoldError as error:
        raise DataError(f"{where}: {error}") from error
