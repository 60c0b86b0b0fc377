"""The examples, run as their first lines say."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from benchmarks.serve import served
from tests.analysis.builtin import gsm8k_rows, write_builtin
from tests.conftest import ROOT
from tests.rewards.test_adapters import verl

EXAMPLES = ROOT / "examples"
BIN = Path(sys.executable).parent


def run(*command, **environment):
    """What a command prints, run in the repository; a failed one shows its errors."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    given = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg", **environment}
    done = subprocess.run(list(map(str, command)), cwd=ROOT, env=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.unit
def test_every_example_is_listed():
    listed = (EXAMPLES / "README.md").read_text()
    files = {path.name for path in EXAMPLES.iterdir() if path.is_file()} - {"README.md", "problems.csv"}
    assert [name for name in files if f"]({name})" not in listed] == []
    used = Path(__file__).read_text()
    assert [name for name in files if f'"{name}"' not in used] == []


@pytest.mark.unit
def test_verl_loads_the_reward_from_the_file():
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("custom_module", EXAMPLES / "verl_reward.py")  # as verl's loader does
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert verl(module.compute_score, r"\boxed{4}. Final answer: 5", "4")[0] == 1.0


@pytest.mark.unit
def test_the_gate_calls_the_workflow_as_it_is_declared():
    gate = yaml.safe_load((EXAMPLES / "gate.yml").read_text())["jobs"]["gate"]
    place = gate["uses"].removeprefix("OWNER/lm-eval-ext/").partition("@")[0]
    declared = yaml.safe_load((ROOT / place).read_text())[True]["workflow_call"]["inputs"]
    required = {name for name, asked in declared.items() if asked.get("required")}
    assert required <= set(gate["with"]) <= set(declared)


@pytest.mark.unit
@pytest.mark.full
def test_the_server_s_client():
    with served() as server:
        printed = run(sys.executable, EXAMPLES / "http_reward.py", server.url)
    assert [line.partition(" ")[0] for line in printed.splitlines()] == ["1.0", "1.0", "None"]


@pytest.mark.unit
@pytest.mark.full
def test_logs_are_graded_again_and_reported(tmp_path):
    write_builtin(tmp_path / "logs", {"gsm8k": gsm8k_rows()})
    printed = run("bash", EXAMPLES / "regrade_logs.sh", tmp_path / "logs", tmp_path / "out")
    assert "gsm8k" in printed and (tmp_path / "out" / "report" / "report.html").is_file()


@pytest.mark.unit
@pytest.mark.full
def test_the_notebook():
    cells = json.loads((EXAMPLES / "compare.ipynb").read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    printed = run(sys.executable, "-c", "\n".join(code))
    assert "p = " in printed and "report.html" in printed


@pytest.mark.model
@pytest.mark.full
def test_a_task_of_one_s_own(tiny_model, tmp_path):
    options = ["--model", "hf", "--model_args", f"pretrained={tiny_model}", "--batch_size", "4"]
    short = ["--gen_kwargs", "max_gen_toks=4", "--log_samples", "--output_path", tmp_path]
    printed = run("lm-eval-ext", "run", "--tasks", EXAMPLES / "own_task.yaml", *options, *short)
    assert "fractions" in printed
    (file,) = tmp_path.rglob("samples_fractions_*.jsonl")
    assert len(file.read_text().splitlines()) == len((EXAMPLES / "problems.csv").read_text().splitlines()) - 1


@pytest.mark.model
@pytest.mark.full
def test_grpo_in_trl(tiny_model, tmp_path):
    small = {
        "model_name_or_path": tiny_model, "output_dir": tmp_path, "max_steps": 1, "num_generations": 2,
        "per_device_train_batch_size": 2, "max_completion_length": 4, "logging_steps": 1, "report_to": "none",
        "bf16": False,
    }  # fmt: skip
    options = [word for name, value in small.items() for word in (f"--{name}", value)]
    printed = run(sys.executable, EXAMPLES / "trl_reward.py", *options)
    assert "rewards/accuracy_reward/mean" in printed
