import json
import math
import re

import pytest

from lm_eval_ext.grading import Grader, GraderConfig, Item, Verdict, grade_one
from lm_eval_ext.grading.pipeline import MAX_READ
from lm_eval_ext.grading.rules import documented
from tests.conftest import cases

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def grader():
    with Grader() as grader:
        yield grader


@pytest.mark.parametrize("case", cases("grade"), ids=lambda case: f"{case['answer']} ~ {case['gold']}")
def test_verdicts(grader, case):
    verdict = grader.grade([Item(f"Final answer: {case['answer']}", case["gold"])])[0]
    assert (verdict.correct, verdict.layer) == (case["correct"], case["layer"])
    assert verdict.reason and verdict.rule in documented().ids


def test_order_is_kept_over_a_batch_of_every_kind(grader):
    rows = cases("grade") * 20
    verdicts = grader.grade([Item(f"Final answer: {r['answer']}", r["gold"]) for r in rows])
    assert [v.correct for v in verdicts] == [r["correct"] for r in rows]


def test_no_answer_is_wrong_and_no_gold_is_undecided(grader):
    nothing, no_gold = grader.grade([Item("I do not know.", "1"), Item("Final answer: 1", "  ")])
    assert (nothing.correct, nothing.layer, nothing.answer) == (False, "none", None)
    assert (no_gold.correct, no_gold.layer) == (None, "none")
    assert (nothing.rule, no_gold.rule) == ("response.no-answer", "gold.no-answer")
    hollow = grader.grade([Item("Final answer: x =", "$ $")])[0]
    assert hollow.correct is not True
    missing = grader.grade([Item("Final answer: 1", None)])[0]
    assert missing.correct is None and "gold" in missing.reason


def test_an_absurdly_long_answer_is_decided_to_be_different(grader):
    verdict = grader.grade([Item(r"\boxed{" + "1+" * 5_000 + "1}", "1")])[0]
    assert verdict.rule == "size.oversized"
    assert verdict.correct is False and re.search(r"\d+ characters", verdict.reason)


def test_what_nobody_can_read_in_time_is_undecided(grader):
    long = "1+" * MAX_READ + "1"
    for answer, gold, correct in [("1+" + long, long, None), ("42", long, None), (long, long, True)]:
        verdict = grader.equal([(answer, gold)])[0]
        assert (verdict.correct, verdict.rule == "undecided.oversized") == (correct, correct is None)


def test_grade_one_and_the_grader_agree(grader):
    for case in cases("grade"):
        response = f"Final answer: {case['answer']}"
        assert grade_one(response, case["gold"]) == grader.grade([Item(response, case["gold"])])[0]


def test_a_verdict_prints_as_json_and_reads_back():
    verdict = Verdict(True, "exact", r"\frac{1}{2}", "equal")
    assert json.loads(str(verdict))["layer"] == "exact"
    assert Verdict.from_json(str(verdict)) == verdict


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        "null",
        '{"a": 1}',
        '{"correct": true}',
        '{"correct": true, "layer": "exact", "answer": "1", "more": 1}',
        '{"correct": true, "layer": "guess", "answer": "1"}',
        '{"correct": null, "layer": "exact", "answer": "1"}',
        '{"correct": true, "layer": "exact", "answer": null}',
        '{"correct": "yes", "layer": "exact", "answer": "1"}',
        '{"correct": true, "layer": "exact", "answer": 1}',
    ],
)
def test_what_is_no_verdict_is_a_value_error(text):
    with pytest.raises(ValueError, match=f"^not a verdict: {re.escape(repr(text))}"):
        Verdict.from_json(text)


@pytest.mark.parametrize(
    "settings",
    [
        *({"workers": value} for value in (0, -1, 2.5, "2", True)),
        *({"timeout_s": value} for value in (0, -1.0, math.inf, math.nan, 1e9, "5", None)),
        *({"memory_mb": value} for value in (10, 1024.0)),
        *({"cache_size": value} for value in (-1, None)),
        *({"judge_block": value} for value in (0, "all")),
        *({"stages": value} for value in ("one", ("one",))),
        {"judge": "gpt-5"},
    ],
    ids=str,
)
def test_bad_settings_say_what_was_received(settings):
    [(name, value)] = settings.items()
    with pytest.raises(ValueError, match=f"^{name} must .*{re.escape(repr(value))}"):
        GraderConfig(**settings)


def test_unknown_settings_raise():
    with pytest.raises(TypeError):
        GraderConfig(timeout=5)


class Generous:
    """A judge that finds every answer right; a real one is asked the same way."""

    def judge(self, items, verdicts):
        assert len(items) == len(verdicts)
        return [v if v.answer is None or v.correct else Verdict(True, "judge", v.answer) for v in verdicts]


def test_a_judge_sees_everything_and_chooses():
    items = [Item("Final answer: 1", "1"), Item("Final answer: 2", "1"), Item("nothing", "1")] * 7
    with Grader(GraderConfig(judge=Generous(), judge_block=4)) as grader:
        verdicts, streamed = grader.grade(items), list(grader.stream(iter(items)))
    assert [v.layer for v in verdicts] == ["exact", "judge", "none"] * 7 and streamed == verdicts
