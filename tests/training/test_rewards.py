"""A recipe's list of rewards: what TRL gets, and what `rollouts.jsonl` keeps."""

from __future__ import annotations

import json
import pickle
from types import SimpleNamespace

import pytest

from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.rewards import Score
from tests.scripted_server import Said, scripted
from training.recipe import Recipe, read
from training.rewards import rewards

pytestmark = pytest.mark.unit

EOS = 9
GOLDS = ["5", "5", "5", "the tallest tower of all"]
SAID = ["The answer is 5", "The answer is 6", "", "The answer is the smallest tower"]
TOKENS = [[1] * 8, [1] * 9, [EOS], [1] * 10]


@pytest.fixture(autouse=True)
def sample(monkeypatch):
    monkeypatch.setenv("LM_EVAL_EXT_DATA", "sample")


class Length:
    """A reward of a user's: the share of 20 characters."""

    def __init__(self, most):
        self.most = most

    def __call__(self, responses, rows):
        """The scores."""
        return [Score(min(1.0, len(text) / self.most), None) for text in responses]


def functions(tmp_path, listed, **settings):
    recipe = Recipe(task="arith_words", rewards=listed, **settings)
    training = SimpleNamespace(output_dir=str(tmp_path), max_completion_length=10)
    return rewards(recipe, training, None, [EOS])


def values(made, **columns):
    """What the functions give, called as TRL calls them."""
    logged = {}
    shared = {"gold": GOLDS, "id": list("abcd"), "prompts": ["p"] * 4, "completion_ids": TOKENS, **columns}
    state = SimpleNamespace(global_step=3)
    found = {
        f.__name__: f(completions=SAID, trainer_state=state, log_metric=logged.__setitem__, **shared)
        for f in made
    }
    return found, logged


def rollouts(tmp_path):
    return [json.loads(line) for line in (tmp_path / "rollouts.jsonl").read_text().splitlines()]


def test_without_a_list_the_task_grades(tmp_path):
    made, weights = functions(tmp_path, None)
    found, logged = values(made)
    assert (found, weights) == ({"task": [1.0, 0.0, 0.0, None]}, [1.0])
    assert logged["reward/undecided"] == 0.25 and logged["score/arith_words"] == 1 / 3
    first, *_, last = rollouts(tmp_path)
    assert first | {"grading_s": 0, "reason": "", "prompt_sha256": "", "rule": ""} == {
        "step": 3, "id": "a", "task": "arith_words", "verifier": "math", "prompt_sha256": "",
        "completion": "The answer is 5", "answer": "5", "correct": True, "reason": "", "rule": "",
        "rewards": {"task": 1.0}, "truncated": False, "tokens": 8, "grading_s": 0,
    }  # fmt: skip
    assert first["rule"] and last["rewards"] == {"task": None} and last["truncated"] is True


def test_each_reward_has_its_name_weight_and_condition(tmp_path):
    listed = [
        {"name": "task"},
        {"name": "format", "form": "answer_is", "weight": 0.2},
        {"name": "format", "form": "boxed", "label": "box", "weight": 0.1},
        {"name": "overlong", "tokens": 4},
        {"name": f"{__name__}:Length", "label": "length", "only_if": "correct", "weight": 0.5, "most": 20},
    ]
    made, weights = functions(tmp_path, listed)
    found, _ = values(made)
    assert weights == [1.0, 0.2, 0.1, 1.0, 0.5]
    assert found == {
        "task": [1.0, 0.0, 0.0, None],
        "format": [1.0, 1.0, 0.0, None],  # what is undecided gets no bonus either: it would rank as wrong
        "box": [0.0, 0.0, 0.0, None],
        "overlong": [-0.5, -0.75, 0.0, None],
        "length": [0.75, 0.0, 0.0, None],
    }
    recorded = rollouts(tmp_path)
    assert [row["rewards"] for row in recorded] == [
        {name: given[i] for name, given in found.items()} for i in range(4)
    ]


def test_a_batch_is_scored_and_recorded_once_and_the_next_one_again(tmp_path):
    made, _ = functions(tmp_path, [{"name": "task"}, {"name": "format"}])
    values(made)
    assert len(rollouts(tmp_path)) == 4
    values(pickle.loads(pickle.dumps(made)))
    values(made)  # the same list of completions, in the next step
    assert len(rollouts(tmp_path)) == 12


def test_rows_of_another_task_are_refused(tmp_path):
    made, _ = functions(tmp_path, None)
    with pytest.raises(ValueError, match=r"task and verifier \('gsm8k_ext', 'math'\); this run has"):
        values(made, task=["gsm8k_ext"] * 4, verifier=["math"] * 4)


def test_rows_go_to_the_verifiers_of_their_tasks(tmp_path):
    """A verifier's name in the list stands for the rows that it grades."""
    length = f"{__name__}:Length"
    listed = [{"name": "math"}, {"name": length, "label": "own", "weight": 2}]
    sources = [
        {"source": "arith_words", "count": 2},
        {"source": "arith_words", "task": "math_0shot", "count": 2, "verifier": {"name": length, "most": 32}},
    ]
    made, _ = functions(tmp_path, listed, sources=sources)
    tasks, names = ["arith_words"] * 2 + ["math_0shot"] * 2, ["math"] * 2 + [length] * 2
    document = ['{"most": 3}'] * 4
    found, logged = values(made, task=tasks, verifier=names, document=document)
    assert found == {"math": [1.0, 0.0, None, None], "own": [None, None, 0.0, 1.0]}
    assert logged["score/arith_words"] == 0.5 and logged["score/math_0shot"] == 0.5
    assert [(row["task"], row["verifier"]) for row in rollouts(tmp_path)] == [*zip(tasks, names, strict=True)]
    assert [row["rewards"] for row in rollouts(tmp_path)][2:] == [{"own": 0.0}, {"own": 1.0}]


def test_a_judge_rewards_whole_responses_and_keeps_its_replies(tmp_path):
    replies = {"5": Said("YES"), "6": Said("NO")}

    def reply(request):
        asked = request["messages"][-1]["content"]
        return next((said for answer, said in replies.items() if f"is {answer}" in asked), Said("Perhaps"))

    with scripted(reply) as server:
        judge = {"name": "judge", "model": "m", "base_url": server.url, "cache": str(tmp_path / "cache")}
        found, _ = values(functions(tmp_path, [judge])[0])
        assert found == {"judge": [1.0, 0.0, 0.0, None]}
        asked = len(server.requests)
        values(functions(tmp_path, [judge])[0])
        again = server.requests[asked:]
    assert all("smallest tower" in json.dumps(request) for request in again)  # the others were kept


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ([{"weight": 1}], "has no name"),
        ([{"name": "fromat"}], "an entry has task, overlong, math, "),
        ([{"name": "format", "weight": "big"}], "an entry has a number as weight"),
        ([{"name": "format", "only_if": "right"}], "only_if: correct, or no only_if"),
        ([{"name": "task", "timeout_s": 3}], "task without settings"),
        ([{"name": "format"}, {"name": "format", "form": "r1"}], "two are called format; give one of them a"),
        ("task", "rewards must be a list of mappings, as JSON on the command line; got 'task'"),
    ],
)
def test_what_the_list_cannot_say(listed, message):
    with pytest.raises(ValueError, match=message):
        Recipe(task="arith_words", rewards=listed)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"name": "format", "form": "round"}, "form is 'round'; it must be one of any, boxed"),
        ({"name": "format", "shape": "round"}, "unexpected keyword argument 'shape'"),
        ({"name": "overlong"}, "give tokens, at most max_completion_length"),
        ({"name": "overlong", "tokens": 11}, "give tokens, at most max_completion_length"),
        ({"name": "nowhere:reward"}, "No module named 'nowhere'"),
        ({"name": "judge"}, "no model among the settings"),
    ],
)
def test_what_a_reward_does_not_take(tmp_path, entry, message):
    with pytest.raises(UserError, match=message):
        functions(tmp_path, [entry])


@pytest.mark.parametrize(
    ("old", "new"), [("format_weight", "name: format, weight: W"), ("overlong_tokens", "overlong, tokens: N")]
)
def test_the_settings_of_earlier_versions_name_the_list(old, new):
    with pytest.raises(UserError, match=rf"no setting {old} any more; write rewards: .*{new}"):
        read("grpo", ["--task", "arith_words", f"--{old}", "1"])


def test_the_list_is_json_on_the_command_line(tmp_path):
    given = '[{"name": "task"}, {"name": "format", "weight": 0.1}]'
    more = ["--model_name_or_path", "m", "--output_dir", str(tmp_path), "--report_to", "none"]
    recipe, _, _ = read("grpo", ["--task", "arith_words", "--rewards", given, *more])
    assert recipe.rewards == json.loads(given)


R1 = "<think>2 and 3 are 5.</think> <answer>5</answer>"
FORMS = {
    "any": {"I wonder.": False, "The answer is 5.": True, r"So \boxed{5}": True, R1: True, "": False},
    "boxed": {"The answer is 5.": False, r"So \boxed{5}": True, r"\boxed{}": False, "": False},
    "answer_is": {"The answer is 5.": True, "the answer is -1,000": True, r"\boxed{5}": False, "": False},
    "r1": {
        R1: True,
        f"Well. {R1}": False,
        f"{R1} Done.": False,
        "<think>5</think> 5": False,
        "<answer>5</answer>": False,
        "<think>a</think><think>b</think><answer>5</answer>": False,
        "<think>a</think><answer> </answer>": False,
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(form):
    from lm_eval_ext.rewards import verifier

    scores = verifier("format", form=form)([*FORMS[form]], [{}] * len(FORMS[form]))
    assert {text: score.correct for text, score in zip(FORMS[form], scores, strict=True)} == FORMS[form]
