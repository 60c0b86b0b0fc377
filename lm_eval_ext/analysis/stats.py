"""Confidence intervals and tests for accuracies, alone and in pairs. Shares are between 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from scipy import optimize, stats

from lm_eval_ext.analysis.intervals import CONFIDENCE as CONFIDENCE
from lm_eval_ext.analysis.intervals import Interval as Interval
from lm_eval_ext.analysis.intervals import wilson as wilson

ALPHA = 0.05
POWER = 0.80


@dataclass(frozen=True)
class Pairing:
    """The 2x2 table of two models on the same problems; `only_a` and `only_b` are the discordant counts."""

    both: int
    only_a: int
    only_b: int
    neither: int

    def __post_init__(self) -> None:
        assert min(self.both, self.only_a, self.only_b, self.neither) >= 0, f"negative count in {self}"

    @classmethod
    def of(cls, a: Sequence[bool], b: Sequence[bool]) -> Pairing:
        """Counts over problems, `a[i]` and `b[i]` on the same one."""
        pairs = list(zip(a, b, strict=True))
        return cls(
            *(pairs.count(cell) for cell in ((True, True), (True, False), (False, True), (False, False)))
        )

    @property
    def n(self) -> int:
        return self.both + self.only_a + self.only_b + self.neither

    @property
    def discordant(self) -> int:
        return self.only_a + self.only_b

    @property
    def p(self) -> float:
        return mcnemar(self.only_a, self.only_b)


def mean_interval(scores: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Interval of a mean score: Wilson's for scores of 0 and 1, else bootstrapped."""
    if all(score in (0, 1) for score in scores):
        return wilson(int(sum(scores)), len(scores), confidence)
    return bootstrap_mean(scores, confidence)


def mcnemar(only_a: int, only_b: int, alternative: Literal["two-sided", "greater"] = "two-sided") -> float:
    """p of McNemar's test (1947) in its exact, binomial form; 1.0 without discordant problems.

    "greater" is one-sided: that so many or more are right only in a although b is as good.
    """
    discordant = only_a + only_b
    return float(stats.binomtest(only_a, discordant, alternative=alternative).pvalue) if discordant else 1.0


def proportion_loss(right: float, n: int, of: float, of_n: int | None) -> float:
    """One-sided p of two unpaired accuracies: that `right` of `n` is so low by chance.

    Against `of` right of `of_n`: pooled two-proportion z test, both samples uncertain. If `of_n` is None,
    `of` is a share taken as exact, and the test is the exact binomial one.
    """
    if of_n is None:
        return float(stats.binomtest(round(right), n, of, alternative="less").pvalue)
    pooled = (right + of) / (n + of_n)
    spread = sqrt(pooled * (1 - pooled) * (1 / n + 1 / of_n))
    return float(stats.norm.cdf((right / n - of / of_n) / spread)) if spread else 1.0


def bootstrap_mean(
    values: Sequence[float], confidence: float = CONFIDENCE, resamples: int = 10_000, seed: int = 0
) -> Interval:
    """Percentile bootstrap interval of a mean; of paired differences: the paired bootstrap."""
    data = np.asarray(values, dtype=float)
    if data.size == 0 or np.ptp(data) == 0:
        value = float(data[0]) if data.size else 0.0
        return Interval(value, value)
    found = stats.bootstrap(
        (data,),
        np.mean,
        n_resamples=resamples,
        batch=max(1, 2**24 // data.size),
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(float(found.low), float(found.high))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number, in the order given: Holm 1979, step-down, capped at 1."""
    order = np.argsort(p_values, kind="stable")
    factors = len(order) - np.arange(len(order))
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(factors * np.asarray(p_values)[order]))
    return [float(p) for p in corrected]


def minimum_detectable_effect(
    n: int, discordant: float, alpha: float = ALPHA, power: float = POWER
) -> float | None:
    """The smallest true difference of two accuracies that a paired test on n problems finds with this power.

    Connor 1987 (Biometrics 43:207): n = (z_alpha sqrt(d) + z_power sqrt(d - e^2))^2 / e^2, solved for e,
    with the discordant share d. None if there is no such difference: e cannot be larger than d.
    """
    assert 0 <= discordant <= 1, f"discordant is a share, got {discordant}"
    z_alpha, z_power = stats.norm.ppf(1 - alpha / 2), stats.norm.ppf(power)

    def lacking(effect: float) -> float:
        spread = z_alpha * sqrt(discordant) + z_power * sqrt(max(discordant - effect**2, 0.0))
        return float(spread**2 / effect**2 - n)

    if n == 0 or discordant == 0 or lacking(discordant) > 0:
        return None
    return float(optimize.brentq(lacking, 1e-9, discordant))


def sign_flip(differences: Sequence[float], resamples: int = 9_999, seed: int = 0) -> float:
    """Two-sided p of paired differences by Fisher's sign-flip permutation test.

    Scores averaged over repeats are fractions, so it replaces McNemar's test there. Exact if there are few
    enough sign patterns, else over seeded random ones.
    """
    data = np.asarray(differences, dtype=float)
    if not np.any(data):
        return 1.0
    found = stats.permutation_test(
        (data,),
        np.mean,
        permutation_type="samples",
        n_resamples=resamples,
        batch=max(1, 2**22 // data.size),
        rng=np.random.default_rng(seed),
    )
    return float(min(1.0, found.pvalue))


def detectable_mean(n: int, deviation: float, alpha: float = ALPHA, power: float = POWER) -> float | None:
    """The smallest true mean that a test on n paired differences of this standard deviation finds.

    (z_alpha + z_power) deviation / sqrt(n), by the normal approximation; None if n or deviation is 0.
    """
    if n == 0 or deviation == 0:
        return None
    return float((stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power)) * deviation / sqrt(n))


def clustered_error(values: Sequence[float], clusters: Sequence[str]) -> float:
    """Standard error of a mean of values correlated within clusters: arXiv 2411.00640, equation 4.

    sqrt(sum over clusters of (sum of the deviations in it)^2) / n; for clusters of one, the usual error.
    """
    if not values:
        return 0.0
    _, groups = np.unique(clusters, return_inverse=True)
    sums = np.bincount(groups, weights=np.asarray(values) - np.mean(values))
    return float(np.linalg.norm(sums)) / len(values)
