"""The built wheel in an environment that holds only lm-eval, as its users have it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.model  # no language model, but minutes of installing: not for the unit tier

BIN = Path(sys.executable).parent


def uv(*arguments):
    done = subprocess.run([BIN / "uv", *map(str, arguments)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def installed(python):
    return dict(line.split("==") for line in uv("pip", "freeze", "--python", python).split() if "==" in line)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """(python, packages before): lm-eval with its math extra, then the wheel."""
    folder = tmp_path_factory.mktemp("environment")
    python = folder / "bin" / "python"
    uv("venv", "--clear", "--python", sys.executable, folder)
    uv("pip", "install", "--quiet", "--python", python, "lm-eval[math]")
    before = installed(python)
    uv("build", "--quiet", "--wheel", "--out-dir", folder / "dist")
    uv("pip", "install", "--quiet", "--python", python, next((folder / "dist").glob("*.whl")))
    return python, before


def test_nothing_that_was_there_changes_and_torch_does_not_come(environment):
    python, before = environment
    after = installed(python)
    assert {name: after.get(name) for name in before} == before
    assert "torch" not in after


def test_the_tasks_are_listed_from_the_installed_folder(environment):
    python, _ = environment
    path = subprocess.run(
        [python.parent / "lm-eval-ext", "tasks-path"], capture_output=True, text=True, cwd="/"
    )
    assert "site-packages" in path.stdout
    listed = subprocess.run(
        [python.parent / "lm_eval", "ls", "tasks", "--include_path", path.stdout.strip()],
        capture_output=True,
        text=True,
        cwd="/",
    )
    names = ("mathnet", "mathnet_boxed", "math_qwen", "math_0shot", "math500", "gsm8k_ext", "arith_words")
    assert [name for name in names if f"|{name} " not in listed.stdout] == []


def test_the_baselines_are_found_in_the_installed_folder(environment):
    python, _ = environment
    listed = subprocess.run(
        [python.parent / "lm-eval-ext", "check-baseline", "--list"], capture_output=True, text=True, cwd="/"
    )
    assert "smollm2-135m-instruct" in listed.stdout and "qwen3-1.7b-base" in listed.stdout, listed.stderr


@pytest.mark.parametrize("antlr", ["4.9.3", "4.11.0", "4.13.2"])
def test_it_grades_with_every_antlr_runtime_of_math_verify(environment, antlr):
    python, _ = environment
    uv("pip", "install", "--quiet", "--python", python, f"antlr4-python3-runtime=={antlr}")
    code = r"from lm_eval_ext.grading import grade_one; print(grade_one(r'\boxed{\frac{2}{4}}', '0.5').layer)"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, cwd="/")
    assert done.stdout.strip() == "symbolic", done.stderr
