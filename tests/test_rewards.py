"""The reward is the grader's verdict, as TRL wants it."""

import pickle

import pytest

from lm_eval_ext.rewards import AccuracyReward, cores_of_this_rank, text_of

pytestmark = pytest.mark.unit

CHAT = [{"role": "assistant", "content": "Final answer: $x^2$"}]


@pytest.fixture(scope="module")
def reward():
    reward = AccuracyReward(workers=1)
    yield reward
    reward.close()


def test_right_wrong_unanswered_undecided(reward):
    completions = [
        "Final answer: 2/4",
        "Final answer: 3",
        "I cannot tell.",
        "Final answer: the tallest tower",
    ]
    golds = ["0.5", "4", "5", "The smallest tower of all"]
    assert reward(prompts=["?"] * 4, completions=completions, gold=golds, step=7) == [1.0, 0.0, 0.0, None]


def test_undecided_as_wrong():
    strict = AccuracyReward(undecided=0.0, workers=1)
    assert strict(completions=["Final answer: the tallest tower"], gold=["The smallest tower of all"]) == [
        0.0
    ]
    strict.close()


def test_conversations_and_listed_choices(reward):
    problems = ["", "(A) 1 (B) x (C) 5"]
    assert reward(completions=[CHAT, CHAT], gold=["x*x", "C"], problem=problems) == [1.0, 0.0]
    assert text_of([{"role": "user", "content": "2"}]) == ""


def test_columns_of_another_length(reward):
    with pytest.raises(ValueError, match="2 completions, and 1 rows"):
        reward(completions=["1", "2"], gold=["1"])


def test_pickled_after_use(reward):
    assert reward(completions=["Final answer: 1"], gold=["1"]) == [1.0]
    copy = pickle.loads(pickle.dumps(reward))
    assert copy.__name__ == "accuracy_reward"
    assert copy(completions=["Final answer: 1"], gold=["2"]) == [0.0]
    copy.close()


@pytest.mark.parametrize(("ranks", "share"), [("1", 8), ("2", 4), ("3", 2), ("100", 1)])
def test_ranks_of_a_host_share_its_cores(monkeypatch, ranks, share):
    monkeypatch.setattr("lm_eval_ext.rewards.usable_cores", lambda: 8)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", ranks)
    assert cores_of_this_rank() == share
    assert AccuracyReward().config.workers == share
