"""Recall and precision on every labelled source stay what they were, see `cases/scorecard.json`."""

import json

import pytest

from benchmarks.data import load
from lm_eval_ext.grading import Grader, GraderConfig, Item
from tests.conftest import CASES

pytestmark = [pytest.mark.unit, pytest.mark.full]

BOUNDS = json.loads((CASES / "scorecard.json").read_text("utf-8"))
"""By source: rows, right ones, at least so many of them accepted, at most so many wrong ones."""


@pytest.fixture(scope="module")
def grader():
    with Grader(GraderConfig(timeout_s=30)) as grader:  # a busy machine loses no verdict
        yield grader


@pytest.mark.parametrize("source", BOUNDS)
def test_no_source_loses_recall_or_precision(real_data, grader, source):
    try:
        rows = load(source, real_data, 0)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    verdicts = grader.grade([Item(row.response, row.gold, row.problem) for row in rows])
    accepted = [row for row, verdict in zip(rows, verdicts, strict=True) if verdict.correct]
    wrong = [row.key for row in accepted if not row.right]
    bounds = BOUNDS[source]
    assert (len(rows), sum(row.right for row in rows)) == (bounds["rows"], bounds["right"])
    assert len(accepted) - len(wrong) >= bounds["accepted_right"]
    assert len(wrong) <= bounds["accepted_wrong"], wrong
