"""The adapters, called as verl, OpenRLHF, verifiers and NeMo-RL call a reward."""

import asyncio
import inspect
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import pytest

from lm_eval_ext.rewards import adapters

pytestmark = pytest.mark.unit

RIGHT, WRONG, SILENT = "2 + 2 = 4. Final answer: 4", "Final answer: 5", "I do not know."
UNREADABLE = ("Final answer: the blue one", "whatever it is")


def verl(compute_score, response, gold, extra=None, **reward_kwargs):
    """As NaiveRewardManager.run_single of verl 0.9 does, with the kwargs of its configuration merged in."""
    extra = {**(extra or {}), "num_turns": None, "rollout_reward_scores": {}}
    given = {
        "data_source": "openai/gsm8k",
        "solution_str": response,
        "ground_truth": gold,
        "extra_info": extra,
    }
    result = compute_score(**given, **reward_kwargs)
    return result["score"], dict(result.items())


def test_verl():
    assert verl(adapters.compute_score, RIGHT, "4")[0] == 1.0
    assert verl(adapters.compute_score, WRONG, "4")[0] == 0.0
    score, extra = verl(adapters.compute_score, *UNREADABLE, undecided=0.25)
    assert (score, extra["undecided"], extra["acc"]) == (0.25, 1.0, 0.0)
    keys = {frozenset(verl(adapters.compute_score, text, "4")[1]) for text in (RIGHT, WRONG, SILENT)}
    assert len(keys) == 1  # verl makes one array of each


def test_verl_with_settings_and_a_reward_model():
    both = r"\boxed{4}. Final answer: 5"
    assert verl(adapters.compute_score, both, "4", extract="boxed")[0] == 1.0
    assert verl(adapters.compute_score, both, "4", extract="announced")[0] == 0.0
    routed = {"reward_router_address": "127.0.0.1:1", "reward_model_tokenizer": object()}
    assert verl(adapters.compute_score, RIGHT, "4", **routed)[0] == 1.0


def test_verl_gives_the_problem_of_a_choice():
    problem = {"question": "Which?\n(A) 3\n(B) 4"}
    assert verl(adapters.compute_score, RIGHT, "B", problem)[0] == 1.0
    assert verl(adapters.compute_score, RIGHT, "B")[0] == 0.0


def openrlhf(reward_func, prompt, response, label):
    """As SingleTurnAgentExecutor of OpenRLHF 0.11 does with the function of a file."""
    told = reward_func([prompt + response], [prompt], [label])
    return told["rewards"][0], told["scores"][0], {key: each[0] for key, each in told["extra_logs"].items()}


def test_openrlhf():
    ask = partial(openrlhf, adapters.reward_func, "<|user|>2 + 2? An example. Final answer: 5<|assistant|>")
    assert ask(RIGHT + "<|im_end|>", "4") == (1.0, 1.0, {"undecided": 0.0, "answered": 1.0})
    assert ask(WRONG + "</s>", "4") == (0.0, 0.0, {"undecided": 0.0, "answered": 1.0})
    assert ask(SILENT, "5") == (0.0, 0.0, {"undecided": 0.0, "answered": 0.0})  # the prompt answers nothing
    assert ask(*UNREADABLE)[2]["undecided"] == 1.0


@pytest.mark.parametrize(
    ("query", "prompt", "response"),
    [
        ("Q: 1\nA: 2</s>", "Q: 1\nA:", " 2"),
        ("<s> [INST] Q [/INST] 2 <|im_end|>\n", "<s>[INST] Q [/INST]", " 2"),
        ("2<|endoftext|><|endoftext|>", "", "2"),
        ("Q<｜Assistant｜>2<｜end▁of▁sentence｜>", "Q<｜Assistant｜>", "2"),
        ("Q a < b and c|> 2", "Q", " a < b and c|> 2"),
        ("Q", "Q", ""),
    ],
)
def test_responses_of_queries(query, prompt, response):
    assert adapters.response_of(query, prompt) == response


def test_openrlhf_refuses_what_does_not_belong_together():
    with pytest.raises(ValueError, match=r"begin with its prompt: 'Final answer: 4', 'Q'"):
        adapters.reward_func(["Final answer: 4"], ["Q"], ["4"])
    with pytest.raises(ValueError, match="1 queries, 2 prompts, 1 labels"):
        adapters.reward_func(["Q4"], ["Q", "Q"], ["4"])


def awaited(call):
    """In a thread of its own: `asyncio.run` drops the event loop that another package left in this one."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, call).result()


def rubric(function, **state):
    """As Rubric of verifiers 0.1 does: the objects that the function's parameters name."""
    known = {"prompt": [], "task": "default", "state": {}, "info": {}, **state}
    taken = {name: known[name] for name in inspect.signature(function).parameters}
    return awaited(function(**taken))


def test_verifiers_with_rubrics():
    completion = [{"role": "assistant", "content": RIGHT}]
    function = adapters.rubric_function()
    assert rubric(function, completion=completion, answer="4") == 1.0
    assert rubric(function, completion=completion, answer="5") == 0.0
    both = [{"role": "assistant", "content": r"\boxed{4}. Final answer: 5"}]
    assert rubric(adapters.rubric_function(extract="boxed"), completion=both, answer="4") == 1.0
    choice = {"problem": "Which?\n(A) 3\n(B) 4"}
    assert rubric(function, completion=completion, answer="B", info=choice) == 1.0


class TaskData:
    """Fields as those of a pydantic model are iterated."""

    def __init__(self, **fields: Any) -> None:
        self.fields = fields

    def __iter__(self):
        return iter(self.fields.items())


def test_verifiers_with_traces():
    """As Task.score of verifiers 0.4 calls a plugged reward: by the names of its parameters."""
    assert {"task", "trace"} <= set(inspect.signature(adapters.trace_reward).parameters)
    for data, expected in (({"answer": "4"}, 1.0), ({"gold": "5", "answer": "4"}, 0.0)):
        call = adapters.trace_reward(task=TaskData(idx=0, **data), trace=SimpleNamespace(last_reply=RIGHT))
        assert awaited(call) == expected


class EnvironmentReturn(NamedTuple):
    """Of nemo_rl.environments.interfaces."""

    observations: Any
    metadata: Any
    next_stop_strings: Any
    rewards: Any
    terminateds: Any
    answers: Any


def test_nemo_rl(monkeypatch):
    interfaces = ModuleType("nemo_rl.environments.interfaces")
    interfaces.EnvironmentReturn = EnvironmentReturn
    for name in ("nemo_rl", "nemo_rl.environments"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, interfaces.__name__, interfaces)
    logs = [
        [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": text}]
        for text in (RIGHT, WRONG)
    ]
    environment = adapters.NemoEnvironment({"extract": "statement", "undecided": -1.0})
    step = environment.step(logs, [{"ground_truth": "4"}] * 2)
    assert step.rewards.tolist() == [1.0, 0.0] and step.terminateds.tolist() == [1.0, 1.0]
    assert step.answers == ["4", "5"] and {each["role"] for each in step.observations} == {"environment"}
    assert step.metadata == [{"ground_truth": "4"}] * 2 and step.next_stop_strings == [None, None]
    assert environment.step([logs[0][:1]], [{"ground_truth": UNREADABLE[1]}]).rewards.tolist() == [0.0]
    assert environment.global_post_process_and_metrics({"rewards": step.rewards})[1] == {"accuracy": 0.5}


def test_settings_that_a_verifier_refuses_are_named():
    with pytest.raises(ValueError, match=r"verifier math refuses the settings .*'extrakt'"):
        adapters.compute_score("", RIGHT, "4", extrakt="boxed")
    with pytest.raises(ValueError, match="extract is 'nix'; it must be one of"):
        adapters.compute_score("", RIGHT, "4", extract="nix")
    with pytest.raises(ValueError, match="verifier 'nix' is unknown"):
        adapters.compute_score("", RIGHT, "4", verifier="nix")
