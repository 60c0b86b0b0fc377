"""The reward is the grader's verdict, as TRL wants it."""

import pickle

import pytest

from lm_eval_ext.grading import Grader
from lm_eval_ext.rewards import AccuracyReward, text_of

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


PARTS = [
    {
        "role": "assistant",
        "content": [{"type": "text", "text": "Final "}, {"type": "text", "text": "answer: 7"}],
    }
]
SHAPES = [
    ("Final answer: 2", 2),
    ("Final answer: 27", 27.0),
    ("Final answer: B", r"\boxed{B}"),
    ("Final answer: 7", "3 + 4 = 7.\n#### 7"),
    ("Final answer: 1/2", ["0.3", r"\frac{1}{2}"]),
    (PARTS, "7"),
]


@pytest.mark.parametrize(("completion", "gold"), SHAPES)
def test_golds_and_completions_of_all_shapes(reward, completion, gold):
    assert reward(completions=[completion, "Final answer: 77"], gold=[gold, gold]) == [1.0, 0.0]


def test_no_completion_is_no_answer(reward):
    nothing = [None, "", [], [{"role": "assistant", "content": None}], [{"role": "assistant", "content": []}]]
    assert reward(completions=nothing, gold=["1"] * 5) == [0.0] * 5


def test_trls_column_where_there_is_no_gold(reward):
    said = ["Final answer: 7", "Final answer: 8"]
    assert reward(completions=said, solution=[r"So \boxed{7}.", "#### 7"]) == [1.0, 0.0]
    assert reward(completions=said, gold=["8", "8"], solution=["7", "7"]) == [0.0, 1.0]
    with pytest.raises(ValueError, match=r"no column gold and no column solution \(it has answer, problem"):
        reward(completions=said, answer=["7", "7"], problem=["", ""])


@pytest.mark.parametrize(("extract", "rewards"), [("statement", [0.0, 1.0]), ("boxed", [1.0, 0.0])])
def test_answers_are_found_as_the_evaluation_finds_them(extract, rewards):
    found = AccuracyReward(extract=extract, workers=1)
    said = [rf"So \boxed{{{a}}}. Hence the final answer is {b}." for a, b in ((8, 9), (9, 8))]
    assert found(completions=said, gold=["8", "8"]) == rewards
    assert [found.answer(text) for text in said] == (["9", "8"] if extract == "statement" else ["8", "9"])


def test_there_is_no_other_way_to_find_an_answer():
    with pytest.raises(
        ValueError, match="extract is 'box'; it must be one of announced, bare, boxed, flexible,"
    ):
        AccuracyReward(extract="box")


def test_why_nothing_is_rewarded(reward, caplog):
    said = ["Final answer: the tallest tower"] * 2 + ["Final answer: 2"]
    golds = ["The smallest tower of all", "", "2"]
    assert reward(completions=said[:2], gold=golds[:2], id=["train-7", "train-8"]) == [None, None]
    (told,) = caplog.messages
    assert told.startswith("all of 2 completions could not be graded and get no reward: gold 'The smallest")
    assert "(id train-7): " in told and "gold '' (id train-8): the gold is empty" in told
    assert told.endswith("or set undecided=0.0 to count them as wrong")
    caplog.clear()
    reward(completions=said, gold=golds)
    assert caplog.messages[0].startswith("2 of 3 completions could not be graded")
    caplog.clear()
    reward(completions=said[2:], gold=["3"])
    assert not caplog.messages


def test_columns_of_another_length(reward):
    with pytest.raises(ValueError, match="2 completions, but 1 rows"):
        reward(completions=["1", "2"], gold=["1"])


def test_pickled_after_use(reward):
    assert reward(completions=["Final answer: 1"], gold=["1"]) == [1.0]
    copy = pickle.loads(pickle.dumps(reward))
    assert copy.__name__ == "accuracy_reward"
    assert copy(completions=["Final answer: 1"], gold=["2"]) == [0.0]
    copy.close()


@pytest.mark.parametrize(("ranks", "share"), [("1", 8), ("2", 4), ("3", 2), ("100", 1)])
def test_ranks_of_a_host_share_its_cores(monkeypatch, ranks, share):
    monkeypatch.setattr("lm_eval_ext.grading.grader.usable_cores", lambda: 8)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", ranks)
    assert Grader(AccuracyReward().config)._workers() == share
