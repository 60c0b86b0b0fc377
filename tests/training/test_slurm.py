"""The Slurm scripts, run as they are; the programs they start only say how they were started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts" / "slurm"


@pytest.fixture
def start(tmp_path):
    """Runs a script; `accelerate` and `lm-eval-ext` print their arguments, one a line."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("accelerate", "lm-eval-ext"):
        (folder / name).write_text('#!/bin/sh\nprintf "%s\\n" "${0##*/}" "$@"\n')
        (folder / name).chmod(0o755)
    (folder / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (folder / "python").chmod(0o755)

    def run(script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "REPO": str(ROOT),
            "VENV": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            **variables,
        }
        return subprocess.run(
            ["bash", str(SCRIPTS / script), *arguments],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )

    return run


def test_training_starts_the_recipes_trainer_through_accelerate(start):
    done = start(
        "train.sbatch",
        "training/configs/rlvr_gsm8k_lora.yaml",
        "--max_steps",
        "3",
        GPUS="4",
        SLURM_JOB_ID="7",
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[:3] == ["accelerate", "launch", "--config_file"]
    assert (ROOT / said[3]).is_file() and Path(said[3]).name == "ddp.yaml"
    assert said[4:] == [
        "--num_processes", "4", "--num_machines", "1", "--main_process_ip", "127.0.0.1",
        "--main_process_port", "20007", "--machine_rank", "0", "--module", "training.grpo",
        "--config", "training/configs/rlvr_gsm8k_lora.yaml", "--max_steps", "3",
    ]  # fmt: skip


def test_every_node_starts_its_share_of_the_processes(start, tmp_path):
    """`srun` stands in for Slurm and runs the task of the second of two nodes."""
    (tmp_path / "bin" / "srun").write_text('#!/bin/bash\nshift\nexport SLURM_NODEID=1\nexec "$@"\n')
    (tmp_path / "bin" / "scontrol").write_text("#!/bin/sh\necho node-7\necho node-8\n")
    for name in ("srun", "scontrol"):
        (tmp_path / "bin" / name).chmod(0o755)
    done = start(
        "train.sbatch", "training/configs/smoke_sft.yaml", "--run_name", "a b", GPUS="8", ACCELERATE="fsdp2",
        SLURM_NNODES="2", SLURM_JOB_NODELIST="node-[7-8]", SLURM_JOB_ID="7",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[4:] == [
        "--num_processes", "16", "--num_machines", "2", "--main_process_ip", "node-7",
        "--main_process_port", "20007", "--machine_rank", "1", "--module", "training.sft",
        "--config", "training/configs/smoke_sft.yaml", "--run_name", "a b",
    ]  # fmt: skip


def test_training_names_the_configurations_there_are(start):
    done = start("train.sbatch", "training/configs/smoke_sft.yaml", ACCELERATE="fsdp9")
    assert done.returncode == 2 and "fsdp2.yaml" in done.stderr
    assert start("train.sbatch").returncode == 2


@pytest.mark.parametrize(
    ("index", "model", "task"), [(0, "a", "x"), (1, "a", "y"), (2, "b", "x"), (3, "b", "y")]
)
def test_each_pair_is_evaluated_by_one_unsharded_process(start, index, model, task):
    done = start(
        "eval.sbatch", "--limit", "5", MODELS="a b", TASKS="x y", SLURM_ARRAY_TASK_ID=str(index),
        MODEL_ARGS="enable_thinking=False", MAX_MODEL_LEN="4096",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[:2] == ["lm-eval-ext", "run"] and said[-2:] == ["--limit", "5"]
    assert said[said.index("--tasks") + 1] == task
    arguments = said[said.index("--model_args") + 1]
    assert arguments.startswith(f"pretrained={model},")
    assert "tensor_parallel_size=1,seed=42" in arguments
    assert arguments.endswith("max_model_len=4096,enable_thinking=False")


def test_pairs_beyond_the_last_and_no_pairs(start):
    assert "nothing to do" in start("eval.sbatch", MODELS="a", TASKS="x", SLURM_ARRAY_TASK_ID="1").stdout
    assert start("eval.sbatch", MODELS="a").returncode == 2


def test_scripts_pass_shellcheck():
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run(
        ["shellcheck", *map(str, sorted(SCRIPTS.glob("*.sbatch")))], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_no_place_of_a_site_is_written_down():
    for script in SCRIPTS.glob("*.sbatch"):
        text = script.read_text("utf-8")
        for word in ("/gscratch", "/scratch", "/home/", "--account=", "--partition="):
            assert word not in text, f"{script.name}: {word}"
