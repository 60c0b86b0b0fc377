"""Grading in child processes: verdicts come, every process ends by itself, and nothing is said on stderr."""

import os
import subprocess
import sys

import pytest

from lm_eval_ext.grading.cores import share_of, usable_cores
from tests.conftest import ROOT
from tests.grading.children import KINDS
from tests.grading.test_pool import gone

pytestmark = pytest.mark.unit

LIMIT_S = 150
HEAVY = {kind for kind in KINDS if kind.startswith(("data", "executor-forkserver", "process-"))}


def run(*command):
    """What a command in a session of its own printed; it must end in time, well, and leave nothing behind."""
    process = subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        pytest.fail(f"{command} hangs: {process.communicate()}")
    assert process.returncode == 0, err[-3000:]
    assert gone(process.pid)
    return out, err


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.full] * (kind in HEAVY)) for kind in KINDS]
)
def test_a_child_grades_and_ends(kind):
    noise = (
        "error" if not kind.startswith("data") else "default"
    )  # torch and datasets have warnings of their own
    out, err = run("-W", noise, "-m", "tests.grading.children", kind)
    assert out.split() and set(out.split()) == {"True"}
    assert err == "" or noise == "default"


@pytest.mark.full
def test_the_ranks_of_a_launcher_grade_share_the_cores_and_end():
    out, _ = run(
        *("-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"),
        *("--num_machines", "1"),
        *("--mixed_precision", "no", "--dynamo_backend", "no", "-m", "tests.grading.children", "accelerated"),
    )
    share = max(1, usable_cores() // 2)
    assert out.strip() == f"8 True [{share}, {share}]"


@pytest.mark.parametrize("name", ["LOCAL_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"])
def test_cores_are_shared_among_the_processes_of_a_launcher(monkeypatch, name):
    assert share_of(8) == 8
    monkeypatch.setenv(name, "4")
    assert (share_of(8), share_of(2)) == (2, 1)
