"""Hostile programs harm nothing and pass nothing."""

import os
import platform
import re
import socket
import tempfile
import time

import psutil
import pytest

from lm_eval_ext.rewards import verifier
from lm_eval_ext.rewards.code.sandbox import isolation
from tests.clock import STALL_S
from tests.rewards.hostile_programs import HARM, PRETENCE

pytestmark = pytest.mark.unit

ROW = {"test_list": ["assert f(4711) == 4712", "assert f(90210) == 90211"]}
RIGHT = "def f(n): return n + 1"


@pytest.fixture
def code(monkeypatch):
    monkeypatch.setenv("HF_ALLOW_CODE_EVAL", "1")
    return verifier("code", timeout_s=1, memory_mb=512, workers=2)


@pytest.fixture
def canary(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "value")
    (tmp_path / "canary").write_text("alive")
    yield tmp_path / "canary"
    assert [path.name for path in tmp_path.iterdir()] == ["canary"]
    assert (tmp_path / "canary").read_text() == "alive" and (tmp_path / "canary").stat().st_mode & 0o600


@pytest.fixture(autouse=True)
def left_behind(tmp_path_factory, monkeypatch):
    """Nothing is left: no process, no folder."""
    folder = tmp_path_factory.mktemp("programs")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))  # other tests run programs at the same time
    before = {*psutil.Process().children(recursive=True)}  # the graders of other tests
    yield
    due = time.monotonic() + STALL_S
    while (left := {*psutil.Process().children(recursive=True)} - before) and time.monotonic() < due:
        time.sleep(0.01)
    assert not left and not list(folder.iterdir())


@pytest.mark.skipif(
    not isolation.landlock_version() or platform.machine() not in isolation.ARCHITECTURES,
    reason="this system isolates programs in part only: see the row `programs` of lm-eval-ext doctor",
)
def test_programs_harm_nothing_and_pass_nothing(code, canary):
    with socket.create_server(("127.0.0.1", 0)) as server:
        given = {"CANARY": canary, "PARENT": os.getpid(), "PORT": server.getsockname()[1]}
        filled = re.compile("|".join(given))
        programs = {n: filled.sub(lambda found: str(given[found[0]]), text) for n, text in HARM.items()}
        assert faults(code, programs) == {}


def test_programs_that_pretend_pass_nothing(code):
    assert faults(code, PRETENCE) == {}


def faults(code, programs):
    """The programs that score, and a right one before or after them that does not."""
    named = {"right": RIGHT, **programs, "right again": RIGHT}
    scores = code([f"```python\n{program}\n```" for program in named.values()], [ROW] * len(named))
    found = {name: score for name, score in zip(named, scores, strict=True) if score.correct is not False}
    assert found.pop("right").correct and found.pop("right again").correct
    return found | {
        name: score for name, score in zip(named, scores, strict=True) if 0 < (score.value or 0) < 1
    }
