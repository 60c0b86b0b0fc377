"""Every command ends with the command to run next, and what it prints on stdout is its results alone."""

import json
import os
import shlex
import subprocess
import sys
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from lm_eval_ext.cli import app
from tests.analysis.logged import write_run
from tests.cli.test_help import OURS

pytestmark = pytest.mark.unit

CALLS = {
    "grade good.jsonl --out graded.jsonl": "explain",
    "regrade a": "regrade a --out regraded",
    "regrade a --out regraded": "report regraded",
    "compare a b": "report a b",
    "report a b --out page": "compare a b",
    "report a --out page": "report a --audit",
    "report a --audit 2 --out audit": "report --audit-labels audit/sheet.csv",
    "check-baseline --list": "check-baseline RUN",
    "check-baseline a --record mine --folder own": "check-baseline ANOTHER_RUN --baseline mine --folder own",
    "check-baseline a --baseline mine --folder own": "view a",
    "doctor": "run --model ",
    "new-task x --data table.csv --problem-field q --gold-field a": "run --tasks x.yaml",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("good")
    (root / "good.jsonl").write_text(json.dumps({"response": "Final answer: 1", "gold": "1"}) + "\n")
    (root / "table.csv").write_text("q,a\n1,2\n")
    write_run(root / "a", [True, False])
    write_run(root / "b", [True, True])
    return root


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)


@pytest.mark.parametrize("call", CALLS)
def test_the_last_line_is_a_command(here, call):
    done = CliRunner().invoke(app, call.split())
    assert done.exit_code == 0, done.output
    last = done.stderr.splitlines()[-1]
    program, *words = shlex.split(last.removeprefix("next: "), comments=True)
    assert last.startswith("next: ") and "next: " not in done.stdout
    assert program == "lm-eval-ext" and shlex.join(words).startswith(CALLS[call])
    known = {option for parameter in OURS[words[0]].params for option in parameter.opts}
    assert words[0] == "run" or {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("runs_there", [True, False])
def test_view_says_that_a_folder_has_no_runs(tmp_path, monkeypatch, runs_there):
    nothing = list  # instead of serving
    served = SimpleNamespace(server_address=("", 1), serve_forever=nothing, server_close=nothing)
    monkeypatch.setattr("lm_eval_ext.view.app.server", lambda view, port: served)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    if runs_there:
        write_run(tmp_path / "a", [True])
    done = CliRunner().invoke(app, ["view", str(tmp_path), "--no-open"])
    assert done.exit_code == 0 and ("nothing found in" in done.output) is not runs_there


def test_a_part_of_another_command_says_nothing_of_the_next(here, monkeypatch):
    monkeypatch.setenv("LM_EVAL_EXT_PART", "1")
    assert "next: " not in CliRunner().invoke(app, ["compare", "a", "b"]).output


@pytest.mark.parametrize("given", [{}, {"TQDM_MININTERVAL": "0"}])
def test_a_bar_is_printed_as_seldom_as_asked(tmp_path, given):
    rows = [{"response": f"Final answer: {i}", "gold": str(i)} for i in range(100)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    command = [sys.executable, "-m", "lm_eval_ext.cli", "grade", "-"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TQDM_")} | given
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=environment)
    assert [json.loads(line)["correct"] for line in done.stdout.splitlines()] == [True] * 100
    assert (done.stderr.count("rows") > 0) and (done.stderr.count("row/s") <= 3) == (not given)


def test_without_a_terminal_bars_wait_a_minute_and_vllm_logs_errors_on_stderr(monkeypatch):
    expected = {
        "TQDM_MININTERVAL": "60",
        "VLLM_LOGGING_STREAM": "ext://sys.stderr",
        "VLLM_LOGGING_LEVEL": "ERROR",
    }
    for name in expected:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    assert CliRunner().invoke(app, ["tasks-path"]).exit_code == 0
    assert expected.items() <= os.environ.items()
