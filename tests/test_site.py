"""The documentation site: built with warnings as errors, and its generated pages."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from lm_eval_ext.cli import app
from lm_eval_ext.harness.shipped import tasks_path
from tests.conftest import ROOT

pytestmark = [pytest.mark.unit, pytest.mark.full]


def test_the_reference_has_every_command_and_task(tmp_path):
    script = ROOT / "scripts" / "reference.py"
    subprocess.run([sys.executable, script, tmp_path], check=True, cwd=ROOT)
    commands, tasks = ((tmp_path / f"{name}.md").read_text() for name in ("command_line", "tasks"))
    assert [n for n in typer.main.get_command(app).commands if f"`lm-eval-ext {n}`" not in commands] == []
    files = sorted(path.name for path in tasks_path().rglob("*.yaml"))
    assert files and [n for n in files if f"/{n} " not in tasks and f"`{Path(n).stem}` |" not in tasks] == []


def test_every_page_is_in_the_navigation():
    listed = (ROOT / "docs" / "index.md").read_text()
    pages = (str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md"))
    wanted = [page for page in pages if page != "index.md" and not page.startswith("reference/")]
    assert [page for page in wanted if f"]({page})" not in listed] == []


def test_the_site_is_built_without_a_warning():
    done = subprocess.run(["bash", "scripts/site.sh"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]
    site = ROOT / "out" / "site"
    assert "lm_eval_ext.grading.grade_one" in (site / "docs/reference/python_api.html").read_text()
    assert "McNemar" in (site / "examples/compare.html").read_text()  # the notebook's output
    assert (site / "index.html").is_file()
