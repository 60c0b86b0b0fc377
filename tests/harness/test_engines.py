import io
import logging
import os
import subprocess
import sys
import time
import types
from pkgutil import resolve_name

import pytest

from lm_eval_ext.harness import engines
from lm_eval_ext.harness.logs import Once
from tests.conftest import ROOT

pytestmark = pytest.mark.unit

PROGRAM = """
import tempfile
folder = tempfile.TemporaryDirectory()  # a finalizer from before multiprocessing, as filelock makes one
import multiprocessing, time
from lm_eval_ext.harness import engines
if __name__ == "__main__":
    multiprocessing.get_context("fork").Process(target=time.sleep, args=({seconds},), name="{name}").start()
    engines.end_at_exit()
    print("done", flush=True)
"""


def seconds_to_end(tmp_path, name, seconds):
    file = tmp_path / "program.py"
    file.write_text(PROGRAM.format(name=name, seconds=seconds))
    start = time.monotonic()
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, timeout=150)
    assert done.returncode == 0 and done.stdout == "done\n", done.stderr
    return time.monotonic() - start


def test_vllm_is_settled_for_lm_eval_alone(monkeypatch):
    for name in engines.on_cpu():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delitem(sys.modules, "lm_eval", raising=False)
    engines.settle_lm_eval()
    assert not [name for name in engines.on_cpu() if name in os.environ]
    monkeypatch.setitem(sys.modules, "lm_eval", types.ModuleType("lm_eval"))
    monkeypatch.setattr(engines, "gpus", lambda: ("a GPU",))
    engines.settle_lm_eval()
    monkeypatch.setattr(engines, "gpus", lambda: ())
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "7")
    engines.settle_lm_eval()
    assert {name: os.environ[name] for name in engines.on_cpu()} == {
        **engines.on_cpu(), "VLLM_CPU_KVCACHE_SPACE": "7"
    }  # fmt: skip


def test_a_warning_is_shown_once_and_other_messages_each_time():
    log, shown = logging.getLogger("chatty"), io.StringIO()
    log.addHandler(logging.StreamHandler(shown))
    log.handlers[0].addFilter(Once())
    log.setLevel(logging.INFO)
    for text in ("skipped", "skipped", "left out"):
        log.warning("Triton is installed, but disabled")
        log.getChild("part").warning("it is %s", text)
        log.info("step")
    assert shown.getvalue().split("\n") == ["it is skipped", "step", "step", "it is left out", "step", ""]


def test_the_plugin_that_vllm_is_told_of_is_there():
    group = (ROOT / "pyproject.toml").read_text().partition('entry-points."vllm.general_plugins"]\n')[2]
    name = group.partition("\n")[0].partition("= ")[2].strip('"')
    assert resolve_name(name) is engines.settle_lm_eval


@pytest.mark.parametrize("name", ["EngineCore", "EngineCore_DP0"])
def test_an_engine_does_not_outlive_the_program(tmp_path, name):
    assert seconds_to_end(tmp_path, name, seconds=120) < 60


def test_another_process_is_waited_for(tmp_path):
    assert seconds_to_end(tmp_path, "worker", seconds=3) >= 3
