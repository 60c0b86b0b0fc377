"""Shipped recipes under stand-ins for their model and data."""

import json

import pytest

from tests.training.preflight.conftest import problems
from tests.training.preflight.test_preflight import CONFIGS
from training.preflight.__main__ import check_recipe

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("run", [2, 3])
def test_runs_as_they_were(models, tmp_path, monkeypatch, run):
    """Text rows, long ones cut, prompts of another mode than the evaluation's; in run 3 a box, too."""
    monkeypatch.setenv("LM_EVAL_EXT_DATA", "sample")
    long = tmp_path / "long.jsonl"
    docs = [{**doc, "solution": f"{doc['solution']} " * 120} for doc in problems()]
    long.write_text("".join(json.dumps(doc) + "\n" for doc in docs))
    file = CONFIGS / f"mathnet_run{run}_as_run.yaml"
    report = check_recipe(file, tokenizer=models["sound"], data=str(long))
    assert report.rows("failed") == [5, 14, 15] and report.rows("not checked") == []
    assert report.code == 1 and [f.row for f in report.stopping] == [5, 14, 15]
    again = check_recipe(file, tokenizer=models["sound"], data=str(long), more=["--accept", "5 14 15"])
    assert again.rows("failed") == [5, 14, 15] and again.code == 0


@pytest.mark.full
@pytest.mark.usefixtures("punkt")
@pytest.mark.parametrize("name", sorted(file.stem for file in CONFIGS.glob("*.yaml")))
def test_every_recipe_passes_on_the_sample(smollm2, monkeypatch, name):
    """SmolLM2 stands in for the model; what the sample has no data for is not checked, and says so."""
    monkeypatch.setenv("LM_EVAL_EXT_DATA", "sample")
    monkeypatch.setenv("HF_ALLOW_CODE_EVAL", "1")
    report = check_recipe(CONFIGS / f"{name}.yaml", tokenizer=smollm2)
    assert report.stopping == [], [f"{f.row}: {f.seen}" for f in report.stopping]
    assert all("give --data" in f.seen for f in report.results if f.status == "not checked")
    assert report.code == (3 if report.rows("not checked") else 0)
