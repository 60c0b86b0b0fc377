"""`lm-eval-ext regrade --judge`, against a server of its own."""

import json

import pytest
from typer.testing import CliRunner

from lm_eval_ext.cli import app
from tests.analysis.logged import write_run
from tests.scripted_server import Said, scripted

pytestmark = pytest.mark.unit


def test_the_judge_sees_what_is_undecided_and_is_put_down(tmp_path):
    docs = [{"id": str(i), "problem": f"Who is number {i}?", "gold": "some animal, no dog"} for i in range(2)]
    said = ["Final answer: the grey cat", "Final answer: some animal, no dog"]
    write_run(tmp_path / "old", [None, True], docs=docs, responses=said)
    command = ["regrade", str(tmp_path / "old"), "--out", str(tmp_path / "new"), "--workers", "1"]
    with scripted(lambda request: Said("YES")) as server:
        judge = ["--judge", "m", "--judge-base-url", server.url, "--judge-price", "1,2"]
        shown = CliRunner().invoke(app, [*command, *judge, "--judge-cache", str(tmp_path / "cache")])
    assert shown.exit_code == 0, shown.output
    assert "judge 1" in shown.output and len(server.requests) == 1
    (flip,) = [json.loads(line) for line in (tmp_path / "new" / "flips.jsonl").read_text().splitlines()]
    assert (flip["old"], flip["new"]) == ("undecided", "right (judge)")
    (file,) = (tmp_path / "new").rglob("results_*")
    metadata = json.loads(file.read_text())["configs"]["mathnet"]["metadata"]
    assert metadata["protocol"]["judge"]["model"] == "m" and metadata["regraded"]["usage"]["yes"] == 1
