"""SFT, GRPO and the whole loop with a model of random weights: what must run, not what must learn."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.rewards import AccuracyReward
from tests.clock import STALL_S
from tests.conftest import ROOT
from tests.training.models import write_tiny_qwen3
from training import grpo, sft
from training.merge.__main__ import app as merging
from training.setup import STATE, checkpoints

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("default")]  # of TRL, vLLM and torch

CONFIGS = ROOT / "training" / "configs"
FEW = ("--save_steps", "2", "--size", "32")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> str:
    return write_tiny_qwen3(tmp_path_factory.mktemp("tiny_qwen3"))


@pytest.fixture(autouse=True)
def _sample(monkeypatch):
    monkeypatch.setenv("LM_EVAL_EXT_DATA", "sample")


def lines(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text("utf-8").split("\n") if line]


def settings(config: str, tiny: str, out: Path, steps: int, *more: str) -> list[str]:
    """As on the command line of `training.sft` and `training.grpo`."""
    given = ["--config", str(CONFIGS / config), "--model_name_or_path", tiny, "--output_dir", str(out)]
    return [*given, *FEW, "--max_steps", str(steps), "--preflight", "false", *more]


def test_full_sft(tiny, tmp_path, capsys):
    """All weights, in bfloat16: a checkpoint that is a model."""
    from transformers import AutoModelForCausalLM

    sft.main(settings("smoke_sft.yaml", tiny, tmp_path, 2, "--use_peft", "false", "--load_in_4bit", "false"))
    model, following = capsys.readouterr().err.splitlines()[-2:]
    places = (tiny, tmp_path / "checkpoint-2")
    before, after = (AutoModelForCausalLM.from_pretrained(place) for place in places)
    assert any((a != b).any() for a, b in zip(before.parameters(), after.parameters(), strict=True))
    assert model == f"model: {tmp_path}" and following.startswith("next: lm-eval-ext run --model vllm")


@pytest.mark.full
def test_training_names_the_merge_and_a_check_that_was_switched_off_is_not_missing(tiny, tmp_path, capsys):
    out = tmp_path / "adapter"
    sft.main(settings("smoke_sft.yaml", tiny, out, 2, "--load_in_4bit", "false", "--learning_rate", "1e-2"))
    words = shlex.split(capsys.readouterr().err.splitlines()[-1])
    assert words == ["next:", "lm-eval-ext", "train", "merge", str(out), "--out", f"{out}-merged"]
    brief = ("--no-vllm", "--prompts", "2", "--tokens", "4", "--dtype", "float32")
    done = CliRunner().invoke(merging, [*words[4:], *brief])
    assert done.exit_code == 0, done.output
    assert "next: lm-eval-ext run --model vllm --tasks arith_words" in done.stderr
    assert ",dtype=float32," in done.stderr
    assert len(json.loads(Path(f"{out}-merged", "merge.json").read_text())["findings"]) == 6


def test_grpo_that_was_stopped_goes_on_and_keeps_each_rollout_once(tiny, tmp_path):
    """GRPO's own loss with a KL term. Killed while it saved, it goes on from what is whole."""
    more = ("--loss_type", "grpo", "--scale_rewards", "group", "--beta", "0.04")
    grpo.main(settings("smoke_grpo.yaml", tiny, tmp_path, 2, *more))
    first = lines(tmp_path / "rollouts.jsonl")
    assert [row["step"] for row in first] == [0] * 64 + [1] * 64
    assert all(row["id"].startswith("train-") and row["truncated"] is not None for row in first)
    with (tmp_path / "rollouts.jsonl").open("a") as file:  # of a step that was not saved, and half a line
        file.write(json.dumps({"step": 2, "completion": "\u2028"}, ensure_ascii=False) + '\n{"step": 2, "com')
    (tmp_path / "checkpoint-3").mkdir()

    grpo.main(settings("smoke_grpo.yaml", tiny, tmp_path, 4, *more))
    assert list(checkpoints(tmp_path)) == [2, 4]
    rollouts = lines(tmp_path / "rollouts.jsonl")
    assert [row["step"] for row in rollouts] == [i // 64 for i in range(4 * 64)] and rollouts[:128] == first
    log = [row for row in json.loads((tmp_path / STATE).read_text())["log_history"] if "loss" in row]
    assert [row["step"] for row in log] == [1, 2, 3, 4]
    assert all("kl" in row and "reward/grading_s" in row for row in log)

    weights = (tmp_path / "adapter_model.safetensors").read_bytes()
    grpo.main(settings("smoke_grpo.yaml", tiny, tmp_path, 4, *more))  # finished: nothing is trained
    assert list(checkpoints(tmp_path)) == [2, 4] and lines(tmp_path / "rollouts.jsonl") == rollouts
    assert (tmp_path / "adapter_model.safetensors").read_bytes() == weights


@pytest.mark.full
def test_a_resumed_run_draws_as_one_that_was_not_stopped(tiny, tmp_path):
    """Adaptive sampling over two epochs of three draws; stopped in the second one."""
    more = ("--adaptive_sampling", "0.3", "--size", "8", "--global_batch", "16")
    more += ("--max_completion_length", "4", "--dtype", "float32", "--bf16", "false")
    draws, drawn = {}, {}
    for name, stops in (("whole", (6,)), ("stopped", (4, 6))):
        for steps in stops:
            grpo.main(settings("smoke_grpo.yaml", tiny, tmp_path / name, steps, *more))
        draws[name] = lines(tmp_path / name / "draws.jsonl")
        drawn[name] = [row["id"] for row in lines(tmp_path / name / "rollouts.jsonl")[::8]]
    assert draws["whole"] == draws["stopped"] and drawn["whole"] == drawn["stopped"]
    assert [name for row in draws["whole"] for name in row["ids"]] == drawn["whole"]
    assert [(row["epoch"], row["step"]) for row in draws["whole"]] == [(i // 3, i) for i in range(6)]


@pytest.mark.full
def test_the_largest_kl_and_ratio_are_logged(tiny, tmp_path):
    """Completions are used for two steps: in the first they are the policy's own."""
    more = ("--global_batch", "8", "--num_iterations", "2", "--beta", "0.04", "--learning_rate", "1e-2")
    made = grpo.trainer(settings("smoke_grpo.yaml", tiny, tmp_path, 2, *more, "--warmup_steps", "0"))
    made.reward_funcs = [lambda completions, **_: [float(len(text)) for text in completions]]
    made.train()
    first, second = (row for row in made.state.log_history if "loss" in row)
    assert first["ratio_max"] == pytest.approx(1) and first["kl_max"] == pytest.approx(0, abs=1e-6)
    assert second["ratio_max"] > 1 and second["kl_max"] > second["kl"] > 0


def test_a_checkpoint_that_is_none_is_refused(tiny, tmp_path):
    with pytest.raises(UserError, match=r"resume_from_checkpoint True: no trainer_state\.json there"):
        sft.main(settings("smoke_sft.yaml", tiny, tmp_path, 2, "--resume_from_checkpoint", "True"))


def test_a_hanging_completion_costs_its_deadline_and_the_step_goes_on(tiny, tmp_path, monkeypatch):
    """Dr. GRPO. A completion that no one can compute adds 5 s to its own step, and is left out of it."""
    graded, batches = AccuracyReward.verdicts, count(1)

    def hanging(self, completions, *given):
        if next(batches) == 3:
            completions = ["Final answer: 9^{9^{9^9}}", *completions[1:]]
        return graded(self, completions, *given)

    monkeypatch.setattr(AccuracyReward, "verdicts", hanging)
    more = ("--global_batch", "32", "--save_strategy", "no")
    made = grpo.trainer(settings("smoke_grpo.yaml", tiny, tmp_path, 4, *more))
    made.train()
    log = [row for row in made.state.log_history if "reward/grading_s" in row]
    seconds = [row["reward/grading_s"] for row in log]
    assert len(log) == 4 and 5 <= seconds[2] < 5 + STALL_S, seconds
    assert seconds[3] < 5, seconds  # the first and second start the workers
    assert [row["reward/undecided"] for row in log] == [0, 0, 1 / 32, 0]
    assert all(row["grad_norm"] == row["grad_norm"] for row in log), "a loss that is no number"


@contextmanager
def process(log: Path, module: str, *arguments: str):
    """A module as a process of its own, ended with all that it started."""
    with log.open("w") as file:
        started = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            yield started
        finally:
            with suppress(ProcessLookupError):  # it has ended
                os.killpg(started.pid, signal.SIGKILL)
            started.wait()


MIXED = {"arith_words": "math", "ifeval_ext": "ifeval", "mbpp_ext": "code"}


@pytest.mark.full
@pytest.mark.usefixtures("punkt")
def test_a_mixture_that_was_killed_goes_on_and_records_each_rollout_once(tiny, tmp_path, monkeypatch):
    """Three sources with a verifier each; killed after a checkpoint, it makes what it would have made."""
    pytest.importorskip("langdetect")
    monkeypatch.setenv("HF_ALLOW_CODE_EVAL", "1")
    killed, whole, log = tmp_path / "killed", tmp_path / "whole", tmp_path / "log"
    given = ("--max_completion_length", "16", "--max_prompts", "40", "--size", "16", "--bounds", "{}")
    options = {out: settings("smoke_mixture.yaml", tiny, out, 6, *given) for out in (killed, whole)}
    with process(log, "training.grpo", *options[killed]) as first:
        while first.poll() is None and not (
            checkpoints(killed) and lines(killed / "rollouts.jsonl")[-1]["step"] > 2
        ):
            time.sleep(0.05)
        assert first.poll() is None, log.read_text()[-4000:]
    for out in (killed, whole):
        with process(log, "training.grpo", *options[out]) as run:
            assert run.wait() == 0, log.read_text()[-4000:]
    made, meant = lines(killed / "rollouts.jsonl"), lines(whole / "rollouts.jsonl")
    assert [row["step"] for row in made] == [i // 8 for i in range(6 * 8)]
    assert {row["task"]: row["verifier"] for row in made} == MIXED
    assert all(set(row["rewards"]) == {"task", "overlong"} for row in made)
    timed = {"grading_s": None, "reason": None}
    assert [row | timed for row in made] == [row | timed for row in meant]


@pytest.mark.full
def test_the_loop_goes_on_after_a_kill(tiny, tmp_path):
    """QLoRA SFT, merged, proven in vLLM, evaluated and compared with the base."""
    out, log = tmp_path / "loop", tmp_path / "log"
    claim = {"hypothesis": "two steps of random weights help", "better": "smoke_sft"}
    (tmp_path / "prereg.yaml").write_text(json.dumps(claim))  # which is YAML
    options = ["--out", str(out), "--model", tiny, "--config", str(CONFIGS / "smoke_sft.yaml")]
    options += ["--prereg", str(tmp_path / "prereg.yaml"), "--limit", "8", "--num_fewshot", "4", *FEW]
    options += ["--max_steps", "2", "--max_length", "1024", "--logging_steps", "1"]
    with process(log, "training.pipeline", *options) as first:
        while first.poll() is None and not (out / "smoke_sft" / "train").is_dir():
            time.sleep(0.05)
        assert first.poll() is None, log.read_text()[-4000:]

    with process(log, "training.pipeline", *options) as again:
        code, said = again.wait(), log.read_text()
    assert code == 0, said[-4000:]
    assert f"{out}/summary.md" in said
    assert "base: evaluate: done before" in said and "smoke_sft: data: done before" in said

    summary = json.loads((out / "summary.json").read_text())
    assert [model["model"] for model in summary["models"]] == ["base", "smoke_sft"]
    assert all(model["n"] == "8" for model in summary["models"])
    assert len(summary["comparisons"]) == 1
    assert summary["prereg"]["verdicts"][0]["verdict"] == "not confirmed"
    assert claim["hypothesis"] in (out / "summary.md").read_text()
    assert list(checkpoints(out / "smoke_sft" / "train")) == [2]
    merged = out / "smoke_sft" / "merged" / "checkpoint-2"
    findings = json.loads((merged / "merge.json").read_text())["findings"]
    assert len(findings) == 7 and all(finding["passed"] is True for finding in findings), findings
    assert (out / "smoke_sft.png").stat().st_size > 5_000
