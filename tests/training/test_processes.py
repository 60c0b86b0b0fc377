"""Two processes on a CPU (gloo) train as one does; a stand-in samples for them as vLLM's server would."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lm_eval_ext.harness.errors import UserError
from tests.conftest import ROOT
from tests.training.models import write_tiny_qwen3
from training import launch, recipe_files
from training.batch import batch_options
from training.launch import Launch, started
from training.setup import STATE

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("default")]
TOLERANCE = 2e-4
"""Relative, for losses and gradient norms in float32: sums are taken in another order."""
COMMON = {
    "use_peft": "false",
    "dtype": "float32",
    "bf16": "false",
    "max_steps": "3",
    "save_steps": "3",
    "logging_steps": "1",
    "learning_rate": "1e-3",
    "lr_scheduler_type": "constant",
    "gradient_checkpointing": "false",
    "preflight": "false",
}
SFT = {**COMMON, "load_in_4bit": "false", "size": "32", "max_length": "512"}
GRPO = {
    **COMMON,
    "global_batch": "16",
    "per_device_train_batch_size": "8",
    "num_generations": "4",
    "size": "64",
}
OFF_POLICY = {"vllm_importance_sampling_correction": "false"}  # the stand-in has no probabilities


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> str:
    return write_tiny_qwen3(tmp_path_factory.mktemp("tiny_qwen3"))


@pytest.fixture(autouse=True)
def _sample(monkeypatch):
    monkeypatch.setenv("LM_EVAL_EXT_DATA", "sample")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(ROOT)


def arguments(config: str, tiny: str, out: Path, *options: dict[str, str]) -> list[str]:
    listed = {"config": config, "model_name_or_path": tiny, "output_dir": str(out)}
    for more in options:
        listed |= more
    return [part for name, value in listed.items() for part in (f"--{name}", value)]


def logged(out: Path, *names: str) -> dict[str, list[float]]:
    rows = [row for row in json.loads((out / STATE).read_text())["log_history"] if "loss" in row]
    assert [row["step"] for row in rows] == [1, 2, 3]
    return {name: [row[name] for row in rows] for name in names}


@pytest.mark.full
def test_sft_has_the_losses_of_one_process(tiny, tmp_path):
    """Data parallel, and with the model divided by FSDP2; through the command that users have."""
    ways = {"one": {}, "ddp": {"processes": "2"}, "fsdp2": {"processes": "2", "accelerate": "fsdp2"}}
    for name, more in ways.items():
        given = arguments("smoke_sft", tiny, tmp_path / name, SFT, more)
        command = [sys.executable, "-m", "lm_eval_ext.cli", "train", "sft", *given]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
    one, *others = (logged(tmp_path / name, "loss", "grad_norm") for name in ways)
    assert one["loss"][2] < one["loss"][0] - 0.1, "nothing was learnt, so that nothing was compared"
    for other in others:
        for name, values in one.items():
            assert other[name] == pytest.approx(values, rel=TOLERANCE), name
    assert json.loads((tmp_path / "ddp" / STATE).read_text())["train_batch_size"] == 4  # of 8 rows


@pytest.mark.full
def test_grpo_with_a_server_has_the_losses_of_one_process(tiny, tmp_path, monkeypatch):
    """The launcher starts the server, gives its address to the trainers, and ends it."""
    ports = []

    def stand_in(self, port):
        ports.append(port)
        return [sys.executable, "-m", "tests.training.scripted_server", str(port), tiny]

    monkeypatch.setattr(Launch, "serve_command", stand_in)
    names = ("loss", "grad_norm", "entropy", "reward", "frac_reward_zero_std")
    found = {}
    for name, more in {
        "one": {"processes": "1"},
        "ddp": {"processes": "2"},
        "fsdp2": {"processes": "2", "accelerate": "fsdp2"},
    }.items():
        given = arguments("smoke_grpo", tiny, tmp_path / name, GRPO, OFF_POLICY, more)
        Launch("tests.training.served_grpo", given, recipe_files.settings_given(given), [], ["0"]).run()
        found[name] = logged(tmp_path / name, *names)
        weights = (tmp_path / name / "vllm_server.log").read_text().split("\n")
        assert len([line for line in weights if line.startswith("weights: ")]) >= 2
        with socket.socket() as port, pytest.raises(ConnectionRefusedError):
            port.connect(("127.0.0.1", ports[-1]))
    assert found["one"]["reward"] == [0.5] * 3 and all(found["one"]["grad_norm"])
    for other in ("ddp", "fsdp2"):
        for name, values in found["one"].items():
            assert found[other][name] == pytest.approx(values, rel=TOLERANCE, abs=1e-6), f"{other}: {name}"
    rollouts = [
        json.loads(line)
        for file in (tmp_path / "ddp").glob("rollouts*.jsonl")
        for line in file.read_text().splitlines()
    ]
    assert len(rollouts) == 48 and sum(row["correct"] for row in rollouts) == 24


@pytest.mark.full
def test_a_recipe_that_fails_preflight_starts_no_process(tiny, tmp_path, capfd):
    given = arguments("smoke_sft", tiny, tmp_path, {"processes": "2", "max_length": "16"})
    with pytest.raises(SystemExit) as ended:
        started("sft", given)
    assert ended.value.code == 1 and "accelerate" not in capfd.readouterr().err


@pytest.mark.unit
@pytest.mark.parametrize(
    ("given", "processes", "options"),
    [
        ({"global_batch": 512, "per_device_train_batch_size": 16}, 1, (16, 32)),
        ({"global_batch": 512, "per_device_train_batch_size": 16}, 8, (16, 4)),
        ({"global_batch": "48", "per_device_train_batch_size": "32"}, 1, (24, 2)),
        ({"global_batch": 16}, 2, (8, 1)),
        ({"per_device_train_batch_size": 16}, 8, None),
        ({"global_batch": 20}, 8, "global_batch is 20; it must be a multiple of the 8 processes"),
        ({"global_batch": 4}, 8, "it must be a multiple of the 8 processes"),
        ({"global_batch": "many"}, 1, "global_batch must be a whole number, got 'many'"),
        ({"global_batch": 8, "gradient_accumulation_steps": 2}, 1, "give one of them"),
    ],
)
def test_the_batch_of_a_process(given, processes, options):
    if isinstance(options, str):
        with pytest.raises(UserError, match=options):
            batch_options(given, processes)
        return
    names = ("--per_device_train_batch_size", "--gradient_accumulation_steps")
    pairs = zip(names, map(str, options or ()), strict=False)
    assert batch_options(given, processes) == [part for pair in pairs for part in pair]


def launched(gpus: int, **settings: str) -> Launch:
    given = arguments("smoke_grpo", "M", Path("out"), settings)
    return Launch.of("training.grpo", given, [str(gpu) for gpu in range(gpus)])


@pytest.mark.unit
@pytest.mark.parametrize(
    ("gpus", "settings", "training", "sampling", "processes"),
    [
        (0, {}, 0, 0, 1),
        (0, {"processes": "2"}, 0, 0, 2),
        (1, {}, 1, 0, 1),
        (8, {}, 8, 0, 8),
        (8, {"processes": "2"}, 2, 0, 2),
        (8, {"vllm-gpus": "2"}, 6, 2, 6),
    ],
)
def test_gpus_are_divided_between_training_and_sampling(gpus, settings, training, sampling, processes):
    made = launched(gpus, **settings)
    assert (len(made.gpus), len(made.server_gpus), made.processes) == (training, sampling, processes)
    assert not set(made.gpus) & set(made.server_gpus)
    command = made.command(["--x", "y"])
    assert command[command.index("--num_processes") + 1] == str(processes)
    assert command[command.index("--module") + 1 :][:2] == ["training.grpo", "--config"]
    assert command[-2:] == ["--x", "y"] and Path(command[command.index("--config_file") + 1]).is_file()


@pytest.mark.unit
@pytest.mark.parametrize(
    ("gpus", "settings", "message"),
    [
        (1, {"vllm_gpus": "1"}, "1 processes and vllm_gpus 1 need as many GPUs, and 1 are free"),
        (0, {"vllm_gpus": "1"}, "0 are free"),
        (2, {"processes": "3"}, "3 processes"),
        (2, {"accelerate": "zero9"}, "accelerate is 'zero9'; it must be a file, or one of ddp, fsdp2, zero3"),
        (2, {"accelerate": "zero3"}, r"needs deepspeed: pip install 'lm-eval-ext\[deepspeed\]'"),
        (3, {}, "global_batch is 64; it must be a multiple of the 3 processes"),
    ],
)
def test_what_cannot_be_launched_is_refused_before_any_process(monkeypatch, gpus, settings, message):
    monkeypatch.setattr(launch.subprocess, "run", lambda *_, **__: pytest.exit("a process"))
    monkeypatch.setattr(launch, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=message):
        launched(gpus, **settings).run()


@pytest.mark.unit
def test_the_server_is_vllm_s_own_on_all_its_gpus():
    command = launched(8, vllm_gpus="2", vllm_max_model_length="4096").serve_command(8001)
    assert command[1:5] == ["-m", "vllm.entrypoints.cli.main", "serve", "M"]
    options = dict(zip(command[5::2], command[6::2], strict=True))
    assert options["--data-parallel-size"] == "2" and options["--max-model-len"] == "4096"
    assert options["--logprobs-mode"] == "processed_logprobs" and "--revision" not in options


@pytest.mark.unit
def test_a_server_that_ends_is_named_with_its_log(tmp_path):
    with (
        pytest.raises(UserError, match=r"did not start \(exit code 3\): see .*vllm_server.log"),
        launch._served([sys.executable, "-c", "raise SystemExit(3)"], ["0"], 9, tmp_path / "vllm_server.log"),
    ):
        pytest.fail("a server")


@pytest.mark.unit
def test_one_process_of_several_gpus_sees_one(monkeypatch):
    monkeypatch.setattr(launch, "free_gpus", lambda: ["2", "3"])
    monkeypatch.setitem(os.environ, "CUDA_VISIBLE_DEVICES", "2,3")
    assert not started("sft", ["--config", "smoke_sft", "--processes", "1"])
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2"
    monkeypatch.setitem(os.environ, "RANK", "1")
    assert not started("sft", ["--config", "smoke_sft"])
