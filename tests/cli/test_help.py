"""Every `--help` has an example, and every option in it exists."""

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from lm_eval_ext.cli import app
from lm_eval_ext.cli.train import STEPS


def commands(command, *path):
    for name, inner in command.commands.items():
        if hasattr(inner, "commands"):
            yield from commands(inner, *path, name)
        else:
            yield (*path, name), inner


OURS = {" ".join(path): command for path, command in commands(get_command(app)) if path[0] != "train"}


@pytest.mark.unit
@pytest.mark.parametrize("name", OURS)
def test_a_command_shows_an_example_whose_options_exist(name):
    text = (OURS[name].help or "").replace("\\\n", " ")
    examples = [
        line.partition(f"lm-eval-ext {name}")[2]
        for line in text.splitlines()
        if f"lm-eval-ext {name}" in line
    ]
    assert examples
    known = {
        option for parameter in OURS[name].params for option in parameter.opts + parameter.secondary_opts
    }
    given = {word.split("=")[0] for line in examples for word in line.split() if word.startswith("--")}
    if not OURS[name].context_settings.get("ignore_unknown_options") or name == "explain":
        assert given <= known


@pytest.mark.unit
def test_commands_come_in_the_order_of_their_use_and_flags_have_no_type():
    names = list(get_command(app).commands)
    assert sorted(("run", "grade", "report", "compare", "doctor"), key=names.index)[0] == names[0] == "run"
    assert names.index("grade") < names.index("report") < names.index("compare") < names.index("doctor")
    for call in (["--help"], ["compare", "--help"], ["train", "--help"]):
        shown = CliRunner().invoke(app, call).output
        assert "--help" in shown and "<bool>" not in shown


@pytest.mark.full
@pytest.mark.filterwarnings("default")  # of TRL and torch
@pytest.mark.parametrize("step", STEPS)
def test_a_training_step_shows_an_example(step):
    """Its own program prints the help."""
    done = CliRunner().invoke(app, ["train", step, "--help"], env={"COLUMNS": "300"})
    assert done.exit_code == 0 and f"sage: lm-eval-ext train {step}" in done.output
