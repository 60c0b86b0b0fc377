"""What holds for every answer, on real golds and real right answers."""

import random
from itertools import combinations

import pytest

from lm_eval_ext.grading import Grader, GraderConfig, Item
from lm_eval_ext.grading.answers import compare
from tests.grading import mutations, real

pytestmark = pytest.mark.unit

_FOREIGN = r"-\frac{987654}{13}"
_FINITE = ("set", "tuple", "integer", "rational", "radical", "expression", "equation", "function")


@pytest.fixture(scope="module")
def right(real_data):
    found = real.right_answers(real_data)
    assert len(found) >= 350
    return found


def test_every_gold_equals_itself(real_data):
    golds = real.math_golds(real_data) + real.mathnet_golds(real_data)
    assert len(golds) >= 2400
    with Grader(GraderConfig(workers=2)) as grader:
        verdicts = grader.grade([Item(rf"\boxed{{{gold}}}", gold) for gold in golds])
    assert [g for g, v in zip(golds, verdicts, strict=True) if v.correct is not True] == []


def test_no_gold_is_read_as_different_from_itself(real_data):
    golds = real.math_golds(real_data) + real.mathnet_golds(real_data)
    outcomes = [compare(gold, gold)[0] for gold in golds]
    assert [g for g, equal in zip(golds, outcomes, strict=True) if equal is False] == []
    assert outcomes.count(True) >= 0.98 * len(golds)


def test_acceptance_has_no_direction(real_data):
    chance = random.Random(2)
    golds = chance.sample(real.math_golds(real_data), 35) + chance.sample(real.mathnet_golds(real_data), 40)
    one_way = [
        (a, b) for a, b in combinations(golds, 2) if (compare(a, b)[0] is True) != (compare(b, a)[0] is True)
    ]
    assert [pair for pair in one_way if not mutations.has_direction(*pair)] == []


@pytest.mark.parametrize("kind", ["digit", "sign", "bracket"])
def test_a_changed_sign_of_a_right_answer_makes_it_another(right, kind):
    """Brackets matter in intervals; elsewhere (3, 4] is a slip for the pair (3, 4), and is read as it."""
    chance = random.Random(11)
    tried, kept = 0, []
    for given in right:
        if kind == "bracket" and given.kind != "interval":
            continue
        for position, mutant in mutations.mutants(kind, given.answer, chance, most=6):
            if mutations.does_not_count(given.answer, given.gold, position):
                continue
            tried += 1
            if real.decided(mutant, given.gold) and not mutations.moves_bound_of_odd(mutant, given.gold):
                kept.append((given.gold, given.answer, mutant))
    assert tried >= {"digit": 700, "sign": 120, "bracket": 1}[kind]
    assert kept == [], f"{len(kept)} of {tried}"


def test_a_right_answer_less_one_value_is_another(right):
    kept = [
        (given.gold, mutant)
        for given in right
        if not mutations.is_decision(given.gold) and not mutations.is_restated(given.answer)
        for mutant in mutations.without_one(given.answer)
        if real.decided(mutant, given.gold)
        and not mutations.still_names_all_pairs(mutant, given.gold)
        and not mutations.still_names_the_range(mutant)
    ]
    assert kept == []


def test_a_right_answer_and_one_value_more_is_another(right):
    kept = []
    for given in right:
        if given.kind not in _FINITE or mutations.is_restated(given.answer):
            continue
        bare = given.answer.rstrip(". ")
        more = f"{bare[:-1]}, {_FOREIGN}$" if bare.endswith("$") else f"{bare}, {_FOREIGN}"
        if not mutations.is_decision(given.gold) and real.decided(more, given.gold):
            kept.append((given.gold, more))
    assert kept == []
