"""A batch through the real launcher: scores as lm-eval wrote them, a group as one, a failure with its log."""

from __future__ import annotations

import csv
import json

import pytest

from lm_eval_ext.batch import record
from tests.conftest import lm_eval

pytestmark = [pytest.mark.model, pytest.mark.full]

PLAN = """
models: [{{name: tiny, path: {model}, labels: {{size: tiny}}}}]
tasks:
  - {{name: words, tasks: [arith_words], limit: 3}}
  - {{name: group, tasks: [math_qwen], limit: 1, apply_chat_template: true}}
  - {{name: refused, tasks: [arith_words], metadata: {{nothing: 1}}}}
defaults: {{model: hf, batch_size: 4, gen_kwargs: {{max_gen_toks: 8}}, num_fewshot: 0}}
"""


def test_a_batch_of_real_evaluations(tiny_model, tmp_path):
    (tmp_path / "plan.yaml").write_text(PLAN.format(model=tiny_model))
    words = ["batch", tmp_path / "plan.yaml", "--out", tmp_path / "out", "--cores", "1"]
    done = lm_eval(*words, program="lm-eval-ext")
    assert done.code == 1, done.err[-3000:]
    assert "failed: tiny | refused: exit code 1: Error: --metadata has 'nothing'" in done.out, done.out
    cells = {cell.evaluation: cell for cell in record.read(tmp_path / "out").cells}
    assert [cell.state for cell in cells.values()] == ["done", "done", "failed"]
    assert list(cells["group"].scores) == ["math_qwen"] and cells["refused"].attempts == 2
    (file,) = (tmp_path / "out" / "tiny" / "words").rglob("results_*.json")
    written = json.loads(file.read_text())["results"]["arith_words"]["accuracy,grade_math"]
    rows = list(csv.DictReader((tmp_path / "out" / "scores.csv").read_text().splitlines()))
    assert [(row["task"], row["metric"], row["n"]) for row in rows] == [
        ("arith_words", "accuracy", "3"),
        ("math_qwen", "accuracy", "7"),
    ]
    assert float(rows[0]["value"]) == written
    again = lm_eval(*words, "--only", "words", "--only", "group", program="lm-eval-ext")
    assert again.code == 0 and "running" not in again.out, again.out
