"""Who may import whom, and what an import may load."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.unit

HEAVY = {"torch", "transformers", "lm_eval", "trl", "sympy", "math_verify", "latex2sympy2_extended"}


def loaded_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys; print('\\n'.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in run.stdout.split()}


@pytest.mark.parametrize(
    "statement",
    [
        "import lm_eval_ext.grading",
        "from lm_eval_ext.grading import grade_one; grade_one('Final answer: 2/4', '1/2')",
    ],
    ids=["importing", "grading"],
)
def test_the_grader_loads_nothing_heavy_in_the_caller(statement):
    assert loaded_after(statement) & HEAVY == set()


def imports(path: Path) -> list[str]:
    tree = ast.parse(path.read_text())
    found = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    return found + [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module]


def drawn() -> dict[str, set[str]]:
    """What each package may import, by the arrows of docs/architecture.md: whatever they lead to."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    arrows = re.findall(r"^    (\w+)(?:\[.*?\])? --> ([\w &]+)$", page, re.MULTILINE)
    direct = {package: set(targets.split(" & ")) for package, targets in arrows}
    below = dict(direct)
    for package in TopologicalSorter(direct).static_order():
        targets = direct.get(package, set())
        below[package] = targets.union(*(below[target] for target in targets))
    return below


@pytest.mark.parametrize("package", sorted(drawn()))
def test_packages_import_what_the_architecture_page_draws(package):
    drawing = drawn()
    for path in files_of(package):
        for name in imported(module_of(path), path):
            root, _, rest = name.partition(".")
            target = root if root == "training" else rest.partition(".")[0]
            if root in ("lm_eval_ext", "training") and target in drawing and target != package:
                assert target in drawing[package], f"{path} imports {name}: no arrow leads there"


def files_of(package: str) -> list[Path]:
    if package == "training":
        return sorted((ROOT / "training").rglob("*.py"))
    folder = ROOT / "lm_eval_ext" / package
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def test_only_the_symbolic_layer_imports_computer_algebra():
    algebra = {"sympy", "math_verify", "latex2sympy2_extended"}
    users = [
        path.name
        for path in (ROOT / "lm_eval_ext").rglob("*.py")
        if {name.partition(".")[0] for name in imports(path)} & algebra
    ]
    assert users == ["fallback.py"]


STAGES = ("lexicon", "lexing", "syntax", "numeric", "semantics", "comparison")
"""The packages of `grading/answers` in the order in which they may import each other."""


@pytest.mark.parametrize("number", range(len(STAGES)), ids=STAGES)
def test_stages_of_reading_an_answer_import_earlier_ones_only(number):
    folder = ROOT / "lm_eval_ext" / "grading" / "answers"
    for path in (folder / STAGES[number]).glob("*.py"):
        for name in imports(path):
            stage = name.removeprefix("lm_eval_ext.grading.answers.").partition(".")[0]
            assert stage not in STAGES[number + 1 :], f"{path} imports {name}, a later stage"
    assert {path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != "_"} == set(STAGES)


def test_no_import_goes_in_a_circle():
    files = [path for package in ("lm_eval_ext", "training") for path in (ROOT / package).rglob("*.py")]
    modules = {module_of(path): path for path in files}
    graph = {name: {m for m in imported(name, path) if m in modules} for name, path in modules.items()}
    TopologicalSorter(graph).prepare()


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(name: str, path: Path) -> set[str]:
    """Modules that a module imports, wherever in its text: not the packages they lie in."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.rsplit(".", node.level - 1)[0] if node.level else ""
            base = ".".join(part for part in (above, node.module) if part)
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return {m for m in found if not (name + ".").startswith(m + ".")}


def test_no_group_is_repeated_possessively():
    """Python before 3.11.5 misreads `(...)*+` of a group that can backtrack; `(?>(...)*)` is safe."""
    sources = [file for folder in (ROOT / "lm_eval_ext", ROOT / "training") for file in folder.rglob("*.py")]
    sources += (ROOT / "lm_eval_ext").rglob("*.yaml")
    assert [file for file in sources if re.search(r"(?<!\\)\)[*+?]\+", file.read_text("utf-8"))] == []
