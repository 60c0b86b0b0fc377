import subprocess
import sys
import time

import pytest

pytestmark = [pytest.mark.unit, pytest.mark.alone]

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
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, timeout=50)
    assert done.returncode == 0 and done.stdout == "done\n", done.stderr
    return time.monotonic() - start


@pytest.mark.parametrize("name", ["EngineCore", "EngineCore_DP0"])
def test_an_engine_does_not_outlive_the_program(tmp_path, name):
    assert seconds_to_end(tmp_path, name, seconds=45) < 30


def test_another_process_is_waited_for(tmp_path):
    assert seconds_to_end(tmp_path, "worker", seconds=3) >= 3
