"""Sampling through vLLM, as `distill` and `probe` do it, with a real small model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.model

ROOT = Path(__file__).resolve().parents[2]


def test_distilling_with_vllm_keeps_whole_right_responses_of_seeded_requests(smollm2, tmp_path):
    pytest.importorskip("vllm")
    out = tmp_path / "distilled.jsonl"
    command = [
        sys.executable, "-m", "training.data", "distill", "--model", smollm2, "--task", "arith_words",
        "--size", "24", "--samples", "3", "--max-tokens", "40", "--max-model-len", "1024", "--eager",
        "--engine", "vllm", "--chunk", "10", "--per-problem", "2", "--out", str(out),
    ]  # fmt: skip
    environment = {
        **os.environ,
        "VLLM_CPU_KVCACHE_SPACE": "2",
        "VLLM_LOGGING_LEVEL": "ERROR",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    kept = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    report = json.loads((tmp_path / "distilled.jsonl.json").read_text("utf-8"))
    counts = report["counts"]
    assert counts["generated"] == 3 * counts["problems"] and counts["problems"] > 15
    assert counts["generated"] == sum(counts[fate] for fate in ("capped", "undecided", "wrong", "accepted"))
    assert counts["kept"] == len(kept) > 0
    assert counts["accepted"] == counts["kept"] + counts["duplicates"] + counts["surplus"]
    for doc in kept:
        assert doc["gold"] in doc["response"] and doc["response_tokens"] < 40
        assert not any(stop in doc["response"] for stop in report["stops"])
