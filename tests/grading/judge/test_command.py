"""`lm-eval-ext grade --judge`: killed and resumed, refused, over budget; it calls nobody else."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from lm_eval_ext.cli import app
from lm_eval_ext.grading.judge import JudgeConfig, JudgeError, LlmJudge
from tests.grading.judge.test_judge import dead_url
from tests.scripted_server import Said, scripted

pytestmark = pytest.mark.unit

ROWS = 330


def rows(number=ROWS):
    """Answers in prose, each its own question; every seventh is right."""
    said = {"response": "Final answer: the grey cat", "gold": "some animal that is not a dog"}
    return [{"id": i, "problem": f"Who is number {i}?", **said} for i in range(number)]


def verdict_on(request):
    number = int(request["messages"][1]["content"].partition("Who is number ")[2].partition("?")[0])
    return "YES" if number % 7 == 0 else "NO"


@pytest.fixture
def command(tmp_path):
    """Makes command lines that grade `in.jsonl`."""
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows()))

    def make(*options, out="out.jsonl"):
        files = [str(tmp_path / "in.jsonl"), "--out", str(tmp_path / out), "--workers", "1"]
        cache = ["--judge-cache", str(tmp_path / "cache")]
        return ["grade", *files, *cache, *options]

    return make


def graded(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def run(arguments):
    """In this process, which has litellm loaded: that takes longer than the rest."""
    return CliRunner().invoke(app, arguments)


def test_a_killed_run_goes_on_and_pays_nothing_twice(command, tmp_path):
    slow = [True]
    with scripted(lambda r: Said(verdict_on(r), hangs=0.02 if slow[0] else 0)) as server:
        judged = command("--judge", "m", "--judge-base-url", server.url, "--judge-price", "1,2")
        process = subprocess.Popen(
            [sys.executable, "-m", "lm_eval_ext.cli", *judged], stderr=subprocess.DEVNULL
        )
        partial = tmp_path / "out.jsonl.partial"
        while not (
            partial.exists() and partial.read_bytes().count(b"\n") >= 256 and len(server.requests) > 275
        ):
            time.sleep(0.01)
            assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        there, asked = partial.read_bytes().count(b"\n"), len(server.requests)
        assert there < ROWS and asked < ROWS
        slow[0] = False
        done = run(judged)
        assert done.exit_code == 0 and f"resuming after {there} rows" in done.stderr
        assert ROWS <= len(server.requests) <= ROWS + 8  # those under way when it was killed
        again = run([*judged, "--overwrite"])
    assert "judge: 0 asked, 330 cached, 0 calls, 0 + 0 tokens, $0.0000" in again.stderr
    told = graded(tmp_path / "out.jsonl")
    assert [row["id"] for row in told] == list(range(ROWS))
    assert all((row["correct"], row["layer"]) == (row["id"] % 7 == 0, "judge") for row in told)


def test_what_was_asked_and_what_it_cost_is_printed(command, tmp_path):
    with scripted(verdict_on) as server:
        log = tmp_path / "log.jsonl"
        done = run(
            command(
                *("--judge", "m", "--judge-base-url", server.url, "--judge-price", "1,2"),
                *("--judge-log", str(log), "--judge-audit", "0.5", "--judge-concurrency", "3"),
            )
        )
    assert done.exit_code == 0 and server.most_at_once <= 3
    assert "judge: 330 asked, 0 cached, 330 calls, 33000 + 330 tokens, $0.0337" in done.stderr
    assert (
        "yes 48  no 282  malformed 0  unreachable 0" in done.stderr and "by layer: judge 330" in done.stderr
    )


def test_a_refusal_is_one_line_and_the_run_can_go_on(command, tmp_path):
    key = [False]
    with scripted(lambda r: verdict_on(r) if key[0] else Said("invalid key", 401)) as server:
        judged = command("--judge", "m", "--judge-base-url", server.url)
        done = run(judged)
        assert done.exit_code == 1 and len(server.requests) <= 8 and "Traceback" not in done.stderr
        errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
        assert len(errors) == 1 and "(401)" in errors[0] and "invalid key" in errors[0]
        assert not (tmp_path / "out.jsonl").exists()
        key[0] = True
        assert run(judged).exit_code == 0 and len(graded(tmp_path / "out.jsonl")) == ROWS


def test_an_unreachable_judge_does_not_stop_the_grading(command, tmp_path):
    done = run(command("--judge", "m", "--judge-base-url", dead_url(), "--judge-retries", "0"))
    assert done.exit_code == 0 and "unreachable 330" in done.stderr
    assert all(row["correct"] is None for row in graded(tmp_path / "out.jsonl"))
    assert "Connection error" in graded(tmp_path / "out.jsonl")[-1]["reason"]


def test_a_budget_that_ends_leaves_the_rest_undecided(command, tmp_path):
    with scripted(verdict_on) as server:
        price = ("--judge-price", "1000,1000", "--judge-budget-usd", "6")
        done = run(command("--judge", "m", "--judge-base-url", server.url, *price))
    told = graded(tmp_path / "out.jsonl")
    asked = [row for row in told if row["correct"] is not None]
    assert done.exit_code == 0 and 0 < len(asked) == len(server.requests) <= 6 / 0.101
    assert f"over budget {ROWS - len(asked)}" in done.stderr
    assert all("judge: budget reached" in row["reason"] for row in told if row["correct"] is None)


@pytest.mark.parametrize(
    "options, why",
    [
        (("--judge-cache", "x"), "Error: --judge-cache needs --judge MODEL"),
        (("--judge", "m", "--judge-price", "x"), "like 0.15,0.6; got 'x'"),
        (("--judge", "m", "--judge-prompt", "x"), "no prompt 'x'"),
        (
            ("--judge", "m", "--judge-base-url", "http://u", "--judge-budget-usd", "1"),
            "no price is known for m",
        ),
        (("--judge", "Qwen3"), "litellm knows no provider for 'Qwen3'"),
    ],
    ids=lambda value: value[-2] if isinstance(value, tuple) else "",
)
def test_options_that_cannot_be_are_one_line(command, options, why):
    done = run(command(*options))
    assert done.exit_code == 1 and why in done.stderr and "Traceback" not in done.stderr


LISTENING = """
import sys
calls = []
def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        calls.append(str(arguments[1] if event == "socket.connect" else arguments[0]))
sys.addaudithook(hook)
from lm_eval_ext.grading import Item, Verdict
from typer.testing import CliRunner

from lm_eval_ext.cli import app
from lm_eval_ext.grading.judge import JudgeConfig, LlmJudge
judge = LlmJudge(JudgeConfig("m", base_url=sys.argv[1], cache=sys.argv[2]))
assert "litellm" not in sys.modules
print(judge.judge([Item("", "1")], [Verdict(None, "none", "2")])[0].correct)
print([call for call in calls if "127.0.0.1" not in call])
"""


def test_litellm_calls_nobody_but_the_judge_and_says_nothing(tmp_path):
    clean = {k: v for k, v in os.environ.items() if k != "LITELLM_LOCAL_MODEL_COST_MAP"}
    with scripted(lambda request: "YES") as server:
        program = [sys.executable, "-c", LISTENING, server.url, str(tmp_path)]
        done = subprocess.run(program, capture_output=True, text=True, env=clean)
    assert (done.stdout, done.stderr) == ("True\n[]\n", "")


def test_a_missing_extra_is_one_clear_line(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "litellm", None)
    with pytest.raises(JudgeError, match=r"pip install 'lm-eval-ext\[judge\]'"):
        LlmJudge(JudgeConfig("m", cache=str(tmp_path)))
