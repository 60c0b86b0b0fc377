import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from lm_eval_ext.analysis import stats

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "pairing, rights, p",
    [
        (stats.Pairing(233, 91, 53, 118), (324, 286), 0.0019),
        (stats.Pairing(111, 73, 72, 242), (184, 183), 1.0),
    ],
    ids=["Sonnet 4.6 and GPT-5.4", "Qwen3-1.7B and GPT-5.4 Mini"],
)
def test_the_published_pairs(pairing, rights, p):
    assert (pairing.both + pairing.only_a, pairing.both + pairing.only_b) == rights
    assert round(pairing.p, 4) == p


@pytest.mark.parametrize("counts", [(91, 53), (73, 72), (50, 29), (0, 5), (1, 1), (0, 0)])
def test_mcnemar_is_that_of_statsmodels(counts):
    table = [[10, counts[0]], [counts[1], 7]]
    expected = their_mcnemar(table, exact=True).pvalue if sum(counts) else 1.0
    assert stats.mcnemar(*counts) == pytest.approx(expected)


@pytest.mark.parametrize("right, n", [(0, 10), (325, 500), (100, 100), (1, 3)])
def test_wilson_is_that_of_statsmodels(right, n):
    found = stats.wilson(right, n)
    assert (found.low, found.high) == pytest.approx(proportion_confint(right, n, method="wilson"))


def test_nothing_known_of_no_problems():
    assert stats.wilson(0, 0) == stats.Interval(0.0, 1.0)


def test_holm_is_that_of_statsmodels():
    p_values = [0.04, 0.001, 0.03, 0.5, 0.01, 0.03]
    assert stats.holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]))
    assert stats.holm([]) == []


def test_pairs_are_counted():
    pairing = stats.Pairing.of([True, True, False, False, True], [True, False, True, False, False])
    assert pairing == stats.Pairing(1, 2, 1, 1) and pairing.n == 5


def test_the_bootstrap_covers_a_mean():
    rng = np.random.default_rng(1)
    covered = 0
    for trial in range(100):
        values = rng.choice([-1.0, 0.0, 1.0], p=[0.1, 0.7, 0.2], size=200)
        found = stats.bootstrap_mean(values, resamples=500, seed=trial)
        covered += found.low <= 0.1 <= found.high
    assert 88 <= covered <= 100


def test_shares_over_repeats_are_bootstrapped_and_0_or_1_are_not():
    assert stats.mean_interval([1.0, 0.0, 1.0]) == stats.wilson(2, 3)
    shares = stats.mean_interval([0.25, 0.5, 0.75, 1.0])
    assert 0.25 <= shares.low < 0.625 < shares.high <= 1.0
    assert stats.mean_interval([0.5, 0.5]) == stats.Interval(0.5, 0.5)


@pytest.mark.parametrize("n, discordant", [(500, 0.29), (200, 0.1)])
def test_the_detectable_effect_is_found_with_the_power_it_states(n, discordant):
    effect = stats.minimum_detectable_effect(n, discordant)
    rng = np.random.default_rng(0)
    shares = [(discordant + effect) / 2, (discordant - effect) / 2, 1 - discordant]
    draws = rng.multinomial(n, shares, size=2000)
    found = np.mean([scipy_stats.binomtest(int(a), int(a + b)).pvalue < 0.05 for a, b, _ in draws])
    assert 0.70 <= found <= 0.86  # the exact test is a little weaker than the formula's normal approximation


def test_no_effect_can_be_found_among_few_discordant_problems():
    assert stats.minimum_detectable_effect(10, 0.05) is None
    assert stats.minimum_detectable_effect(0, 0.5) is None
    assert stats.minimum_detectable_effect(100, 0.0) is None
