"""Who may import whom, and what an import may load."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lm_eval_ext.grading import reading
from tests.conftest import ROOT

pytestmark = pytest.mark.unit

FLOORS = {"grading": 0, "rewards": 1, "harness": 1, "evidence": 2, "cli": 3}
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


def floor_of(module: str) -> int | None:
    parts = module.split(".")
    return FLOORS.get(parts[1]) if parts[0] == "lm_eval_ext" and len(parts) > 1 else None


def imports(path: Path) -> list[str]:
    tree = ast.parse(path.read_text())
    found = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    return found + [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "lm_eval_ext").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_imports_point_down_only(path):
    here = floor_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for name in imports(path):
        assert name.partition(".")[0] != "training", f"{path} imports {name}"
        there = floor_of(name)
        if here is not None and there is not None:
            assert there <= here, f"{path} imports {name}, which is above it"


def test_only_the_symbolic_layer_imports_computer_algebra():
    algebra = {"sympy", "math_verify", "latex2sympy2_extended"}
    users = [
        path.name
        for path in (ROOT / "lm_eval_ext").rglob("*.py")
        if {name.partition(".")[0] for name in imports(path)} & algebra
    ]
    assert users == ["symbolic.py"]


def test_the_rooms_of_the_reading_are_listed_from_the_ground_up():
    """The list in the package's docstring is the order in which its modules may import each other."""
    folder = ROOT / "lm_eval_ext" / "grading" / "reading"
    listed = re.findall(r"\b[a-z]+\b(?=[,:])", "\n".join(re.findall(r"^- .*", reading.__doc__, re.MULTILINE)))
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    order = [name for name in dict.fromkeys(listed) if name in modules]
    assert set(order) == modules
    for name in order:
        for imported in imports(folder / f"{name}.py"):
            module = imported.removeprefix("lm_eval_ext.grading.reading.")
            if module in modules:
                assert order.index(module) < order.index(name), f"{name} imports {module}, listed after it"
