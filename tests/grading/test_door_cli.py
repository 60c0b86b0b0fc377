"""The command line gives the verdicts that the library gives."""

import json
import subprocess
import sys

import pytest

from lm_eval_ext.grading import Grader, GraderConfig, Item
from tests.grading.test_doors import exchanges

pytestmark = pytest.mark.unit

FIELDS = ("correct", "layer", "answer", "reason")


def test_graded_file(tmp_path):
    rows = [{"id": i, "response": r, "gold": g} for i, (r, g) in enumerate(exchanges())]
    source, graded = tmp_path / "responses.jsonl", tmp_path / "graded.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    command = [sys.executable, "-m", "lm_eval_ext.cli", "grade", str(source), "--out", str(graded)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    with Grader(GraderConfig(workers=2)) as grader:
        expected = grader.grade([Item(row["response"], row["gold"]) for row in rows])
    found = [json.loads(line) for line in graded.read_text("utf-8").splitlines()]
    assert [{k: row[k] for k in ("id", "response", "gold")} for row in found] == rows
    verdicts = [tuple(getattr(verdict, name) for name in FIELDS) for verdict in expected]
    assert [tuple(row[name] for name in FIELDS) for row in found] == verdicts
