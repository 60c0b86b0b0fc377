"""Every block of code in README and docs: run where it can be, else its options are parsed.

The word behind a block's language says what it needs and a test has not: `gpu`, `hub`, `api` or `slurm`;
`server` is a command that runs until it is ended.
"""

import csv
import gzip
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path

import pytest
import typer.main
import yaml

from benchmarks.serve import served
from lm_eval_ext.cli import app
from lm_eval_ext.grading import grade_one
from tests.analysis.batched import batch
from tests.analysis.logged import write_run
from tests.conftest import ROOT
from tests.training.models import write_tiny_qwen3

pytestmark = [pytest.mark.unit, pytest.mark.full]

RESULTS = ROOT / "benchmarks" / "results"
GENERATED = ROOT / "docs" / "reference"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "examples/README.md")),
    *sorted(page for page in (ROOT / "docs").rglob("*.md") if GENERATED not in page.parents),
]
TUTORIALS = [str(page.relative_to(ROOT)) for page in PAGES if page.parent.name == "tutorials"]
NAMES_A_FILE = re.compile(r"# ([\w-]+\.\w+)\n")
MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
BLOCK = re.compile(r"^(?P<fence>```+)(?P<info>[^\n]*)\n(?P<text>.*?)^(?P=fence)\s*$", re.M | re.S)
NEEDS = {"gpu", "hub", "api", "slurm", "server"}
LANGUAGES = {"sh", "python", "yaml", "json", "text", "mermaid"}
FAILED_BY_DESIGN = re.compile(r"check-baseline")
"""Commands whose exit code is their answer: 1 or 3 on runs that are not the baseline's."""


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    language: str
    needs: frozenset[str]
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The lines of a shell block, continued ones joined, without comments."""
        joined = self.text.replace("\\\n", " ")
        lines = (re.sub(r"(^|\s+)#\s.*$", "", line).strip() for line in joined.splitlines())
        return [line for line in lines if line]


def blocks() -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        for match in BLOCK.finditer(text):
            language, *needs = match["info"].split() or [""]
            line = text.count("\n", 0, match.start()) + 1
            where = str(page.relative_to(ROOT))
            found.append(Block(where, line, language, frozenset(needs), match["text"]))
    return found


BLOCKS = blocks()


def of(*languages: str, needing: bool = False) -> list[Block]:
    """Blocks that are tried one by one; those of a tutorial run together."""
    asked = [b for b in BLOCKS if b.language in languages and bool(b.needs) == needing]
    return [b for b in asked if needing or b.page not in TUTORIALS]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_says_what_it_is(block):
    assert block.language in LANGUAGES, f"{block}: the language is {block.language!r}"
    assert block.needs <= NEEDS, f"{block}: it needs {sorted(block.needs)}; known are {sorted(NEEDS)}"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Path:
    """A folder with the files that the pages speak of."""
    folder = tmp_path_factory.mktemp("docs")
    rows = [{"response": f"Final answer: {i}", "gold": str(i), "reference": str(i)} for i in range(4)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "responses.jsonl").write_text(text)
    (folder / "problems.csv").write_text("question,answer,topic\nWhat is 1/2 + 1/3?,5/6,fractions\n")
    (folder / "big.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    docs = [
        {
            "id": str(i),
            "problem": f"{i} + 0?",
            "gold": str(i),
            "topic": "sums",
            "level": f"Level {1 + i % 2}",
            "competition": "easy",
        }
        for i in range(12)
    ]
    for name, right in (("out/base", 5), ("out/tuned", 9), ("runs/sonnet-4-6", 8), ("runs/gpt-5.4", 6)):
        responses = [f"Final answer: {i if i < right else 99}" for i in range(12)]
        write_run(folder / name, [i < right for i in range(12)], model=name, docs=docs, responses=responses)
    for name in ("plain", "chat"):
        write_run(folder / "out" / name, [True] * 12, docs=docs, chat=name == "chat")
    batch(folder / "out" / "plan")
    write_run(folder / "out" / "M", [True] * 12, task="arith_words", model="M", docs=docs)
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of `lm-eval-ext serve`."""
    with served() as running:
        yield running.url


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_python_runs(block, workspace, monkeypatch, request):
    monkeypatch.chdir(workspace)
    given = {"response": "Final answer: 2", "gold": "2", "pairs": [("Final answer: 2", "2")]}
    if "{url}" in block.text:
        given["url"] = request.getfixturevalue("server")
    exec(compile(block.text, str(block), "exec"), given)


@pytest.mark.parametrize("block", of("sh"), ids=str)
def test_commands_run(block, workspace):
    for command in block.commands:
        if command.startswith("pip install"):
            assert_extras_exist(command)
        elif command.startswith("make "):
            subprocess.run(
                ["make", "-n", *shlex.split(command)[1:]], cwd=ROOT, check=True, capture_output=True
            )
        else:
            assert_runs(command, workspace)


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory) -> str:
    """A tiny model, in the place of the one that the tutorials name."""
    return write_tiny_qwen3(tmp_path_factory.mktemp("model"))


@pytest.mark.model
@pytest.mark.parametrize("page", TUTORIALS)
def test_tutorials_run_from_top_to_bottom(page, random_weights, tmp_path, monkeypatch):
    """In an empty folder; a block whose first line is `# NAME` is a file."""
    monkeypatch.chdir(tmp_path)
    for block in (b for b in BLOCKS if b.page == page and not b.needs):
        text = block.text.replace(MODEL, random_weights)
        if named := NAMES_A_FILE.match(text):
            (tmp_path / named[1]).write_text(text[named.end() :])
        elif block.language == "python":
            exec(compile(text, str(block), "exec"), {})
        elif block.language == "sh":
            assert_runs(f"set -e\n{text}", tmp_path)


def assert_runs(command: str, workspace: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=workspace,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    allowed = {0, 1, 3} if FAILED_BY_DESIGN.search(command) else {0}
    assert run.returncode in allowed and "Traceback" not in run.stderr, f"{command}\n{run.stderr[-2000:]}"


def assert_extras_exist(command: str) -> None:
    known = metadata("lm-eval-ext").get_all("Provides-Extra") or []
    for extras in re.findall(r"\[([\w,]+)\]", command):
        assert set(extras.split(",")) <= set(known), command


@pytest.mark.parametrize("block", of("sh", needing=True), ids=str)
def test_options_of_what_cannot_run_here_are_known(block):
    for command in block.commands:
        words = shlex.split(command)
        if "lm-eval-ext" in words:
            parse(words[words.index("lm-eval-ext") + 1 :])


def parse(words: list[str]) -> None:
    """Parses a command line as the program does, and calls nothing."""
    command = typer.main.get_command(app)
    context = None
    while hasattr(command, "resolve_command"):
        context = command.make_context(command.name, words, parent=context, ignore_unknown_options=True)
        name, command, words = command.resolve_command(context, words)
        assert command is not None, f"no command {name}"
    command.make_context(command.name, words, parent=context)


@pytest.mark.parametrize("block", of("yaml", "json"), ids=str)
def test_data_parses(block):
    class Loader(yaml.SafeLoader):
        """Takes the tags of lm-eval."""

    Loader.add_multi_constructor("!", lambda loader, suffix, node: loader.construct_scalar(node))
    assert yaml.load(block.text, Loader)


def test_the_verdict_shown_is_the_grader_s():
    (shown,) = (b.text.strip() for b in of("json") if '"correct"' in b.text)
    assert str(grade_one(r"... so the answer is $\boxed{\frac{6}{8}}$.", "0.75")) == shown


def test_the_readme_s_table_is_that_of_the_recorded_evaluation():
    """As the README says, benchmarks/results/eval.csv."""
    (shown,) = (b.text.splitlines() for b in BLOCKS if b.page == "README.md" and "accuracy_high" in b.text)
    rows = {row["task"]: row for row in csv.DictReader((RESULTS / "eval.csv").read_text().splitlines())}
    assert len(shown) == 1 + sum(not task.startswith("·") for task in rows)
    for line in shown[1:]:
        row = rows[line.split()[0]]
        ends = ("accuracy", "accuracy low", "accuracy high")
        figures = [row[name] for name in (*ends, "accuracy_high", "undecided", "answered", "capped")]
        assert line.split()[2] == row["n"]
        assert re.findall(r"([\d.]+)%", line) == [f"{100 * float(figure):.1f}" for figure in figures]


def test_the_readme_quotes_the_figures_of_training_as_their_page_has_them():
    readme, page = (ROOT / "README.md").read_text(), (ROOT / "docs" / "training.md").read_text()
    said = " ".join(readme.split("The included recipes take")[1].split(".md#the-loop")[0].split())
    table = page.split("| model | right |")[1].split("\n\n")[0]
    assert re.findall(r"([\d.]+)%", said) == re.findall(r"\| ([\d.]+)% \(", table)


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) < 120


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
