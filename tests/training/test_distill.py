"""On-policy distillation, with models of random weights."""

from __future__ import annotations

import pytest

from lm_eval_ext.harness.errors import UserError
from tests.conftest import ROOT
from tests.training.models import write_tiny_qwen3
from training import distill

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("default")]

SETTINGS = {
    "config": str(ROOT / "training" / "configs" / "distill.yaml"),
    "task": "arith_words",
    "source": "arith_words",
    "size": "32",
    "max_steps": "6",
    "save_strategy": "no",
    "global_batch": "8",
    "max_completion_length": "8",
    "learning_rate": "3e-3",
    "lr_scheduler_type": "constant",
    "warmup_steps": "0",
    "beta": "0.5",
    "generation_kwargs": "{}",
    "use_vllm": "false",
    "bf16": "false",
    "gradient_checkpointing": "false",
    "preflight": "false",
}


@pytest.fixture(autouse=True)
def _sample(monkeypatch):
    monkeypatch.setenv("LM_EVAL_EXT_DATA", "sample")


def trainer(tmp_path, **more):
    given = {**SETTINGS, "model_name_or_path": write_tiny_qwen3(tmp_path / "student"), **more}
    given |= {"output_dir": str(tmp_path / "out")}
    return distill.trainer([part for name, value in given.items() for part in (f"--{name}", value)])


def sure_teacher(folder) -> str:
    """In float32, with sharp distributions: those of random weights are all nearly uniform."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(write_tiny_qwen3(folder, seed=1), dtype="float32")
    model.model.embed_tokens.weight.data *= 8
    model.save_pretrained(folder)
    return str(folder)


@pytest.mark.full
def test_the_student_comes_closer_to_the_teacher(tmp_path):
    made = trainer(tmp_path, teacher=sure_teacher(tmp_path / "teacher"))
    assert made.beta == 0.5 and made.max_completion_length == 8
    made.train()
    losses = [row["loss"] for row in made.state.log_history if "loss" in row]
    assert len(losses) == 6 and losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"teacher": ""}, "no teacher; name a larger model"),
        ({"teacher": "t", "loss_type": "dr_grpo"}, "distill has no loss_type; remove them, or use"),
    ],
)
def test_what_is_refused(tmp_path, more, message):
    with pytest.raises(UserError, match=message):
        trainer(tmp_path, **more)
