"""The reusable workflow and the scripts of the gates: their shell is run, not only read."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.analysis.logged import write_run
from tests.conftest import ROOT

pytestmark = pytest.mark.unit

TEXT = (ROOT / ".github" / "workflows" / "baseline.yml").read_text()
WORKFLOW = yaml.safe_load(TEXT)
STEPS = {step.get("name"): step for step in WORKFLOW["jobs"]["check"]["steps"]}


def test_inputs_are_declared_and_reach_the_shell_as_variables_only():
    declared = set(WORKFLOW[True]["workflow_call"]["inputs"])  # YAML 1.1 reads the key `on` as true
    assert set(re.findall(r"inputs\.(\w+)", TEXT)) == declared
    assert all("${{" not in step.get("run", "") for step in STEPS.values())


@pytest.fixture
def checked(tmp_path):
    """Runs the step that checks, as GitHub does, on a run of these verdicts; returns what came of it."""
    folder, honest = tmp_path / "baselines", [i % 2 == 0 for i in range(100)]
    made = write_run(tmp_path / "honest", honest)
    program = Path(sys.executable).parent / "lm-eval-ext"
    recording = ["check-baseline", made, "--record", "mine", "--folder", folder]
    subprocess.run([program, *recording], check=True, capture_output=True)

    def run(correct, **settings):
        write_run(tmp_path / "out", correct, **settings)
        environment = {
            **os.environ,
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            **{"BASELINE": "mine", "ALPHA": "0.05", "FOLDER": str(folder)},
            **{"RUNNER_TEMP": str(tmp_path), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")},
        }
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS["Check"]["run"]]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout, (tmp_path / "summary").read_text()

    return honest, run


def test_the_workflow_ends_as_the_check_does(checked):
    honest, run = checked
    assert run(honest)[0] == 0
    code, said, summary = run([good and i >= 20 for i, good in enumerate(honest)])
    assert code == 1 and "::error::worse than the baseline mine" in said and "10 lost, 0 gained" in summary
    code, said, _ = run(honest, model_args={"seed": 7})
    assert code == 3 and "::error::not comparable" in said


@pytest.mark.parametrize("script", sorted((ROOT / "scripts").glob("*.sh")), ids=lambda path: path.name)
def test_the_scripts_are_shell(script):
    subprocess.run(["bash", "-n", script], check=True)
