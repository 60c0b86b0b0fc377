"""`lm-eval-ext run --resume`: killed at random points, it ends where an uninterrupted run does."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, lm_eval, samples

pytestmark = pytest.mark.model

CHUNK, DOCUMENTS, REPEATS = 4, 16, 2
RESPONSES = DOCUMENTS * REPEATS


def arguments(model, out):
    return [
        *(
            "run",
            "--resume",
            str(out),
            "--chunk-size",
            str(CHUNK),
            "--model",
            "hf",
            "--batch_size",
            str(CHUNK),
        ),
        *("--model_args", f"pretrained={model}", "--tasks", "arith_words", "--limit", str(DOCUMENTS)),
        *("--metadata", json.dumps({"repeats": REPEATS}), "--num_fewshot", "0", "--apply_chat_template"),
        *("--gen_kwargs", "max_gen_toks=64,do_sample=True,temperature=0.8"),
    ]


def finished(model, out):
    """(results, manifest, what was said) of a run that is left alone."""
    run = lm_eval(*arguments(model, out), program="lm-eval-ext")
    return run.results(out), json.loads((out / "manifest.json").read_text()), run.err


def killed(model, out, wanted):
    """Starts a run and kills it in the middle of the chunk that follows the `wanted` ones; their number."""
    command = [str(Path(sys.executable).parent / "lm-eval-ext"), *arguments(model, out)]
    environment = {**os.environ, "LM_EVAL_EXT_DATA": "sample"}
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": ROOT, "env": environment}
    process = subprocess.Popen(command, start_new_session=True, **silent)
    while process.poll() is None and kept(out) < wanted:
        time.sleep(0.01)
    time.sleep(random.Random(wanted).uniform(0, 0.2))
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
    return kept(out)


def kept(out):
    return len(list(out.glob("store/*/*.chunk*.jsonl")))


@pytest.mark.full
def test_three_kills_lose_a_chunk_each_at_most(tiny_model, tmp_path):
    whole, _, said = finished(tiny_model, tmp_path / "whole")
    assert f"0 responses reused, {RESPONSES} generated" in said
    out = tmp_path / "killed"
    for wanted in (1, 3, 5):
        there = killed(tiny_model, out, wanted)
        assert wanted <= there < RESPONSES // CHUNK
        assert json.loads((out / "manifest.json").read_text())["state"] == "running"
    results, manifest, said = finished(tiny_model, out)
    counts = manifest["responses"]
    assert (counts["reused"], counts["generated"]) == (there * CHUNK, RESPONSES - there * CHUNK)
    assert f"{counts['reused']} responses reused" in said and manifest["state"] == "finished"
    assert results["results"] == whole["results"]
    rows, expected = samples(out, "arith_words"), samples(tmp_path / "whole", "arith_words")
    assert [row["resps"] for row in rows] == [row["resps"] for row in expected]
    assert len({response for row in rows for response in row["resps"][0]}) == RESPONSES, "sampled one by one"
    assert results["config"]["model"] == "hf"
    assert results["configs"]["arith_words"]["metadata"]["protocol"]["chunk_size"] == CHUNK
    assert manifest["tasks"]["arith_words"]["made_of"]["documents"] == DOCUMENTS
