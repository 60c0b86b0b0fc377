"""The judge with a language model behind it: SmolLM2 in vLLM, a bad judge."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from itertools import pairwise

import pytest
from typer.testing import CliRunner

from lm_eval_ext.cli import app
from lm_eval_ext.harness.docs import mathnet
from lm_eval_ext.harness.hardware import small_dtype
from lm_eval_ext.harness.sources import SAMPLE
from tests.conftest import lm_eval, samples
from tests.scripted_server import scripted
from tests.test_lm_eval import TASKS, problem_of, scripted_answers

pytestmark = [pytest.mark.model, pytest.mark.full]

START_S = 480


@contextmanager
def vllm_serving(model, log):
    """vLLM's OpenAI-compatible server on loopback; ends with its whole process group."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--model", model, "--served-model-name", "SmolLM2", "--host", "127.0.0.1", "--port", str(port)]
    limits = ["--dtype", small_dtype(), "--max-model-len", "2048", "--enforce-eager", "--max-num-seqs", "8"]
    program = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *options, *limits]
    with log.open("w") as out:
        server = subprocess.Popen(program, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        await_health(f"http://127.0.0.1:{port}/health", server, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def await_health(url, server, log):
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()[-3000:]
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(log.read_text()[-3000:])


@pytest.fixture(scope="module")
def vllm(smollm2, tmp_path_factory):
    with vllm_serving(smollm2, tmp_path_factory.mktemp("vllm") / "log.txt") as url:
        yield url


def arguments(folder, url, *options, out="out.jsonl"):
    """Of `lm-eval-ext` to grade `in.jsonl` with the judge at `url`."""
    judge = ["--judge", "SmolLM2", "--judge-base-url", url, "--judge-cache", str(folder / "cache")]
    files = [str(folder / "in.jsonl"), "--out", str(folder / out), "--workers", "1"]
    return ["grade", *files, *judge, *options]


def graded(*given, **named):
    """What the judge's summary counts, by name. In this process, where litellm is loaded once."""
    done = CliRunner().invoke(app, arguments(*given, **named))
    print(done.stderr)
    assert done.exit_code == 0, done.stderr
    words = done.stderr[done.stderr.index("judge: ") :].replace("over budget", "over_budget").split()
    pairs = list(pairwise(words))
    before = {name.rstrip(","): int(count) for count, name in pairs[:6] if count.isdigit()}
    return {**before, **{name: int(count) for name, count in pairs[6:] if count.isdigit()}}


def rows(number):
    """Prose, most of which the layers leave to the judge."""
    docs = mathnet.splits(SAMPLE)[0]
    names = ["a right triangle", "an equilateral triangle", "the empty set", "every prime number"]
    return [
        {
            "id": i,
            "problem": f"{docs[i % len(docs)]['problem'][:300]} (variant {i})",
            "response": f"Final answer: it is {names[i % 4]}",
            "gold": names[i % 4] if i % 3 == 0 else "some animal that is not a dog",
        }
        for i in range(number)
    ]


def write(folder, number):
    (folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(number)))


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_second_run_is_free_and_a_budget_holds(vllm, tmp_path):
    write(tmp_path, 12)
    first = graded(tmp_path, vllm, "--judge-log", str(tmp_path / "log.jsonl"), "--judge-audit", "1")
    late = 4  # two prompts a question; a reply that is late on a busy machine is asked for again
    assert 0 < first["asked"] <= first["calls"] <= 2 * first["asked"] + late
    assert first["yes"] + first["no"] + first["malformed"] == first["asked"] + first["cached"]
    verdicts = read(tmp_path / "out.jsonl")
    again = graded(tmp_path, vllm, "--judge-audit", "1", "--overwrite")
    assert (again["asked"], again["calls"]) == (0, 0) and again["cached"] == first["asked"] + first["cached"]
    assert read(tmp_path / "out.jsonl") == verdicts
    price = ("--judge-price", "1000,1000", "--judge-budget-usd", "5", "--judge-max-tokens", "8")
    poor = graded(tmp_path, vllm, *price, out="poor.jsonl")
    assert poor["calls"] > 0 and poor["over_budget"] > 0
    stopped = [row for row in read(tmp_path / "poor.jsonl") if "judge: budget reached" in row["reason"]]
    assert len(stopped) == poor["over_budget"] and all(row["correct"] is None for row in stopped)


SIMPLE = {
    "system": "You compare answers. Reply with one word: YES if they are the same, NO if they differ.",
    "user": "[$tag]\nFirst answer: $gold\nSecond answer: $answer\nAre they the same? YES or NO:",
    "again": "Reply with the word YES or the word NO.",
}
"""The packaged prompt is beyond a model of this size: its replies are sentences."""


def test_a_prompt_that_it_understands_gets_verdicts(vllm, tmp_path):
    write(tmp_path, 24)
    for name, text in SIMPLE.items():
        (tmp_path / f"{name}.txt").write_text(text)
    told = graded(tmp_path, vllm, "--judge-prompt", str(tmp_path))
    assert told["yes"] + told["no"] > 0
    layers = [row["layer"] for row in read(tmp_path / "out.jsonl")]
    assert layers.count("judge") == told["yes"] + told["no"]


def test_a_killed_run_goes_on_with_what_it_knows(vllm, tmp_path):
    write(tmp_path, 40)
    program = [sys.executable, "-m", "lm_eval_ext.cli", *arguments(tmp_path, vllm)]
    process = subprocess.Popen(program, stderr=subprocess.DEVNULL)
    while known(tmp_path / "cache") < 10:
        time.sleep(0.05)
        assert process.poll() is None
    process.kill()
    process.wait()
    there = known(tmp_path / "cache")
    assert not (tmp_path / "out.jsonl").exists()
    rest = graded(tmp_path, vllm)
    assert rest["cached"] >= there and rest["cached"] + rest["asked"] > 20 and rest["asked"] > 0
    assert [row["id"] for row in read(tmp_path / "out.jsonl")] == list(range(40))


def known(folder):
    import sqlite3

    if not (folder / "replies.sqlite3").exists():
        return 0
    database = sqlite3.connect(folder / "replies.sqlite3", timeout=30)
    try:
        return database.execute("SELECT count(*) FROM replies").fetchone()[0]
    except sqlite3.OperationalError:  # no table yet
        return 0
    finally:
        database.close()


def test_the_tasks_of_lm_eval_ask_it_and_record_it(tmp_path):
    """Scripted responses and a scripted judge: what goes through lm-eval, without a model's luck."""
    answers = {
        problem: f"{said}, as a poet might put it" for problem, said in scripted_answers(SAMPLE, 0).items()
    }
    asked = []

    def respond(request):
        if "CANDIDATE ANSWER" in request["messages"][-1]["content"]:
            asked.append(request)
            return "YES"
        return answers[problem_of(request["messages"][-1]["content"])]

    with scripted(respond) as server:
        judge = {"judge": "oracle", "judge_base_url": server.url, "judge_cache": str(tmp_path / "cache")}
        url = f"{server.url}/chat/completions"
        run = lm_eval(
            *("--model", "local-chat-completions", "--tasks", "mathnet", *TASKS, "--apply_chat_template"),
            *("--model_args", f"model=m,base_url={url},num_concurrent=8,tokenized_requests=False"),
            *(
                "--metadata",
                json.dumps(judge),
                "--output_path",
                tmp_path / "out",
                "--log_samples",
                "--limit",
                "12",
            ),
        )
        results = run.results(tmp_path / "out")
    record = results["configs"]["mathnet"]["metadata"]["protocol"]["judge"]
    assert record["model"] == "oracle" and record["prompt"] == "equivalence-v1"
    assert record["usage"]["asked"] == record["usage"]["yes"] == len(asked) - 1 > 0  # one was the trial
    assert results["results"]["mathnet"]["accuracy,grade_math"] == 1.0
    layers = [
        json.loads(row["filtered_resps"][0][0])["layer"] for row in samples(tmp_path / "out", "mathnet")
    ]
    assert layers.count("judge") == record["usage"]["asked"]


def test_lm_eval_refuses_before_generation_if_the_judge_does(tmp_path):
    from tests.scripted_server import Said

    asked = []

    def refuse(request):
        asked.append(request["model"])
        return Said("no such key", 401)

    with scripted(refuse) as server:
        judge = {"judge": "oracle", "judge_base_url": server.url, "judge_cache": str(tmp_path / "cache")}
        run = lm_eval(
            *("--model", "local-chat-completions", "--apply_chat_template", "--tasks", "arith_words", *TASKS),
            *("--model_args", f"model=m,base_url={server.url}/chat/completions,tokenized_requests=False"),
            *("--limit", "1", "--gen_kwargs", "max_gen_toks=8", "--metadata", json.dumps(judge)),
        )
    assert run.code == 1 and "no such key" in run.err.strip().splitlines()[-1] and "Traceback" not in run.err
    assert set(asked) == {"oracle"}
