"""Every id that an outcome is given stands in one function, which registers it."""

import ast
from collections import Counter
from collections.abc import Iterator

import pytest

import lm_eval_ext.grading.answers  # noqa: F401  (registers its rules)
from lm_eval_ext.grading.rulebook import DECIDES
from lm_eval_ext.grading.types import VALUES_DIFFER
from tests.conftest import ROOT

pytestmark = pytest.mark.unit

FILES = sorted((ROOT / "lm_eval_ext" / "grading").rglob("*.py"))
FUNCTIONS = [
    (path.stem, node)
    for path in FILES
    for node in ast.walk(ast.parse(path.read_text("utf-8")))
    if isinstance(node, ast.FunctionDef)
]


def called(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def registered(function: ast.FunctionDef) -> list[str]:
    """The ids of its decorator."""
    return [arg.value for d in function.decorator_list if called(d, "rule") for arg in d.args]


def given(node: ast.AST) -> Iterator[str]:
    """The ids that stand in calls of `Outcome(equal, rule, ...)`."""
    for call in ast.walk(node):
        if called(call, "Outcome") and len(call.args) > 1:
            yield from (n.value for n in ast.walk(call.args[1]) if isinstance(n, ast.Constant) and n.value)


def literals(function: ast.FunctionDef) -> set[object]:
    """The constants in its body."""
    return {n.value for line in function.body for n in ast.walk(line) if isinstance(n, ast.Constant)}


@pytest.mark.parametrize(("module", "function"), FUNCTIONS, ids=[f"{m}.{f.name}" for m, f in FUNCTIONS])
def test_a_function_gives_the_ids_that_it_registers(module, function):
    assert set(given(function)) <= set(registered(function)) <= literals(function)


def test_no_id_is_given_outside_functions():
    for path in FILES:
        outside = [n for n in ast.parse(path.read_text("utf-8")).body if not isinstance(n, ast.FunctionDef)]
        assert [i for node in outside if not isinstance(node, ast.ClassDef) for i in given(node)] == []


def test_each_id_is_registered_once_and_reads_area_dot_what():
    ids = Counter(i for _, function in FUNCTIONS for i in registered(function))
    assert set(ids.values()) == {1}
    assert DECIDES.keys() <= set(ids)
    assert VALUES_DIFFER in DECIDES
    for each in ids:
        area, _, what = each.partition(".")
        assert area and what and each == each.lower() and not set(each) & set(" _"), each
