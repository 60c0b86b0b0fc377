"""What holds for every answer: it equals itself, equality has no direction, a changed answer is another."""

import pytest
from hypothesis import given

from lm_eval_ext.grading import Grader, GraderConfig, Item
from lm_eval_ext.grading.answers import compare
from tests.conftest import cases
from tests.grading.generated import answers, neighbours, pairs
from tests.grading.mutations import has_direction
from tests.grading.responses import announced

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def grader():
    with Grader(GraderConfig(workers=2)) as grader:
        yield grader


def test_every_gold_of_the_cases_equals_itself(grader):
    golds = sorted({case["gold"] for case in cases("answers")})
    assert [v.correct for v in grader.grade([Item(announced(g), g) for g in golds])] == [True] * len(golds)
    left = {c["gold"] for c in cases("answers") if c["why"].startswith("unread") or "\\approx" in c["gold"]}
    assert [g for g in golds if g not in left and compare(g, g)[0] is not True] == []


@given(answers())
def test_every_spelling_of_an_answer_equals_every_other(made):
    for one in made.ways:
        for other in made.ways:
            assert compare(one, other)[0] is True, (one, other, compare(one, other))


@given(pairs())
def test_different_answers_of_one_kind_differ(pair):
    left, right = pair
    if left.meaning != right.meaning:
        assert [compare(a, g) for a in left.ways for g in right.ways if compare(a, g)[0]] == []


@given(pairs())
def test_equality_has_no_direction(pair):
    for one, other in zip(pair[0].ways, pair[1].ways, strict=False):
        assert compare(one, other)[0] == compare(other, one)[0], (one, other)


@given(answers())
def test_a_changed_answer_is_another(made):
    for other in neighbours(made):
        for gold in made.ways:
            for answer in other.ways:
                assert compare(answer, gold)[0] is not True, (answer, gold, compare(answer, gold))


def test_equality_of_the_cases_has_no_direction_but_by_rule():
    rows = [(case["answer"], case["gold"]) for case in cases("answers")]
    one_way = [(a, g) for a, g in rows if compare(a, g)[0] != compare(g, a)[0]]
    assert [pair for pair in one_way if not has_direction(*pair)] == []


def test_a_set_of_unordered_pairs_takes_each_pair_in_either_order():
    gold, answer = "{1, 4}, {2, 3}", "(4, 1), (2, 3)"
    assert compare(answer, gold)[0] is True
    assert compare(gold, answer)[0] is not True
