"""What TRL would refuse only later is refused before anything is loaded, in one line."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from lm_eval_ext.harness.errors import UserError
from training.config_checks import CHOICES, LOSSES, check_installed
from training.recipe import read

pytestmark = pytest.mark.unit

CONFIGS = Path(__file__).resolve().parents[2] / "training" / "configs"
REFUSED = [
    ("grpo", {"loss_type": "dapoo"}, "loss_type is 'dapoo'; it must be one of grpo, dr_grpo, dapo"),
    ("grpo", {"scale_rewards": "groups"}, "it must be one of group, batch, none"),
    ("grpo", {"importance_sampling_level": "seq"}, "it must be one of token, sequence"),
    ("grpo", {"eval_strategy": "steps"}, "training has no evaluation set; set eval_strategy: 'no'"),
    ("sft", {"eval_strategy": "epoch"}, "training has no evaluation set"),
    ("sft", {"eval_on_start": "true"}, "training has no evaluation set"),
    ("grpo", {"num_generations": "7"}, "must be divisible by num_generations"),
    ("grpo", {"generation_batch_size": "33"}, "must be divisible by the global batch size"),
    ("grpo", {"optim": "adamw_tourch"}, "invalid choice: 'adamw_tourch'"),
    ("sft", {"lr_scheduler_type": "cosin"}, "invalid choice: 'cosin'"),
    ("sft", {"loss_type": "nlll"}, "invalid choice: 'nlll'"),
    ("sft", {"fp16": "true"}, "At most one of fp16 and bf16"),
    ("sft", {"use_peft": "false"}, "cannot be trained; add use_peft: true"),
    ("sft", {"assistant_only_loss": "true"}, "assistant_only_loss needs rows of messages"),
    ("grpo", {"sync_ref_model": "true", "beta": "0.1"}, "sync_ref_model needs all weights trained"),
    ("sft", {"report_to": "nothing"}, "report_to is .*nothing is not supported"),
    (
        "sft",
        {"report_to": "trackio"},
        r"report_to: trackio needs trackio: pip install 'lm-eval-ext\[trackers\]'",
    ),
    ("sft", {"optim": "galore_adamw"}, "optim is 'galore_adamw': .*galore"),
    ("grpo", {"lr_scheduler_type": "cosine_with_min_lr"}, "min_lr"),
    ("grpo", {"use_vllm": "true"}, "use_vllm needs vLLM: pip install vllm"),
]


@pytest.mark.parametrize(("kind", "settings", "message"), REFUSED)
def test_in_one_line_before_anything_is_loaded(monkeypatch, kind, settings, message):
    monkeypatch.setattr(
        "training.config_checks.find_spec", lambda name: None if name == "vllm" else find_spec(name)
    )
    monkeypatch.setitem(sys.modules, "trackio", None)
    more = [part for name, value in settings.items() for part in (f"--{name}", value)]
    with pytest.raises(UserError, match=message) as refused:
        check_installed(*read(kind, ["--config", str(CONFIGS / f"smoke_{kind}.yaml"), *more])[1:])
    assert str(refused.value.code).startswith("recipe: ") and "\n" not in str(refused.value.code)


def test_the_choices_are_those_of_the_installed_trl():
    """TRL keeps no list: its trainer compares strings, and raises where none of them fits."""
    import trl

    source = (Path(trl.__file__).parent / "trainer" / "grpo_trainer.py").read_text("utf-8")
    compared = " ".join(re.findall(r"self\.loss_type (?:==|in) (\[[^]]*\]|\"\w+\")", source))
    assert set(re.findall(r"\"(\w+)\"", compared)) == set(LOSSES["grpo"])
    for values in (CHOICES["importance_sampling_level"], CHOICES["multi_objective_aggregation"]):
        assert all(f'"{value}"' in source for value in values)
