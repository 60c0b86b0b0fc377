"""MBPP's 427 reference solutions pass; each fails once one of its asserts is negated."""

import ast
import json

import pytest

from lm_eval_ext.harness.docs.mbpp import SANITIZED
from lm_eval_ext.rewards import verifier

pytestmark = [pytest.mark.unit, pytest.mark.full]


@pytest.fixture(scope="module")
def rows(real_data):
    file = real_data / "mbpp" / SANITIZED
    if not file.is_file():
        pytest.skip(f"{real_data} lacks mbpp/{SANITIZED}")
    return json.loads(file.read_text("utf-8"))


def negated(row, place):
    """The row with the opposite of one assert."""
    tests = list(row["test_list"])
    tests[place] = f"assert not ({ast.unparse(ast.parse(tests[place]).body[0].test)})"
    return {**row, "test_list": tests}


def test_references(rows, monkeypatch):
    monkeypatch.setenv("HF_ALLOW_CODE_EVAL", "1")
    code, programs = verifier("code"), [f"```python\n{row['code']}\n```" for row in rows]
    assert [row["task_id"] for row, s in zip(rows, code(programs, rows), strict=True) if not s.correct] == []
    wrong = [negated(row, number % len(row["test_list"])) for number, row in enumerate(rows)]
    for row, score in zip(wrong, code(programs, wrong), strict=True):
        asserts = len(row["test_list"])
        assert score.correct is False and score.value == pytest.approx(1 - 1 / asserts), (row, score)
