import numpy as np
import pytest
from scipy import stats

from benchmarks.power import Setting, power, table

pytestmark = pytest.mark.unit


def test_the_paired_power_is_the_exact_one_without_noise():
    """Lost answers alone: the test alarms from 5 of them on (0.5^5 < 0.05)."""
    setting = Setting(n=200, accuracy=0.4, noise=0.0, drop=0.02)
    assert power(setting)[0] == pytest.approx(stats.binom.sf(4, 200, 0.02), abs=0.02)


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_pairing_finds_more_and_raises_no_more_false_alarms_than_stated(noise):
    for n in (200, 1319):
        false, _ = power(Setting(n, 0.4, noise, 0.0))
        paired, tolerance = power(Setting(n, 0.4, noise, 0.03))
        assert false <= 0.055 and paired > tolerance + 0.1


def test_no_table_with_more_lost_than_there_was():
    with pytest.raises(AssertionError, match="no such table"):
        Setting(200, accuracy=0.05, noise=0.0, drop=0.1)


def test_the_table_has_a_line_for_each_loss():
    lines = table(0.385, 0.05, draws=100).splitlines()
    assert len(lines) == 8 and all(line.count("|") == 6 for line in lines)
    assert np.all([line.count(" / ") >= 4 for line in lines[2:]])
