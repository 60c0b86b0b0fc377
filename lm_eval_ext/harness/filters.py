"""The filters `grade_math`, `verify` and `safeguard`: all responses of a task in one batch, before metrics.

Importing this module registers them with lm-eval, and the metrics that need only `grade_math`'s verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import lm_eval.api.metrics  # noqa: F401  which registers the aggregation "mean"
from lm_eval.api.filter import Filter
from lm_eval.api.registry import register_filter, register_metric

from lm_eval_ext.grading import EXTRACTORS, Grader, GraderConfig, Item, Tolerance, Verdict
from lm_eval_ext.grading.extraction import formats
from lm_eval_ext.grading.normalization import normalize
from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.harness.judging import JUDGE, SAFEGUARD, JudgeSettings, shared_judge, shared_safeguard
from lm_eval_ext.harness.metrics import SHARES, Graded, Judged, metric_list, process_results
from lm_eval_ext.rewards.types import Score, Verifier, verifier
from lm_eval_ext.safety import SafetyVerdict

FILTER = JUDGE.filter
VERIFY = "verify"


@register_filter(FILTER)
class GradeMath(Filter):
    """Replaces each document's responses by their verdicts.

    Args:
        extract: how to find the answer: "statement" (default), "announced", "boxed", "strict", "flexible",
            "bare"; see `lm_eval_ext.grading.extraction`.
        timeout_s: seconds for one symbolic comparison.
        workers: symbolic worker processes; None: one per core.
        judge: an LLM to ask about answers not found equal: a name, or the fields of `JudgeConfig`.
        thinking: [opening, closing] marks of thinking, besides the known formats.
        tolerance: how far numbers may be from their golds: a share such as 0.01, or `relative` and
            `absolute`; a document's own field `tolerance` comes first.
    """

    def __init__(
        self,
        extract: str = "statement",
        timeout_s: float = 5.0,
        workers: int | None = None,
        judge: JudgeSettings | None = None,
        thinking: Sequence[Sequence[str]] = (),
        tolerance: float | Mapping[str, float] | None = None,
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
            tolerance=Tolerance.of(tolerance),
        )

    def apply(self, resps: Sequence[Sequence[str]], docs: Sequence[dict[str, Any]]) -> list[Graded]:
        """One `Graded` per document, in order. Raises UserError for a document without `gold`."""
        lacking = next((doc for doc in docs if "gold" not in doc), None)
        if lacking is not None:
            raise without_gold(FILTER, lacking)
        with Grader(self.config) as grader:
            return grade_docs(resps, docs, grader, self.extract)


@register_filter(VERIFY)
class Verify(Filter):
    """Replaces each document's responses by a verifier's scores.

    Args:
        by: its name, or `module:attribute`; see `lm_eval_ext.rewards.verifier`.
        settings: of the verifier.
    """

    def __init__(self, by: str, **settings: Any) -> None:
        super().__init__()
        self.by, self.settings = by, settings

    def verifier(self) -> Verifier:
        """The verifier. Raises UserError if there is none, or it refuses."""
        try:
            return verifier(self.by, **self.settings)
        except (ValueError, TypeError) as error:
            raise error if isinstance(error, UserError) else UserError(f"{VERIFY}: {error}") from None

    def apply(self, resps: Sequence[Sequence[str]], docs: Sequence[dict[str, Any]]) -> list[Judged[Score]]:
        """The scores of each document's responses, in order."""
        responses = [response or "" for each in resps for response in each]
        rows = [doc for each, doc in zip(resps, docs, strict=True) for _ in each]
        rest = iter(self.verifier()(responses, rows))
        return [Judged(next(rest) for _ in each) for each in resps]


@register_filter(SAFEGUARD.filter)
class AskSafeguard(Filter):
    """Replaces each document's responses by the safeguard's verdicts.

    Args:
        safeguard: a model's name, the folder of a classifier, or the fields of `SafeguardConfig`.
    """

    def __init__(self, safeguard: JudgeSettings | None = None) -> None:
        super().__init__()
        self.safeguard = None if safeguard is None else shared_safeguard(safeguard)

    def apply(
        self, resps: Sequence[Sequence[str]], docs: Sequence[dict[str, Any]]
    ) -> list[Judged[SafetyVerdict]]:
        """The verdicts on each document's responses, in order. Raises UserError without a safeguard."""
        if self.safeguard is None:
            raise UserError(f"the filter {SAFEGUARD.filter} has no safeguard; name one in its arguments")
        exchanges = [
            (doc["problem"], response or "")
            for responses, doc in zip(resps, docs, strict=True)
            for response in responses
        ]
        rest = iter(self.safeguard.review(exchanges))
        return [Judged(next(rest) for _ in responses) for responses in resps]


def without_gold(name: str, fields: Iterable[str]) -> UserError:
    """The error for documents without the reference answer."""
    return UserError(
        f"{name}: a document has no field gold, only {', '.join(fields)}: rename the field in "
        "process_docs, or add `class: !function lm_eval_ext.harness.task.MathTask` to the task, "
        "which uses doc_to_target"
    )


def _share(name: str) -> Callable[..., float]:
    """A share of the verdicts, as lm-eval calls metrics of tasks without `process_results`."""

    def metric(references: Any, predictions: Sequence[Any], **_: Any) -> float:
        (graded,) = predictions
        if not isinstance(graded, Graded):
            raise UserError(f"the metric {name} needs verdicts: end filter_list with {FILTER}")
        return process_results({}, [graded])[name]

    return metric


accuracy, accuracy_high, answered, undecided = map(_share, SHARES)

for entry in metric_list():
    if entry["metric"] in SHARES:
        register_metric(**entry, output_type="generate_until")(globals()[entry["metric"]])


def grade_docs(
    resps: Sequence[Sequence[str | None]],
    docs: Sequence[Mapping[str, Any]],
    grader: Grader,
    extract: str = "statement",
    progress: str = "grading",
) -> list[Graded]:
    """The verdicts on each document's responses and their votes, graded in one batch.

    Args:
        resps: responses of each document; None counts as an empty one.
        docs: with `gold` and, for choices and the judge, `problem`; with `tolerance`, where one is stated.
        extract: one of EXTRACTORS.
        progress: label of the progress bar.
    """
    items = [
        Item(response or "", doc["gold"], doc.get("problem"), Tolerance.of(doc.get("tolerance")))
        for responses, doc in zip(resps, docs, strict=True)
        for response in responses
    ]
    rest = iter(grader.grade(items, extractor=EXTRACTORS[extract], progress=progress))
    per_doc = [[next(rest) for _ in responses] for responses in resps]
    return [Graded(verdicts, votes) for verdicts, votes in zip(per_doc, vote(per_doc, grader), strict=True)]


def vote(per_doc: Sequence[Sequence[Verdict]], grader: Grader) -> list[list[int | None]]:
    """Groups each document's responses by equivalent answers.

    Right answers form one group (each equals the gold). The others are compared pairwise, all documents in
    one batch; undecided pairs stay apart.
    """
    keys = [[_key(verdict) for verdict in verdicts] for verdicts in per_doc]
    pairs = [
        (d, left, right)
        for d, row in enumerate(keys)
        for left, right in combinations([k for k in dict.fromkeys(row) if k not in (None, _RIGHT)], 2)
    ]
    equal = grader.equal((str(left), str(right)) for _, left, right in pairs)
    same: list[set[frozenset[str | None]]] = [set() for _ in keys]
    for (d, left, right), verdict in zip(pairs, equal, strict=True):
        if verdict.correct:
            same[d].add(frozenset((left, right)))
    return [_numbered(row, twins) for row, twins in zip(keys, same, strict=True)]


_RIGHT = "\0right"


def _key(verdict: Verdict) -> str | None:
    if verdict.answer is None:
        return None
    return _RIGHT if verdict.correct else normalize(verdict.answer)


def _numbered(row: Sequence[str | None], same: set[frozenset[str | None]]) -> list[int | None]:
    """Numbers groups in order of appearance; a key joins the first earlier key it equals."""
    numbers: dict[str | None, int] = {}
    for key in row:
        if key is not None and key not in numbers:
            twin = next((earlier for earlier in numbers if frozenset((earlier, key)) in same), None)
            numbers[key] = len(set(numbers.values())) if twin is None else numbers[twin]
    return [numbers.get(key) for key in row]
