"""Every recipe parses under the installed TRL, and has the values that its documents give."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lm_eval_ext.harness.errors import UserError
from tests.conftest import cases
from training.recipe import read
from training.recipe_files import trainer_of

pytestmark = pytest.mark.unit

CONFIGS = Path(__file__).resolve().parents[2] / "training" / "configs"
RECIPES = sorted(path.stem for path in CONFIGS.glob("*.yaml"))
DOCUMENTED = {row["recipe"]: row["fields"] for row in cases("recipes")}
LORA = {"use_peft", "lora_r", "lora_alpha", "lora_dropout", "lora_target_modules"}
QLORA = LORA | {"load_in_4bit", "bnb_4bit_quant_type"}
MAY_DIFFER = {"learning_rate", "output_dir", "fp16", "bf16", "dtype"}
SYNC = {"sync_ref_model", "ref_model_sync_steps", "ref_model_mixup_alpha"}


def _parsed(name: str, *more: str):
    file = CONFIGS / f"{name}.yaml"
    return read(trainer_of(file), ["--config", str(file), *more])


def _content(name: str) -> dict[str, object]:
    return yaml.safe_load((CONFIGS / f"{name}.yaml").read_text("utf-8"))


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_parses_with_the_documented_values(name):
    settings = {}
    for part in _parsed(name):
        settings |= vars(part)
    assert settings["output_dir"] == f"runs/{name}"
    expected = DOCUMENTED.get(name.removesuffix("_lora").removesuffix("_qlora"), {})
    variant = name.endswith(("_lora", "_qlora"))
    for field, value in expected.items():
        if variant and field in MAY_DIFFER | SYNC | QLORA:
            continue
        assert settings[field] == value, f"{name}: {field} is {settings[field]!r}, documented is {value!r}"


def test_every_original_recipe_has_documented_values():
    originals = {n for n in RECIPES if not n.endswith(("_lora", "_qlora")) and not n.startswith("smoke_")}
    assert originals == set(DOCUMENTED)


@pytest.mark.parametrize("name", [n for n in RECIPES if n.endswith(("_lora", "_qlora"))])
def test_variant_is_the_original_with_an_adapter_and_ten_times_its_rate(name):
    original, variant = _content(name.rpartition("_")[0]), _content(name)
    assert variant["learning_rate"] == pytest.approx(10 * original["learning_rate"])
    differ = {k for k in original.keys() | variant.keys() if original.get(k) != variant.get(k)}
    assert differ <= MAY_DIFFER | SYNC | (QLORA if name.endswith("_qlora") else LORA), differ
    assert variant["use_peft"] and "use_peft" not in original


@pytest.mark.parametrize("name", [n for n in RECIPES if not n.startswith("smoke_")])
def test_header_says_what_to_expect(name):
    header = (CONFIGS / f"{name}.yaml").read_text("utf-8").partition("\ntrainer:")[0]
    said = "Not measured" if name.endswith(("_lora", "_qlora")) else "Expected"
    assert said in header
    assert all(line.startswith("#") for line in header.splitlines())


@pytest.mark.parametrize("name", RECIPES)
def test_rollouts_come_from_one_gpu_each(name):
    settings = _content(name)
    if settings.get("use_vllm"):
        assert (settings["vllm_mode"], settings["vllm_tensor_parallel_size"]) == ("colocate", 1)
        assert not settings.get("load_in_4bit")
    elif "stop" in (settings.get("generation_kwargs") or {}):
        pytest.fail("stop strings need vLLM")


def test_a_recipe_is_refused_by_the_other_trainer():
    with pytest.raises(UserError, match=r"is for sft, not for grpo: lm-eval-ext train sft --config"):
        read("grpo", ["--config", str(CONFIGS / "smoke_sft.yaml")])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("learning_rat: 1.0e-4", "learning_rat"),
        ("accept: twelve", "accept must be numbers of pitfalls, got 'twelve'"),
        ("target: box", "target must be task or solution, got 'box'"),
        ("trainer: ppo", "is for ppo"),
    ],
)
def test_what_a_recipe_cannot_say(tmp_path, line, message):
    file = tmp_path / "recipe.yaml"
    file.write_text(f"task: arith_words\nmodel_name_or_path: m\n{line}\n")
    with pytest.raises(UserError, match=message):
        read("sft", ["--config", str(file), "--output_dir", str(tmp_path)])


def test_a_file_without_trainer_is_named(tmp_path):
    file = tmp_path / "recipe.yaml"
    file.write_text("task: arith_words\n")
    with pytest.raises(UserError, match="trainer is None; say which it is for: sft, grpo"):
        trainer_of(file)


QLORA_VLLM = ["--load_in_4bit", "true", "--use_peft", "true", "--use_vllm", "true"]


@pytest.mark.parametrize(
    ("environment", "options", "refused"),
    [
        ({"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2"}, QLORA_VLLM, True),
        ({"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "1"}, QLORA_VLLM, False),
        ({}, QLORA_VLLM, False),
        ({"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2"}, QLORA_VLLM[2:], False),
        ({}, [*QLORA_VLLM, "--fsdp"], True),
    ],
)
def test_qlora_with_fsdp2_and_vllm_is_refused(monkeypatch, environment, options, refused):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    given = ["--config", str(CONFIGS / "chat_template_grpo_raw.yaml"), *options]
    if refused:
        with pytest.raises(UserError, match="QLoRA, FSDP2 and use_vllm"):
            read("grpo", given)
    else:
        assert read("grpo", given)[1].use_vllm
