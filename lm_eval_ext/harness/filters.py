"""The filter `grade_math`: all responses of a task graded in one batch, before metrics are computed.

Registers it with lm-eval, and the metrics that need nothing but its verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import lm_eval.api.metrics  # noqa: F401  which registers the aggregation "mean"
from lm_eval.api.filter import Filter
from lm_eval.api.registry import register_filter, register_metric

from lm_eval_ext.grading import EXTRACTORS, Grader, GraderConfig, Item, Verdict
from lm_eval_ext.grading.extraction import formats
from lm_eval_ext.grading.normalization import normalize
from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.harness.judging import Settings, shared_judge
from lm_eval_ext.harness.metrics import SHARES, Graded, metric_list, process_results

FILTER = "grade_math"


@register_filter(FILTER)
class GradeMath(Filter):
    """Replaces each document's responses by the verdicts on them.

    Args:
        extract: how the answer is found: "statement" (default), "announced", "boxed", "strict", "flexible",
            "bare"; see `lm_eval_ext.grading.extraction`.
        timeout_s: seconds for one symbolic comparison.
        workers: symbolic worker processes; None: one per core.
        judge: an LLM to ask about answers not found equal: a name, or the fields of `JudgeConfig`.
        thinking: [opening, closing] marks of thinking, besides the formats that are known.

    Every document needs a `gold`; a UserError says so. Unknown arguments raise.
    """

    def __init__(
        self,
        extract: str = "statement",
        timeout_s: float = 5.0,
        workers: int | None = None,
        judge: Settings | None = None,
        thinking: Sequence[Sequence[str]] = (),
    ) -> None:
        super().__init__()
        if extract not in EXTRACTORS:
            raise ValueError(f"grade_math: extract is {extract!r}; it must be one of {sorted(EXTRACTORS)}")
        self.extract = extract
        self.config = GraderConfig(
            workers=workers,
            timeout_s=timeout_s,
            judge=None if judge is None else shared_judge(judge),
            thinking=formats(thinking),
        )

    def apply(self, resps: Sequence[Sequence[str]], docs: Sequence[dict[str, Any]]) -> list[Graded]:
        """One `Graded` per document, in order; lm-eval itself checks neither length nor order."""
        lacking = next((doc for doc in docs if "gold" not in doc), None)
        if lacking is not None:
            raise UserError(
                f"{FILTER}: a document has no field gold, only {', '.join(lacking)}: name it so in "
                "process_docs, or let the task have `class: !function lm_eval_ext.harness.task.MathTask`, "
                "which asks doc_to_target"
            )
        with Grader(self.config) as grader:
            return grade_docs(resps, docs, grader, self.extract)


class _Score:
    """A share of the verdicts, as lm-eval calls metrics of tasks without a `process_results`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, references: Any, predictions: Sequence[Any], **_: Any) -> float:
        (graded,) = predictions
        if not isinstance(graded, Graded):
            raise UserError(f"the metric {self.name} is made of verdicts: end filter_list with {FILTER}")
        return process_results({}, [graded])[self.name]


for entry in metric_list():
    if entry["metric"] in SHARES:
        register_metric(**entry, output_type="generate_until")(_Score(entry["metric"]))


def grade_docs(
    resps: Sequence[Sequence[str | None]],
    docs: Sequence[Mapping[str, Any]],
    grader: Grader,
    extract: str = "statement",
    progress: str = "grading",
) -> list[Graded]:
    """The verdicts on each document's responses and their votes, all graded in one batch.

    Args:
        resps: responses of each document; None counts as an empty one.
        docs: with `gold` and, for choices and the judge, `problem`.
        grader: which grades.
        extract: one of EXTRACTORS.
        progress: label of the progress bar.
    """
    items = [
        Item(response or "", doc["gold"], doc.get("problem"))
        for responses, doc in zip(resps, docs, strict=True)
        for response in responses
    ]
    rest = iter(grader.grade(items, extractor=EXTRACTORS[extract], progress=progress))
    per_doc = [[next(rest) for _ in responses] for responses in resps]
    return [Graded(verdicts, votes) for verdicts, votes in zip(per_doc, vote(per_doc, grader), strict=True)]


def vote(per_doc: Sequence[Sequence[Verdict]], grader: Grader) -> list[list[int | None]]:
    """Groups each document's responses by equivalent answers.

    Right answers are one group (each equals the gold). The others are compared pairwise, all documents
    in one batch; what cannot be decided stays apart.
    """
    keys = [[_key(verdict) for verdict in verdicts] for verdicts in per_doc]
    pairs = [(d, *pair) for d, row in enumerate(keys) for pair in combinations(_distinct(row), 2)]
    equal = grader.equal((left, right) for _, left, right in pairs)
    same: list[set[tuple[str, str]]] = [set() for _ in keys]
    for (d, left, right), verdict in zip(pairs, equal, strict=True):
        if verdict.correct:
            same[d].add((left, right))
    return [_numbered(row, twins) for row, twins in zip(keys, same, strict=True)]


_RIGHT = "\0right"


def _key(verdict: Verdict) -> str | None:
    if verdict.answer is None:
        return None
    return _RIGHT if verdict.correct else normalize(verdict.answer)


def _distinct(row: Sequence[str | None]) -> list[str]:
    return [key for key in dict.fromkeys(row) if key not in (None, _RIGHT)]


def _numbered(row: Sequence[str | None], same: set[tuple[str, str]]) -> list[int | None]:
    """Numbers groups in order of appearance; a key joins the first earlier key it equals."""
    numbers: dict[str, int] = {}
    for key in (key for key in row if key is not None):
        if key not in numbers:
            twin = next((k for k in numbers if (key, k) in same or (k, key) in same), None)
            numbers[key] = numbers[twin] if twin is not None else len(set(numbers.values()))
    return [None if key is None else numbers[key] for key in row]
