import re

import pytest
from typer.testing import CliRunner

from lm_eval_ext.cli import app
from tests.analysis.logged import write_run

pytestmark = pytest.mark.unit


def test_a_report_from_the_command_line(tmp_path):
    write_run(tmp_path / "run", [True, False, None])
    done = CliRunner().invoke(app, ["report", str(tmp_path / "run"), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "report.html").is_file()
    assert re.search(r"report\.html \(\d\.\d\d MB\) and \d+ files beside it", done.output.replace("\n", ""))


def test_an_audit_from_the_command_line(tmp_path):
    write_run(tmp_path / "run", [True, False, None])
    out = tmp_path / "audit"
    made = CliRunner().invoke(app, ["report", str(tmp_path / "run"), "--audit", "5", "--out", str(out)])
    assert made.exit_code == 0 and "3 answers to label" in made.output
    sheet = out / "sheet.csv"
    sheet.write_text(re.sub(r",$", ",yes", sheet.read_text(), flags=re.MULTILINE))
    labels = ["--audit-labels", str(sheet), "--audit-key", str(out / "key.json"), "--out", str(out)]
    read = CliRunner().invoke(app, ["report", *labels])
    assert read.exit_code == 0 and "| recall | 33.3% |" in read.output


@pytest.mark.parametrize(
    "arguments, why",
    [
        ([], "give at least one run"),
        (["RUN", "--budgets", "1k"], "--budgets 1k"),
        (["--audit-labels", "sheet.csv"], "go together"),
        (["nowhere"], "no such file or folder: nowhere"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path, arguments, why):
    write_run(tmp_path, [True])
    given = [str(tmp_path) if argument == "RUN" else argument for argument in arguments]
    done = CliRunner().invoke(app, ["report", *given, "--out", str(tmp_path / "out")])
    assert done.exit_code != 0 and isinstance(done.exception, SystemExit)
    assert why in done.output and "Traceback" not in done.output
