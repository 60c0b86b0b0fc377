"""SFT, GRPO and the whole loop with a model of random weights: what must run, not what must learn."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.training.models import write_tiny_qwen3

pytestmark = pytest.mark.model

CONFIGS = ROOT / "training" / "configs"
FEW = ("--max_steps", "2", "--save_steps", "2", "--size", "32")
ENVIRONMENT = {**os.environ, "LM_EVAL_EXT_DATA": "sample", "HF_HUB_OFFLINE": "1"}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> str:
    return write_tiny_qwen3(tmp_path_factory.mktemp("tiny_qwen3"))


def lines(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def trained(module: str, config: str, tiny: str, out: Path, *more: str) -> Path:
    settings = ("--config", str(CONFIGS / config), "--model_name_or_path", tiny, "--output_dir", str(out))
    done = subprocess.run(
        [sys.executable, "-m", module, *settings, *FEW, "--preflight", "false", *more],
        capture_output=True, text=True, env=ENVIRONMENT, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return out


def test_full_sft(tiny, tmp_path):
    """All weights, in bfloat16: a checkpoint that is a model."""
    from transformers import AutoModelForCausalLM

    full = ("--use_peft", "false", "--load_in_4bit", "false")
    out = trained("training.sft", "smoke_sft.yaml", tiny, tmp_path / "sft", *full)
    before, after = (AutoModelForCausalLM.from_pretrained(place) for place in (tiny, out / "checkpoint-2"))
    assert any((a != b).any() for a, b in zip(before.parameters(), after.parameters(), strict=True))


def test_grpo(tiny, tmp_path):
    """GRPO's own loss with a KL term; every rollout is on file."""
    more = ("--loss_type", "grpo", "--scale_rewards", "group", "--beta", "0.04", "--load_in_4bit", "false")
    out = trained("training.grpo", "smoke_grpo.yaml", tiny, tmp_path / "grpo", *more)
    rollouts = lines(out / "rollouts.jsonl")
    assert len(rollouts) == 2 * 64
    assert {row["step"] for row in rollouts} == {0, 1}
    assert all(row["id"].startswith("train-") and row["truncated"] is not None for row in rollouts)
    log = json.loads((out / "trainer_state.json").read_text())["log_history"]
    assert all("kl" in row and "reward/grading_s" in row for row in log if "loss" in row)


def test_a_stopped_grpo_goes_on_and_keeps_each_rollout_once(tiny, tmp_path):
    out = tmp_path / "grpo"
    for steps in ("2", "4"):
        trained("training.grpo", "smoke_grpo.yaml", tiny, out, "--max_steps", steps, "--save_steps", "1")
        if steps == "2":
            with (out / "rollouts.jsonl").open("a") as file:  # of a step that was not saved, and half a line
                file.write(json.dumps({"step": 2}) + "\n" + '{"step": 2, "compl')
    assert [row["step"] for row in lines(out / "rollouts.jsonl")] == [i // 64 for i in range(4 * 64)]


def test_a_hanging_completion_costs_its_deadline_and_the_step_goes_on(tiny, tmp_path, monkeypatch):
    """Grading takes a small share of a step; a completion that no one can compute adds 5 s to its own."""
    import training.rewards
    from training.grpo import trainer

    class Hanging(training.rewards.RecordedReward):
        batches = 0

        def verdicts(self, completions, gold, problems=None):
            self.batches += 1
            if self.batches == 3:
                completions = ["Final answer: 9^{9^{9^9}}", *completions[1:]]
            return super().verdicts(completions, gold, problems)

    monkeypatch.setattr(training.rewards, "RecordedReward", Hanging)
    monkeypatch.setenv("LM_EVAL_EXT_DATA", "sample")
    made = trainer(
        [
            *("--config", str(CONFIGS / "smoke_grpo.yaml"), "--model_name_or_path", tiny, *FEW[2:]),
            *("--max_steps", "4", "--gradient_accumulation_steps", "1", "--preflight", "false"),
            *("--output_dir", str(tmp_path)),
        ]
    )
    made.train()
    log = [row for row in made.state.log_history if "reward/grading_s" in row]
    graded = [row["reward/grading_s"] for row in log]
    assert len(log) == 4 and 5 <= graded[2] < 6.5, graded
    assert graded[3] < 1, graded  # the first and second start the workers
    assert [row["reward/undecided"] for row in log] == [0, 0, 1 / 32, 0]
    assert all(row["grad_norm"] == row["grad_norm"] for row in log), (
        "the step went on without that completion"
    )


def loop(out: Path, tiny: str, **more):
    command = [sys.executable, "-m", "training.pipeline", "--out", str(out), "--model", tiny, "--limit", "8"]
    for config in ("smoke_sft.yaml", "smoke_grpo.yaml"):
        command += ["--config", str(CONFIGS / config)]
    return subprocess.Popen(
        [*command, *FEW], env=ENVIRONMENT, cwd=ROOT, text=True, start_new_session=True, **more
    )


def test_the_loop_goes_on_after_a_kill(tiny, tmp_path):
    """QLoRA SFT, then Dr. GRPO from what it chose, merged, proven in vLLM, evaluated and compared."""
    out = tmp_path / "loop"
    first = loop(out, tiny, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while first.poll() is None and not (out / "smoke_sft" / "train" / "checkpoint-2").is_dir():
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL, "it ended before it was killed"

    again = loop(out, tiny, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said, log = again.communicate()
    assert again.returncode == 0, log[-4000:]
    assert f"{out}/summary.md" in said
    assert "base: evaluate: done before" in log and "smoke_grpo: data: done before" in log

    summary = json.loads((out / "summary.json").read_text())
    assert [model["model"] for model in summary["models"]] == [
        "base",
        "smoke_sft",
        "smoke_grpo",
        "base_own_prompts",
    ]
    assert all(model["n"] == "8" for model in summary["models"])
    assert len(summary["comparisons"]) == 3
    for stage in ("smoke_sft", "smoke_grpo"):
        findings = json.loads((out / stage / "merged" / "checkpoint-2" / "merge.json").read_text())[
            "findings"
        ]
        assert len(findings) == 7 and all(finding["passed"] is True for finding in findings), findings
        assert (out / f"{stage}.png").stat().st_size > 5_000
    started_from = json.loads((out / "smoke_grpo" / "train" / "trained_with.json").read_text())["base"]
    assert started_from == str(out / "smoke_sft" / "merged" / "checkpoint-2")
