"""One verdict, whichever way a response comes in."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from lm_eval_ext.grading import Grader, GraderConfig, Item, grade_one
from lm_eval_ext.harness.filters import GradeMath
from lm_eval_ext.rewards import AccuracyReward
from lm_eval_ext.rewards.adapters import compute_score
from tests.conftest import cases
from tests.grading.responses import announced, boxed

pytestmark = pytest.mark.unit

NO_ANSWER = [("I do not know.", "1"), ("", "1"), ("<think>\\boxed{1}", "1")]


def exchanges():
    """(response, gold) of every case, and responses that commit to nothing."""
    rows = [*cases("answers"), *cases("grade")]
    found = [(say(case["answer"]), case["gold"]) for case in rows for say in (announced, boxed)]
    return [*found, *NO_ANSWER]


@pytest.fixture(scope="module")
def expected():
    with Grader(GraderConfig(workers=2)) as grader:
        verdicts = grader.grade([Item(response, gold) for response, gold in exchanges()])
    assert len(verdicts) == len(exchanges())
    return verdicts


def test_one_at_a_time(expected):
    assert [grade_one(response, gold) for response, gold in exchanges()] == expected


def test_backwards_and_twice(expected):
    with Grader(GraderConfig(workers=1)) as grader:
        items = [Item(response, gold) for response, gold in reversed(exchanges())]
        for _ in range(2):
            assert grader.grade(items)[::-1] == expected


def test_filter_of_the_harness(expected):
    rows = exchanges()
    graded = GradeMath(workers=2).apply([[response] for response, _ in rows], [{"gold": g} for _, g in rows])
    assert [verdict for each in graded for verdict in each] == expected


def test_filter_of_the_harness_with_repeats(expected):
    """Responses with the same gold, as repeats of one document."""
    places: dict[str, list[int]] = {}
    for place, (_, gold) in enumerate(exchanges()):
        places.setdefault(gold, []).append(place)
    responses = [[exchanges()[place][0] for place in group] for group in places.values()]
    graded = GradeMath(workers=2).apply(responses, [{"gold": gold} for gold in places])
    for each, group in zip(graded, places.values(), strict=True):
        assert list(each) == [expected[place] for place in group]


def test_reward(expected):
    rows = exchanges()
    reward = AccuracyReward(workers=2)
    rewards = reward(completions=[response for response, _ in rows], gold=[gold for _, gold in rows])
    assert rewards == [None if v.correct is None else float(v.correct) for v in expected]
    assert reward.verdicts([response for response, _ in rows], [gold for _, gold in rows]) == expected
    reward.close()


def test_verl(expected):
    """One response a call, from many threads, as verl's reward manager does."""
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda row: compute_score("math", *row, extra_info={}), exchanges()))
    assert [(float(v.correct is True), float(v.correct is None), v.answer or "") for v in expected] == [
        (each["score"], each["undecided"], each["pred"]) for each in found
    ]


def test_http(expected):
    from fastapi.testclient import TestClient

    from lm_eval_ext.rewards.server import ServerConfig, create_app

    with TestClient(create_app(ServerConfig(math={"workers": 2}))) as client:
        rows = [{"response": response, "gold": gold} for response, gold in exchanges()]
        reply = client.post("/score", json={"rows": rows})
        asked = {"query": [r["response"] for r in rows], "prompts": [""] * len(rows)}
        rewards = client.post("/get_reward", json={**asked, "labels": [r["gold"] for r in rows]}).json()
    scores = reply.json()["scores"]
    fields = ("correct", "answer", "reason", "rule")
    assert [[each[name] for name in fields] for each in scores] == [
        [getattr(verdict, name) for name in fields] for verdict in expected
    ]
    assert rewards["rewards"] == [float(verdict.correct is True) for verdict in expected]
