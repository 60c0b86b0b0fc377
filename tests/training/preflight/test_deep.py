"""What needs a model: the tiny one where that is enough, a real one where something must be learnt."""

import pytest

from training.preflight import trial
from training.preflight.checks import model as checks
from training.preflight.context import PreflightContext
from training.preflight.trial import agreement
from training.recipe import read

JIT = "ignore:.*torch.jit.script_method:DeprecationWarning"
pytestmark = [pytest.mark.filterwarnings(JIT), pytest.mark.filterwarnings("ignore::UserWarning")]


def context(kind, model, tmp_path, *more):
    """A recipe of the generated problems, for a trial."""
    file = tmp_path / "recipe.yaml"
    file.write_text(
        "task: arith_words\nnum_fewshot: 0\nsize: 16\ndtype: float32\nreport_to: none\nbf16: false\n"
    )
    arguments = ["--config", str(file), "--model_name_or_path", model, "--output_dir", str(tmp_path / "run")]
    return PreflightContext(*read(kind, [*arguments, "--gradient_checkpointing", "false", *more]), kind)


GRPO = ("--num_generations", "4", "--per_device_train_batch_size", "8", "--max_completion_length", "8")


@pytest.mark.unit
def test_the_loss_on_ten_samples_falls(models, tmp_path, monkeypatch):
    monkeypatch.setitem(trial.RATES, ("sft", False), 1e-2)
    monkeypatch.setitem(trial.STEPS, "sft", 25)
    with context("sft", models["sound"], tmp_path) as given:
        losses = given.trial.series("loss")
    assert len(losses) == 25 and losses[-1] < 0.5 * losses[0]


@pytest.mark.unit
def test_log_probabilities_agree_at_the_training_temperature_only(models, tmp_path):
    with context("grpo", models["sound"], tmp_path, *GRPO, "--temperature", "0.7") as given:
        trainer = given.trial.trainer
        found = agreement(trainer, given.tokenizer, given.prompt_texts[:2], tokens=16)
        assert found.kl < 1e-6 and 16 < found.tokens <= 32
        trainer.temperature = 0.1
        assert agreement(trainer, given.tokenizer, given.prompt_texts[:2], tokens=16).kl > 0.05


@pytest.mark.unit
def test_random_weights_learn_nothing_from_a_reward_that_is_never_given(models, tmp_path, monkeypatch):
    monkeypatch.setitem(trial.STEPS, "grpo", 2)
    with context("grpo", models["sound"], tmp_path, *GRPO) as given:
        assert checks.distinct(given).verdict == "passed"
        zero, learnt = checks.zero_variance(given), checks.overfits(given)
    assert (zero.verdict, learnt.verdict) == ("failed", "failed")
    assert "frac_reward_zero_std is 1.00 over 2 steps" in zero.seen
    assert "the reward goes from 0.000 to 0.000 in 2 steps" in learnt.seen
