"""The rules hold: every example is graded, and the document is that of the rules."""

import pytest

from lm_eval_ext.grading import Grader, Item
from lm_eval_ext.grading.rules import AREAS, RULES, markdown
from tests.conftest import ROOT

pytestmark = pytest.mark.unit


def examples():
    """(item, whether it is to be accepted) of every example."""
    for rule in RULES:
        for pairs, accepted in ((rule.yes, True), (rule.no, False)):
            for answer, gold in pairs:
                response = answer if rule.area == "extraction" else f"Final answer: {answer}"
                yield Item(response, gold), accepted


def test_every_example_is_graded_as_its_rule_says():
    items, expected = zip(*examples(), strict=True)
    with Grader() as grader:
        verdicts = grader.grade(items)
    wrong = [
        f"{item.response[:200]!r}, gold {item.gold[:200]!r}, to be accepted: {accepted}; {verdict}"
        for item, accepted, verdict in zip(items, expected, verdicts, strict=True)
        if (verdict.correct is True) != accepted
    ]
    assert not wrong, "\n".join(wrong)


def test_rules_are_in_the_order_of_their_areas_and_in_one_line():
    places = [AREAS.index(rule.area) for rule in RULES]
    assert places == sorted(places) and set(places) == set(range(len(AREAS)))
    assert all("\n" not in rule.says and rule.says.endswith(".") for rule in RULES)
    assert all(1 <= len(pairs) <= 4 for rule in RULES for pairs in (rule.yes, rule.no))


def test_no_rule_is_said_twice():
    said = [rule.says for rule in RULES]
    assert len(said) == len(set(said))


def test_the_document_is_that_of_the_rules():
    written = (ROOT / "docs" / "rules.md").read_text("utf-8")
    assert written == markdown(), (
        "docs/rules.md is stale: make docs (python -m lm_eval_ext.grading.rules > docs/rules.md)"
    )
