"""Training curves from the trainer's log."""

from __future__ import annotations

import pytest

from training.pipeline.curves import panels, plotted

pytestmark = pytest.mark.unit

GRPO = [
    {
        "step": step,
        "loss": 0.1,
        "reward": step / 20,
        "rewards/accuracy_reward/mean": step / 20,
        "rewards/format/mean": 0.5 if step % 2 else None,
        "frac_reward_zero_std": 0.25,
        "entropy": 1.5,
        "kl": 0.01,
        "kl_max": 40.0,
        "sampling/importance_sampling_ratio/max": 2.5,
        "completions/mean_length": 20,
        "completions/clipped_ratio": 0.1,
        "reward/answered": 0.9,
    }
    for step in range(1, 13)
]


def test_every_value_has_its_panel():
    found = panels([*GRPO, {"step": 12, "train_runtime": 3.0}])
    assert {title: sorted(lines) for title, lines in found.items()} == {
        "reward": ["reward"],
        "reward of each verifier": ["accuracy_reward", "format"],
        "groups without variance": ["frac_reward_zero_std"],
        "completions: truncated, answered, undecided": ["answered", "clipped_ratio"],
        "completion tokens": ["mean_length"],
        "entropy": ["entropy"],
        "KL, mean": ["kl"],
        "KL, largest of a token": ["kl_max"],
        "ratio, largest of a token": ["importance_sampling_ratio"],
        "loss": ["loss"],
    }
    assert found["reward of each verifier"]["format"] == ([1, 3, 5, 7, 9, 11], [0.5] * 6)


def test_a_log_is_one_figure_and_an_empty_one_is_none():
    pytest.importorskip("matplotlib")
    assert plotted("run", GRPO).startswith(b"\x89PNG") and plotted("run", []) == b""
