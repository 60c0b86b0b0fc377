"""Every task loads, and its prompts are what its YAML promises."""

import pytest
from lm_eval.tasks import TaskManager

from lm_eval_ext.errors import DataError
from lm_eval_ext.harness import protocol
from lm_eval_ext.harness.docs import drawn, math
from lm_eval_ext.harness.shipped import tasks_path
from lm_eval_ext.harness.task import MathTask

pytestmark = pytest.mark.unit

OTHERS = ("safety", "code", "instructions")
FILES = sorted(path for path in tasks_path().rglob("*.yaml") if path.parent.name not in OTHERS)
"""The mathematics tasks."""


@pytest.fixture(scope="module")
def manager():
    return TaskManager(include_path=str(tasks_path()), include_defaults=False, metadata={"data": "sample"})


def load(manager, name):
    return manager.load([name])["tasks"]


def context(task, doc, shots):
    task.set_fewshot_seed(0)
    return task.fewshot_context(doc, shots)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_is_indexed_under_its_name_and_loads(manager, path):
    assert path.stem in manager.task_index
    for task in load(manager, path.stem).values():
        assert isinstance(task, MathTask)
        assert all(doc["gold"] and doc["problem"] for doc in task.eval_docs)
        assert task.config.generation_kwargs["max_gen_toks"] and task.config.generation_kwargs["until"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("chat", [False, True], ids=["plain", "chat"])
def test_what_is_sent_as_stops_is_in_the_manifest(manager, path, chat):
    for task in load(manager, path.stem).values():
        stops = protocol.stops_of(task.config.generation_kwargs, chat)
        task.build_all_requests(
            limit=1, apply_chat_template=chat, chat_template=lambda turns, **_: turns[-1]["content"]
        )
        recorded = task.config.metadata
        assert task.instances[0].args[1]["until"] == stops and bool(stops) is not chat
        assert recorded["manifest"]["stops"] == recorded["protocol"]["generation"]["until"] == stops


def test_stops_that_a_user_names_are_sent_under_a_chat_template(manager):
    task = load(manager, "gsm8k_ext_0shot")["gsm8k_ext_0shot"]
    task.set_config("generation_kwargs", {"until": ["END"]}, update=True)
    task.build_all_requests(
        limit=1, apply_chat_template=True, chat_template=lambda turns, **_: turns[-1]["content"]
    )
    assert task.instances[0].args[1]["until"] == ["END"]


def test_no_code_beside_the_tasks():
    assert not list(tasks_path().rglob("*.py"))


def test_math_qwen_prompt_is_the_published_one(manager, real_data):
    real = TaskManager(
        include_path=str(tasks_path()), include_defaults=False, metadata={"data": str(real_data)}
    )
    task = load(real, "math_qwen_algebra")["math_qwen_algebra"]
    doc = task.eval_docs[0]
    shots = context(task, doc, 4).split("\n\n\n")
    assert len(shots) == 5 and shots[-1] == f"Question: {doc['problem']}\nAnswer:"
    for shot, exemplar in zip(shots, math.qwen_exemplars(str(real_data)), strict=False):
        assert shot == (
            f"Question: {exemplar['problem']}\nAnswer: Let's think step by step\n{exemplar['solution']}\n"
            f"The answer is {exemplar['gold']}"
        )


def test_math_0shot_prompt(manager):
    task = load(manager, "math_0shot")["math_0shot"]
    doc = task.eval_docs[0]
    assert context(task, doc, 0) == f"Problem: {doc['problem']}\n\nSolution:"
    assert task.config.generation_kwargs["until"] == ["Problem:", "\n\n\n"]


def test_fewshot_prompts_hold_worked_examples_in_the_answer_format(manager):
    task = load(manager, "mathnet")["mathnet"]
    assert context(task, task.eval_docs[0], 4).count("\n\nFinal answer: ") == 4
    boxed = load(manager, "mathnet_boxed")["mathnet_boxed"]
    assert r"The answer is $\boxed{55}$." in context(boxed, boxed.eval_docs[0], 4)
    gsm8k = load(manager, "gsm8k_ext")["gsm8k_ext"]
    assert context(gsm8k, gsm8k.eval_docs[0], 4).count(" The answer is ") == 4
    words = load(manager, "arith_words")["arith_words"]
    assert context(words, words.eval_docs[0], 4).count(" The answer is ") == 4


def test_documents_carry_what_results_are_broken_down_by(manager):
    doc = load(manager, "mathnet")["mathnet"].eval_docs[0]
    assert doc["topic"] and doc["country"] and doc["competition"]
    levels = load(manager, "math_qwen_by_level")
    assert {d["level"] for d in levels["math_qwen_level_3"].eval_docs} == {3}
    assert sum(len(task.eval_docs) for task in levels.values()) == 63


@pytest.mark.parametrize("subset, size", [(0.25, 150), (7, 7), (600, 600)])
def test_a_subset_is_the_same_random_problems_for_every_model(subset, size):
    def ids(**metadata):
        manager = TaskManager(
            include_path=str(tasks_path()), include_defaults=False, metadata={"data": "sample", **metadata}
        )
        return [doc["id"] for doc in load(manager, "arith_words")["arith_words"].eval_docs]

    every, some = ids(), ids(subset=subset)
    assert some == ids(subset=subset) == [i for i in every if i in {*some}]
    assert len(some) == size and (size == 600 or some != every[:size])


@pytest.mark.parametrize("subset", [0, -1, 1.5, 201, "half", True])
def test_a_subset_that_cannot_be_drawn_is_refused(subset):
    with pytest.raises(
        DataError, match=f"subset is {subset!r}: give a share below 1 or a number of problems, of 200"
    ):
        drawn(200, subset)
