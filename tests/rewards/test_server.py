"""The server: its protocol and errors in the process, its survival as a process of its own."""

import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest
from fastapi.testclient import TestClient

from benchmarks.serve import measure, served
from lm_eval_ext.grading.golds import KINDS
from lm_eval_ext.harness.grading_settings import task_settings
from lm_eval_ext.rewards import server

pytestmark = pytest.mark.unit

RIGHT = {"response": r"So \boxed{3/4}. Final answer: 0.5", "gold": "0.75"}
HANGS = {"response": r"Final answer: $\sum_{k=1}^{123457} \frac{1}{k^{k}+\sin k}$", "gold": "1.2912"}


def tasks(name):
    return task_settings(name, chat=True)


@pytest.fixture(scope="module")
def client():
    config = server.ServerConfig(
        math={"workers": 2, "timeout_s": 1.0}, task_settings=tasks, queue=8, max_bytes=10_000, undecided=0.25
    )
    with TestClient(server.create_app(config)) as client:
        yield client


def post(client, path="/score", **body):
    reply = client.post(path, json=body)
    return reply.status_code, reply.json()


def test_scores_in_order(client):
    rows = [{"response": "Final answer: 4", "gold": gold} for gold in ("4", 4, [5, "4"], "5", "the last one")]
    status, reply = post(client, rows=rows)
    assert status == 200 and [each["correct"] for each in reply["scores"]] == [True, True, True, False, None]
    assert [each["value"] for each in reply["scores"]] == [1.0, 1.0, 1.0, 0.0, None]
    assert reply["scores"][4]["reason"] and reply["scores"][0]["answer"] == "4"


def test_a_request_chooses_how_it_is_graded(client):
    ways = ({}, {"task": "mathnet"}, {"task": "math_qwen"}, {"extract": "boxed"}, {"stops": [" Final"]})
    found = [post(client, rows=[RIGHT], **way)[1]["scores"][0]["correct"] for way in ways]
    assert found == [False, False, True, True, True]


def test_server_defaults(client):
    config = server.ServerConfig(defaults=tasks("math_qwen"), math={"workers": 2}, task_settings=tasks)
    with TestClient(server.create_app(config)) as other:
        assert post(other, rows=[RIGHT])[1]["scores"][0]["correct"] is True
        assert post(other, rows=[RIGHT], task="mathnet")[1]["scores"][0]["correct"] is False


def test_a_server_that_could_score_nothing_does_not_start():
    with pytest.raises(ValueError, match="verifier 'nix' is unknown"):
        server.create_app(server.ServerConfig(defaults={"verifier": "nix"}))


FAULTS = {
    "no gold": ({"rows": [RIGHT, {"response": "4"}]}, "rows[1].gold: missing, as in 1 of 2 rows"),
    "no response": ({"rows": [{"gold": "4"}]}, "rows[0].response: Field required"),
    "not a gold": (
        {"rows": [{**RIGHT, "gold": {}}]},
        f"rows[0].gold: Value error, expected {KINDS}, got {{}}",
    ),
    "no rows": ({"rows": []}, "rows: List should have at least 1 item"),
    "unknown field": ({"rows": [RIGHT], "tusk": "mathnet"}, "tusk: Extra inputs are not permitted"),
    "unknown task": (
        {"rows": [RIGHT], "task": "math_qwem"},
        "task 'math_qwem' is not in lm-eval-ext; close to",
    ),
    "a path": ({"rows": [RIGHT], "task": "../secret.yaml"}, "task: String should match"),
    "safety": (
        {"rows": [RIGHT], "task": "ailuminate"},
        "task ailuminate has no verifier",
    ),
    "code": ({"rows": [RIGHT], "verifier": "os:system"}, "verifier: Value error, expected one of"),
    "unknown extractor": ({"rows": [RIGHT], "extract": "nix"}, "expected one of announced, bare, boxed"),
}


@pytest.mark.parametrize("body, told", FAULTS.values(), ids=FAULTS)
def test_errors_name_the_field(client, body, told):
    status, reply = post(client, **body)
    assert status == 422 and told in reply["detail"], reply


def test_what_is_no_json_is_refused(client):
    for content in (b'{"rows": [', b"[" * 5_000, b"\xff\xfe", b""):
        reply = client.post("/score", content=content, headers={"content-type": "application/json"})
        assert reply.status_code in (400, 422) and reply.json()["detail"]


def test_half_of_a_surrogate_pair_is_a_wrong_answer(client):
    content = b'{"rows": [{"response": "Final answer: \\ud800", "gold": "1"}]}'
    reply = client.post("/score", content=content, headers={"content-type": "application/json"})
    (score,) = reply.json()["scores"]
    assert reply.status_code == 200 and score["correct"] is not True and score["answer"] == "\ud800"


def test_large_requests_are_refused(client):
    status, reply = post(client, rows=[{**RIGHT, "response": "x" * 10_000}])
    assert status == 413 and reply["detail"].startswith("the request is larger than 0.0095")
    status, reply = post(client, rows=[RIGHT] * 9)
    assert status == 413 and reply["detail"] == "9 responses; send at most 8 in one request"


def test_a_full_queue_refuses_and_loses_nothing(client):
    replies = []
    first = threading.Thread(target=lambda: replies.append(post(client, rows=[HANGS, *[RIGHT] * 6])))
    first.start()
    while client.get("/health").json()["waiting"] != 7:
        assert first.is_alive()
        time.sleep(0.01)
    refused = client.post("/score", json={"rows": [RIGHT] * 2})
    assert refused.status_code == 429 and int(refused.headers["Retry-After"]) >= 1
    assert "7 of 8 responses are waiting" in refused.json()["detail"]
    assert post(client, rows=[RIGHT])[0] == 200  # the last place
    first.join()
    [(status, reply)] = replies
    assert status == 200 and [each["correct"] for each in reply["scores"]] == [None, *[False] * 6]
    assert reply["scores"][0]["reason"].startswith("timed out")
    assert client.get("/health").json()["waiting"] == 0


def test_openrlhf(client):
    """As OpenRLHF 0.11 posts: one query, its prompt, its label."""

    def ask(response, label, path="/get_reward"):
        query = {"query": ["Q" + response], "prompts": ["Q"], "labels": [label]}
        return post(client, path, **query)[1]

    assert ask("Final answer: 4</s>", "4") == {
        "rewards": [1.0], "scores": [1.0], "extra_logs": {"undecided": [0.0], "answered": [1.0]},
    }  # fmt: skip
    assert ask(HANGS["response"], HANGS["gold"])["rewards"] == [0.25]
    assert ask(RIGHT["response"], "0.75")["rewards"] == [0.0]
    assert ask(RIGHT["response"], "0.75", "/get_reward?task=math_qwen")["rewards"] == [1.0]
    assert ask(RIGHT["response"], "0.75", "/get_reward?extract=boxed")["rewards"] == [1.0]
    assert (
        "begin with its prompt"
        in post(client, "/get_reward", query=["4"], prompts=["Q"], labels=["4"])[1]["detail"]
    )


def test_metrics_and_interface(client):
    before = client.get("/metrics").text
    post(client, rows=[RIGHT])
    after = client.get("/metrics").text

    def value(text, name):
        return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(name)))

    wrong = 'lm_eval_ext_responses_total{verdict="wrong"}'
    assert value(after, wrong) == value(before, wrong) + 1
    assert value(after, "lm_eval_ext_waiting_responses") == 0
    assert value(after, 'lm_eval_ext_requests_total{path="/score",status="200"}') >= 1
    described = client.get("/openapi.json").json()
    assert {"/score", "/get_reward", "/health", "/metrics"} == set(described["paths"])
    assert client.get("/docs").status_code == 200


@pytest.mark.alone
@pytest.mark.full
def test_load():
    """Nothing is lost, swapped or undecided for no reason under load, with hangs and a killed worker."""
    found = measure(requests=500, clients=32, hanging=50, workers=2, timeout_s=1.0)
    assert found["not_answered"] == found["wrong_verdicts"] == found["refused_429"] == 0
    assert found["workers_killed"] == 1 and found["hanging"] == 10
    before, after = found["server_mb"]
    assert after < 1.2 * before


@pytest.mark.alone
@pytest.mark.full
def test_accepted_requests_are_finished_before_the_server_ends():
    with served("--workers", "1", "--timeout", "3") as running:
        replies = []
        connection = running.connection()
        asked = threading.Thread(
            target=lambda: replies.append(running.post(connection, "/score", {"rows": [HANGS]}))
        )
        asked.start()
        time.sleep(1)
        children = psutil.Process(running.process.pid).children(recursive=True)
        running.process.send_signal(signal.SIGTERM)
        asked.join(30)
        [(status, reply)] = replies
        assert status == 200 and reply["scores"][0]["correct"] is None
        assert running.process.wait(30) in (0, -signal.SIGTERM)
        assert children and psutil.wait_procs(children, 20)[1] == []


@pytest.mark.alone
@pytest.mark.full
def test_an_address_in_use_is_one_line():
    with served() as running:
        port = running.url.rpartition(":")[2]
        command = [sys.executable, "-m", "lm_eval_ext.cli", "serve", "--port", port]
        done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    told = f"Error: cannot listen on 127.0.0.1:{port}: Address already in use; choose another"
    assert done.stderr == f"{told} --host or --port\n"


@pytest.mark.alone
@pytest.mark.full
def test_without_the_extra_one_line_says_so():
    code = "import sys; sys.modules['fastapi'] = None; from lm_eval_ext.cli import app; app(['serve'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "Error: serve needs fastapi: pip install 'lm-eval-ext[serve]'\n"
