"""The built wheel in an environment that holds only lm-eval, as its users have it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.full  # no language model, but minutes of installing

BIN = Path(sys.executable).parent


def uv(*arguments):
    done = subprocess.run([BIN / "uv", *map(str, arguments)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def installed(python):
    return dict(line.split("==") for line in uv("pip", "freeze", "--python", python).split() if "==" in line)


def top_level(python):
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    folder = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    return {path.name for path in Path(folder).iterdir() if path.name != "__pycache__"}


def start(python, program, *arguments, cwd="/"):
    command = [python.parent / program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """(python, packages before, names in site-packages that the wheel alone brings): beside lm-eval[math]."""
    folder = tmp_path_factory.mktemp("environment")
    python = folder / "bin" / "python"
    uv("venv", "--clear", "--python", sys.executable, folder)
    uv("pip", "install", "--quiet", "--python", python, "lm-eval[math]")
    before = installed(python)
    uv("build", "--quiet", "--wheel", "--out-dir", folder / "dist")
    wheel = next((folder / "dist").glob("*.whl"))
    uv("pip", "install", "--quiet", "--python", python, wheel)
    whole = top_level(python)
    uv("pip", "uninstall", "--quiet", "--python", python, "lm-eval-ext")
    ours = whole - top_level(python)
    uv("pip", "install", "--quiet", "--python", python, "--no-deps", wheel)
    return python, before, ours


def test_nothing_that_was_there_changes_and_little_comes(environment):
    python, before, _ = environment
    after = installed(python)
    assert {name: after.get(name) for name in before} == before
    own = {"lm-eval-ext", "annotated-doc", "annotated-types", "pebble", "pydantic", "pydantic-core", "rich"}
    own |= {
        "markdown-it-py",
        "mdurl",
        "pygments",
        "scipy",
        "shellingham",
        "typer",
        "typing-inspection",
        "click",
    }
    assert set(after) - set(before) <= own


def test_one_name_lands_at_the_top_level(environment):
    _, _, ours = environment
    assert {name for name in ours if not name.endswith(".dist-info")} == {"lm_eval_ext"}


def test_training_is_started_by_the_one_command(environment, tmp_path):
    python, _, _ = environment
    (tmp_path / "training").mkdir()  # the user's own
    (tmp_path / "training" / "__init__.py").write_text("raise SystemExit('the wrong one')\n")
    said = start(python, "lm-eval-ext", "train", "preflight", "--help", cwd=tmp_path)
    assert said.returncode == 0 and "lm-eval-ext train preflight" in said.stdout, said.stderr
    said = start(python, "lm-eval-ext", "train", "preflight", "--config", "smoke_sft", cwd=tmp_path)
    assert said.returncode == 1 and "pip install" in said.stderr.splitlines()[-1], said.stderr


def test_files_are_graded(environment, tmp_path):
    python, _, _ = environment
    (tmp_path / "in.jsonl").write_text(json.dumps({"response": r"\boxed{\frac{2}{4}}", "gold": "0.5"}) + "\n")
    said = start(python, "lm-eval-ext", "grade", tmp_path / "in.jsonl", "--out", tmp_path / "out.jsonl")
    assert said.returncode == 0, said.stderr
    assert json.loads((tmp_path / "out.jsonl").read_text())["correct"] is True


def test_the_tasks_are_listed_from_the_installed_folder(environment):
    python, _, _ = environment
    path = start(python, "lm-eval-ext", "tasks-path").stdout.strip()
    assert "site-packages" in path
    listed = start(python, "lm_eval", "ls", "tasks", "--include_path", path)
    names = ("mathnet", "mathnet_boxed", "math_qwen", "math_0shot", "math500", "gsm8k_ext", "arith_words")
    assert [name for name in names if f"|{name} " not in listed.stdout] == []


def test_the_baselines_are_found_in_the_installed_folder(environment):
    python, _, _ = environment
    listed = start(python, "lm-eval-ext", "check-baseline", "--list")
    assert "smollm2-135m-instruct" in listed.stdout and "qwen3-1.7b-base" in listed.stdout, listed.stderr


@pytest.mark.parametrize("antlr", ["4.9.3", "4.11.0", "4.13.2"])
def test_it_grades_with_every_antlr_runtime_of_math_verify(environment, antlr):
    python, _, _ = environment
    uv("pip", "install", "--quiet", "--python", python, f"antlr4-python3-runtime=={antlr}")
    code = r"from lm_eval_ext.grading import grade_one; print(grade_one(r'\boxed{\frac{2}{4}}', '0.5').layer)"
    done = start(python, "python", "-c", code)
    assert done.stdout.strip() == "symbolic", done.stderr
