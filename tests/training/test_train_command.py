"""`lm-eval-ext train`, and recipes found by their name."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lm_eval_ext.cli.train import STEPS
from lm_eval_ext.harness.errors import UserError
from tests.conftest import ROOT
from training import recipe_files

pytestmark = pytest.mark.unit


def start(*arguments: str, cwd) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lm_eval_ext.cli", "train", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd)


@pytest.mark.parametrize("given", ["smoke_sft", "smoke_sft.yaml", "training/configs/smoke_sft.yaml"])
def test_a_shipped_recipe_is_found_by_its_name_from_anywhere(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert recipe_files.found(given) == ROOT / "training" / "configs" / "smoke_sft.yaml"
    assert recipe_files.trainer_of(given) == "sft"


def test_a_file_goes_before_a_shipped_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "smoke_sft.yaml"
    own.write_text("trainer: grpo\n")
    assert recipe_files.trainer_of("smoke_sft.yaml") == "grpo"


@pytest.mark.parametrize(
    "given", ["smoke_stf", "elsewhere/smoke_sft.yaml", "training/configs/smoke-sft.yaml"]
)
def test_a_recipe_that_is_nowhere_is_refused_with_names_like_it(given):
    with pytest.raises(UserError, match=f"recipe {given}: no such file.*smoke_sft"):
        recipe_files.found(given)


def test_the_command_starts_each_step_with_its_own_help(tmp_path):
    """Beside a package `training` of the user's, which is another one."""
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "__init__.py").write_text("raise SystemExit('the wrong one')\n")
    said = start("preflight", "--help", cwd=tmp_path)
    assert said.returncode == 0 and "Usage: lm-eval-ext train preflight" in said.stdout, said.stderr
    assert "--tokenizer" in said.stdout
    listed = start("--help", cwd=tmp_path).stdout
    assert [step for step in STEPS if step not in listed] == []


@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_a_module_of_training(step):
    assert (ROOT / "training" / f"{step}.py").is_file() or (
        ROOT / "training" / step / "__main__.py"
    ).is_file()


def test_what_a_step_refuses_is_one_line_through_the_command(tmp_path):
    said = start("data", "build", "--config", "none", "--out", "rows.jsonl", cwd=tmp_path)
    assert (said.returncode, said.stderr.count("\n")) == (1, 1) and "recipe none: no such file" in said.stderr
