"""Shipped recipes under stand-ins for their model and data."""

import json

import pytest

from tests.training.preflight.conftest import problems
from tests.training.preflight.test_preflight import CONFIGS
from training.preflight.__main__ import checked

pytestmark = pytest.mark.unit

THINKING = "dtype=bfloat16,tensor_parallel_size=1,seed=42,enable_thinking=True"


def test_run_2_as_it_was_run(models, tmp_path, monkeypatch):
    """Text rows, long ones cut, and prompts of another mode than the evaluation's."""
    monkeypatch.setenv("LM_EVAL_EXT_DATA", "sample")
    long = tmp_path / "long.jsonl"
    docs = [{**doc, "solution": f"{doc['solution']} " * 120} for doc in problems()]
    long.write_text("".join(json.dumps(doc) + "\n" for doc in docs))
    file = CONFIGS / "mathnet_run2_as_run.yaml"
    more = ["--eval_model_args", THINKING]
    report = checked(file, tokenizer=models["sound"], data=str(long), more=more)
    assert report.rows("failed") == [5, 14, 15] and report.rows("not checked") == []
    assert report.code == 1 and [f.row for f in report.stopping] == [5]
    assert checked(file, tokenizer=models["sound"], data=str(long)).rows("failed") == [14, 15]
