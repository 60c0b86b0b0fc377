"""Pairs written to deceive the comparison, and what they must come out as; without the pool: fast."""

from functools import partial

import pytest

from lm_eval_ext.grading import pipeline
from lm_eval_ext.grading.answers import compare
from tests.clock import cpu_s
from tests.conftest import cases

pytestmark = pytest.mark.unit


def decided(answer, gold):
    verdict = pipeline.decide(answer, gold)
    return (verdict.correct, verdict.reason) if verdict is not None else compare(answer, gold)[::2]


def test_every_pair_comes_out_right():
    rows = cases("adversarial")
    assert len(rows) >= 600
    wrong = [
        (row, reason)
        for row in rows
        for equal, reason in [decided(row["answer"], row["gold"])]
        if (equal is True) != row["equal"]
    ]
    assert wrong == []


def test_none_takes_long():
    assert max(cpu_s(partial(decided, row["answer"], row["gold"])) for row in cases("adversarial")) < 1.0
