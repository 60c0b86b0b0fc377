"""Verdicts to metrics.

Per document, from the verdicts on its K responses (K = 1 unless there are repeats):

    accuracy           share right; undecided counts as not right: the lower bound
    accuracy_high      share not shown to be different: the upper bound
    answered           share that commits to an answer
    undecided          share that could not be decided
    partial            share of a program's asserts that hold (code)
    capped             share cut off by the token budget, if the model's tokenizer is available
    pass@k             probability that one of k responses is right (K > 1)
    maj@K              whether the most frequent answer is right (K > 1)

of IFEval (`partial` is the mean share of a prompt's instructions):

    prompt_level_strict_acc, prompt_level_loose_acc    share that follows all instructions of its prompt
    inst_level_strict_acc, inst_level_loose_acc        share of all instructions that are followed

and of a safety task:

    safety_rate        share safe; undecided counts as unsafe: the lower bound
    safety_rate_high   share not shown to be unsafe: the upper bound
    undecided, capped  as above
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import comb, nan
from statistics import fmean
from typing import Any, TypeVar

from lm_eval_ext.grading import Verdict
from lm_eval_ext.rewards.instructions import InstructionScore
from lm_eval_ext.rewards.types import Score
from lm_eval_ext.safety import SafetyVerdict

AnyVerdict = TypeVar("AnyVerdict")

SHARES: dict[str, Callable[[Verdict | Score], bool]] = {
    "accuracy": lambda v: v.correct is True,
    "accuracy_high": lambda v: v.correct is not False,
    "answered": lambda v: v.answer is not None,
    "undecided": lambda v: v.correct is None,
}
SAFETY_SHARES: dict[str, Callable[[SafetyVerdict], bool]] = {
    "safety_rate": lambda v: v.safe is True,
    "safety_rate_high": lambda v: v.safe is not False,
    "undecided": lambda v: v.safe is None,
}
CAPPED, PARTIAL = "capped", "partial"
KINDS = ("strict", "loose")
"""IFEval's criteria."""
RETIRED = re.compile(r"accuracy_(exact|symbolic|level_\d)(_stderr)?(,|$)")
"""Metrics of earlier releases, which old runs have."""


class Judged(list[AnyVerdict]):
    """The verdicts on one document's responses.

    Attributes:
        capped: whether the token budget cut off each response; None if unknown.
    """

    capped: list[bool] | None = None

    def shares(self, of: Mapping[str, Callable[[AnyVerdict], bool]]) -> dict[str, float]:
        """The share of verdicts for which each condition holds, and of capped responses if known."""
        found = {name: fmean(map(holds, self)) for name, holds in of.items()}
        return found if self.capped is None else {**found, CAPPED: fmean(self.capped)}


class Graded(Judged[Verdict]):
    """Verdicts on answers, and their votes.

    Attributes:
        votes: the number of each response's answer (equivalent answers share a number), None without one.
    """

    def __init__(self, verdicts: Sequence[Verdict], votes: Sequence[int | None]) -> None:
        assert len(verdicts) == len(votes), f"{len(verdicts)} verdicts, {len(votes)} votes"
        super().__init__(verdicts)
        self.votes = list(votes)


def process_results(doc: dict[str, Any], results: Sequence[Graded]) -> dict[str, float]:
    """lm-eval's hook: the metrics of one document. `results[0]` comes from the filter `grade_math`."""
    graded = results[0]
    scores = graded.shares(SHARES) | _passed(graded)
    if len(graded) > 1:
        scores[f"maj@{len(graded)}"] = majority(graded)
    return scores


def code_results(doc: dict[str, Any], results: Sequence[Judged[Score]]) -> dict[str, float]:
    """lm-eval's hook: the metrics of one document. `results[0]` comes from the filter `verify`."""
    return results[0].shares(SHARES) | {PARTIAL: _partial(results[0])} | _passed(results[0])


def instruction_results(doc: dict[str, Any], results: Sequence[Judged[InstructionScore]]) -> dict[str, Any]:
    """lm-eval's hook: the metrics of one document. `results[0]` comes from the filter `verify`."""
    scores = results[0]
    found: dict[str, Any] = scores.shares({"undecided": SHARES["undecided"]}) | {PARTIAL: _partial(scores)}
    for kind in KINDS:
        followed = [getattr(score, kind) for score in scores]
        found[f"prompt_level_{kind}_acc"] = fmean(bool(each) and all(each) for each in followed)
        found[f"inst_level_{kind}_acc"] = [one for each in followed for one in each]
    return found


def _partial(scores: Sequence[Score]) -> float:
    return fmean(score.value or 0.0 for score in scores)


def _passed(found: Sequence[Verdict | Score]) -> dict[str, float]:
    """pass@k of several responses."""
    if len(found) == 1:
        return {}
    right = sum(one.correct is True for one in found)
    return {f"pass@{k}": pass_at_k(len(found), right, k) for k in attempts(len(found))}


def safety_results(doc: dict[str, Any], results: Sequence[Judged[SafetyVerdict]]) -> dict[str, float]:
    """lm-eval's hook: the metrics of one document. `results[0]` comes from the filter `safeguard`."""
    return results[0].shares(SAFETY_SHARES)


def metric_list(repeats: int = 1) -> list[dict[str, Any]]:
    """A task's metrics, as its YAML would list them."""
    names = [*SHARES, CAPPED]
    if repeats > 1:
        names += [*(f"pass@{k}" for k in attempts(repeats)), f"maj@{repeats}"]
    return _entries(names)


def code_metric_list(repeats: int = 1) -> list[dict[str, Any]]:
    """A code task's metrics."""
    return _entries([*SHARES, PARTIAL, CAPPED, *(f"pass@{k}" for k in attempts(repeats) if repeats > 1)])


def instruction_metric_list(repeats: int = 1) -> list[dict[str, Any]]:
    """IFEval's metrics, whatever the repeats."""
    by_prompt = _entries([*(f"prompt_level_{kind}_acc" for kind in KINDS), PARTIAL, "undecided", CAPPED])
    pooled = _entries(f"inst_level_{kind}_acc" for kind in KINDS)
    return by_prompt + [{**entry, "aggregation": mean_of_all} for entry in pooled]


def mean_of_all(lists: Iterable[Iterable[bool]]) -> float:
    """The mean over the elements of all lists; NaN without any."""
    found = [one for listed in lists for one in listed]
    return fmean(found) if found else nan


def safety_metric_list(repeats: int = 1) -> list[dict[str, Any]]:
    """A safety task's metrics, whatever the repeats."""
    return _entries([*SAFETY_SHARES, CAPPED])


def _entries(names: Iterable[str]) -> list[dict[str, Any]]:
    return [
        {"metric": name, "aggregation": "mean", "higher_is_better": name not in ("undecided", CAPPED)}
        for name in names
    ]


def attempts(repeats: int) -> list[int]:
    """Powers of two up to the number of repeats, and that number: 6 gives [1, 2, 4, 6]."""
    return sorted({2**i for i in range(repeats.bit_length())} | {repeats})


def pass_at_k(n: int, right: int, k: int) -> float:
    """Unbiased estimate of P(at least one of k responses is right) from n responses.

    1 - C(n - right, k) / C(n, k): Chen et al. 2021, arXiv 2107.03374.
    """
    assert 0 <= right <= n and 1 <= k <= n, f"n={n}, right={right}, k={k}"
    return 1.0 - comb(n - right, k) / comb(n, k)


def majority(graded: Graded) -> float:
    """1 if the answer with most votes is right; a tie counts as the share of right answers in it."""
    counts = Counter(vote for vote in graded.votes if vote is not None)
    if not counts:
        return 0.0
    most = max(counts.values())
    leaders = {vote for vote, count in counts.items() if count == most}
    right = {vote for vote, v in zip(graded.votes, graded, strict=True) if v.correct is True}
    return len(leaders & right) / len(leaders)
