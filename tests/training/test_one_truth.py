"""A task's evaluation and the reward of a run that trains on it give the same verdicts."""

from __future__ import annotations

import pytest

from lm_eval_ext.harness.shipped import tasks_path
from lm_eval_ext.rewards import AccuracyReward
from tests.harness.test_tasks import OTHERS
from tests.rewards.instructed import FOLLOWING
from training.data.build import prompts_of
from training.data.rows import of_one_type, unsupervised
from training.recipe import Recipe
from training.rewards.rollouts import Rollouts
from training.rewards.scoring import RewardSet
from training.rewards.setup import gradings_of

pytestmark = pytest.mark.unit

RESPONSES = (
    r"So \boxed{GOLD}. Hence the final answer is 7919.",
    r"So \boxed{7919}. Hence the final answer is GOLD.",
    "The answer is GOLD. That took 7919 steps.",
    "Final answer: 7919. No, wait. Final answer: GOLD",
    "<think>The answer is GOLD.</think>The answer is 7919.",
    "#### 7919\n#### GOLD",
    "GOLD",
    "",
    "The answer is GOLD.\n\n\nQuestion: How many?\nAnswer: The answer is 7919.",
    "The answer is GOLD.\n\nProblem: How many?\n\nSolution: The answer is 7919.",
)
"""What the extractors, and the stops, of the tasks read differently."""


def tasks() -> list[str]:
    """The tasks of mathematics."""
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=str(tasks_path()), include_defaults=False)
    return [
        name
        for name in sorted(manager.all_subtasks)
        if manager.task_index[name].yaml_path.parent.name not in OTHERS
    ]


@pytest.fixture(autouse=True)
def sample(monkeypatch):
    monkeypatch.setenv("LM_EVAL_EXT_DATA", "sample")


class Templated:
    """A tokenizer so far as prompts need one."""

    chat_template = "x"

    def apply_chat_template(self, messages, **_):
        return "".join(message["content"] for message in messages)


def evaluated(task, docs, responses, chat, name="grade_math"):
    """What lm-eval's own way makes of responses that end where it ends them."""
    task.build_all_requests(
        limit=1, apply_chat_template=chat, fewshot_as_multiturn=chat,
        chat_template=(lambda messages, **_: str(messages)) if chat else None,
    )  # fmt: skip
    sent = task.instances[0].args[1]
    pipeline = next(f for f in task._filters if f.name == name)
    for stop in sent["until"]:
        responses = [response.split(stop)[0] for response in responses]
    from lm_eval.api.instance import Instance

    asked = [
        Instance("generate_until", dict(doc), ("", sent), i, ("", i, 1), [response])
        for i, (doc, response) in enumerate(zip(docs, responses, strict=True))
    ]
    pipeline.apply(asked)
    return [instance.filtered_resps[name][0] for instance in asked]


@pytest.mark.parametrize("chat", [False, True], ids=["raw", "chat"])
@pytest.mark.parametrize("task", tasks())
def test_prompts_are_what_lm_eval_sends(task, chat):
    prompts = prompts_of(Recipe(task=task, chat=chat, system_instruction="Be brief."), Templated())
    prompts.task.build_all_requests(
        limit=2, system_instruction="Be brief.", apply_chat_template=chat, fewshot_as_multiturn=chat,
        chat_template=Templated().apply_chat_template if chat else None,
    )  # fmt: skip
    sent = dict.fromkeys(instance.args[0] for instance in prompts.task.instances)
    assert list(sent) == [prompts.prompt(doc) for doc in prompts.evaluated[:2]]


@pytest.mark.parametrize("chat", [False, True], ids=["raw", "chat"])
@pytest.mark.parametrize("task", tasks())
def test_the_reward_is_the_evaluation(task, chat):
    prompts = prompts_of(Recipe(task=task, chat=chat), Templated())
    docs = [doc for doc in prompts.evaluated[:2] for _ in RESPONSES]
    responses = [
        said.replace("GOLD", str(doc["gold"])) for doc, said in zip(docs, RESPONSES * 2, strict=True)
    ]
    reward = AccuracyReward(**prompts.reward_settings)
    try:
        given = reward(responses, gold=[d["gold"] for d in docs], problem=[d["problem"] for d in docs])
    finally:
        reward.close()
    found = [verdict.correct for verdict in evaluated(prompts.task, docs, responses, chat)]
    assert given == [None if correct is None else float(correct) for correct in found]
    assert 1.0 in given and 0.0 in given


@pytest.mark.parametrize("chat", [False, True], ids=["raw", "chat"])
@pytest.mark.parametrize("task", ["mbpp_ext", "humaneval_ext", "ifeval_ext"])
@pytest.mark.usefixtures("punkt")
def test_the_reward_of_a_verifier_is_the_evaluation(task, chat, monkeypatch):
    monkeypatch.setenv("HF_ALLOW_CODE_EVAL", "1")
    recipe = Recipe(task=task, chat=chat)
    prompts = prompts_of(recipe, Templated())
    rows = of_one_type(unsupervised(prompts.evaluated, prompts, prompts.verifier))
    right = [doc.get("solution", text) for doc, text in zip(prompts.evaluated, FOLLOWING, strict=False)]
    docs, responses = prompts.evaluated * 2, [*right, *right[1:], "```python\nprint('no')\n```\n\ndef f(): 1"]
    asked = {name: [row[name] for row in rows * 2] for name in rows[0]}
    rewards = RewardSet(gradings_of(recipe, Templated()), [], Rollouts(None))
    given = rewards.batch(responses, asked).scores
    assert given == evaluated(prompts.task, docs, responses, chat, "verify")
    assert {score.correct for score in given} == {True, False}
