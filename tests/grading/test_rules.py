"""The documented rules hold: their examples are graded, every registered id is documented."""

import inspect
import re
from itertools import chain

import pytest

from lm_eval_ext.grading import Grader, Item, comparison, fallback
from lm_eval_ext.grading.judge import llm_judge
from lm_eval_ext.grading.rulebook import DECIDES
from lm_eval_ext.grading.rules import documented, markdown
from tests.conftest import ROOT

pytestmark = pytest.mark.unit

REGISTER = comparison, fallback, llm_judge
"""Modules that register rules when they are imported; the grader imports the others."""
RULES = list(chain.from_iterable(documented().areas.values()))


def items(area, pairs):
    return [
        Item(a if area in ("extraction", "languages") else f"Final answer: {a}", gold) for a, gold in pairs
    ]


@pytest.fixture(scope="module")
def verdicts():
    """By rule: the verdicts on the accepted pairs, those on the near misses."""
    groups = [
        items(area, pairs)
        for area, rules in documented().areas.items()
        for rule in rules
        for pairs in (rule.accepted, rule.near_misses)
    ]
    with Grader() as grader:
        graded = iter(grader.grade(list(chain.from_iterable(groups))))
    taken = [[next(graded) for _ in group] for group in groups]
    return list(zip(RULES, taken[::2], taken[1::2], strict=True))


def test_every_example_is_graded_as_its_rule_says(verdicts):
    for rule, accepted, near_misses in verdicts:
        assert [v for v in accepted if v.correct is not True] == [], rule.rule
        assert [v for v in near_misses if v.correct] == [], rule.rule


def test_the_accepted_pairs_are_decided_by_the_ids_that_the_rule_names(verdicts):
    found = {rule.rule: {v.rule for v in accepted} for rule, accepted, _ in verdicts}
    assert found == {rule.rule: set(rule.ids) for rule in RULES}


def test_every_registered_id_is_documented():
    assert documented().ids.keys() == DECIDES.keys()
    assert list(documented().ids) == sorted(documented().ids)


def test_every_id_that_can_accept_has_examples():
    accept = set(
        re.findall(r'Outcome\(\s*True,\s*"([^"]+)"', "\n".join(map(inspect.getsource, DECIDES.values())))
    )
    assert accept <= {name for rule in RULES for name in rule.ids}


def test_an_id_stands_in_the_function_that_decides_by_it_and_nowhere_else():
    files = [p for p in (ROOT / "lm_eval_ext" / "grading").rglob("*.py") if p.name != "types.py"]
    package = "\n".join(path.read_text("utf-8") for path in files)
    for name, function in DECIDES.items():
        source = inspect.getsource(function)
        assert source.count(f'"{name}"') >= 2, f"{function.__qualname__} never returns {name}"
        assert source.count(f'"{name}"') == package.count(f'"{name}"'), f"{name} is used elsewhere, too"


def test_rules_are_in_one_line_with_few_examples():
    assert all("\n" not in rule.rule and rule.rule.endswith(".") for rule in RULES)
    assert all(1 <= len(pairs) <= 5 for rule in RULES for pairs in (rule.accepted, rule.near_misses))


def test_no_rule_is_said_twice():
    said = [rule.rule for rule in RULES]
    assert len(said) == len(set(said))


def test_the_document_is_that_of_the_rules():
    written = (ROOT / "docs" / "rules.md").read_text("utf-8")
    assert written == markdown(), (
        "docs/rules.md is stale: make docs (python -m lm_eval_ext.grading.rules > docs/rules.md)"
    )
