"""Several sources in a recipe: order, shares, exemplars that are phased out, and what is kept out."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from lm_eval_ext.harness.docs import arith_words
from lm_eval_ext.harness.errors import DataError, UserError
from lm_eval_ext.rewards import verifier
from training.data.build import built, dataset
from training.data.documents import EVALUATIONS, documents
from training.recipe import Recipe, read

pytestmark = pytest.mark.unit


class Words:
    """A tokenizer so far as lengths need one."""

    chat_template = None

    def __call__(self, text, **_):
        return {"input_ids": text.split()}


@pytest.fixture(autouse=True)
def sample(monkeypatch):
    monkeypatch.setenv("LM_EVAL_EXT_DATA", "sample")


@pytest.fixture
def own(tmp_path):
    """A source of 30 problems with lists of golds; the first is one that arith_words evaluates on."""
    rows = [
        {"problem": f"What is {i} + 1?", "gold": [f"{i + 1}", f"{i + 1}/1"], "id": f"own-{i}"}
        for i in range(29)
    ]
    taken = dict(next(iter(arith_words.dataset()["test"])))
    file = tmp_path / "own.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in [{**taken, "id": "taken"}, *rows]))
    return str(file)


def mixture(own, first, second, **settings):
    entries = [
        {"source": "arith_words", "size": 60, **first},
        {"source": own, "task": "math_0shot", "num_fewshot": 0, **second},
    ]
    recipe = Recipe(task="arith_words", num_fewshot=2, sources=entries, **settings)
    return built(recipe, "grpo", Words())


def test_weights_are_shares_and_the_order_is_the_seed_s(own):
    made = mixture(own, {"weight": 3}, {"weight": 1}, sources_end="all_exhausted")
    tasks = [row["task"] for row in made.docs]
    assert tasks == [row["task"] for row in mixture(own, {"weight": 3}, {"weight": 1},
                                                    sources_end="all_exhausted").docs]  # fmt: skip
    shares = Counter(tasks)
    assert shares["math_0shot"] >= 29 and 2 < shares["arith_words"] / shares["math_0shot"] < 4.5
    other = mixture(own, {"weight": 3}, {"weight": 1}, sources_end="all_exhausted", sources_seed=7)
    assert [row["task"] for row in other.docs] != tasks
    once = mixture(own, {"weight": 1}, {"weight": 1}, sources_end="all_exhausted_without_replacement").docs
    assert len({row["id"] for row in once}) == len(once)


def test_counts_follow_each_other(own):
    made = mixture(own, {"count": 3}, {"count": 2})
    assert [row["task"] for row in made.docs] == ["arith_words"] * 3 + ["math_0shot"] * 2
    assert str(made).startswith(f"5 of 90 documents (3 of arith_words, 2 of {own})")
    with pytest.raises(DataError, match="has 29 documents to train on, and its count is 40"):
        mixture(own, {"count": 3}, {"count": 40})


def test_rows_have_their_tasks_prompts_and_verifiers(own):
    """Nothing that a task of the mixture evaluates on is trained on, wherever it comes from."""
    made = mixture(own, {"count": 1}, {"count": 1, "verifier": "judge"})
    first, second = made.docs
    assert first["prompt"].count("Question:") == 3 and first["verifier"] == "math"
    assert second["prompt"].startswith("Problem: What is 0 + 1?") and second["verifier"] == "judge"
    assert first.keys() == second.keys() and first["document"] is None and second["document"] == "{}"
    assert second["gold"] == ["1", "1/1"] and isinstance(first["gold"], list)
    assert made.left_out[f"{own}: evaluated on"] == 1
    assert made.left_out[f"{own}: more than asked for"] == 28


def test_the_whole_is_limited_and_lengths_are_counted(own):
    made = mixture(own, {"weight": 1, "max_prompt_tokens": 70}, {"weight": 1}, max_prompts=20)
    assert len(made.docs) == 20
    assert made.left_out["arith_words: prompts over 70 tokens"] > 0
    assert all(len(row["prompt"].split()) <= 70 for row in made.docs)


def test_exemplars_are_phased_out_in_the_order_of_rows(own):
    made = mixture(own, {"count": 8}, {"count": 2}, fewshot_phase_out=6)
    shown = [row["prompt"].count("Question:") - 1 for row in made.docs[:8]]
    assert shown == [row["num_fewshot"] for row in made.docs[:8]] == [2, 2, 2, 1, 1, 1, 0, 0]
    assert [row["num_fewshot"] for row in made.docs[8:]] == [0, 0]
    assert dataset(Recipe(task="arith_words", size=20, fewshot_phase_out=2), "grpo", Words())["num_fewshot"][
        :3
    ] == [4, 2, 0]


@pytest.mark.usefixtures("punkt")
def test_generated_instructions_are_followed_by_their_solutions():
    pytest.importorskip("langdetect")
    docs = documents("instructions", size=200)
    assert len({doc["problem"] for doc in docs}) > 150 and docs == documents("instructions", size=200)
    scores = verifier("ifeval")([doc["solution"] for doc in docs], docs)
    assert [score.reason for score in scores if not score.correct] == []


def test_functions_to_train_on_are_not_those_of_the_test(monkeypatch):
    monkeypatch.setenv("HF_ALLOW_CODE_EVAL", "1")
    docs = documents("mbpp")
    assert not {doc["problem"] for doc in docs} & {doc["problem"] for doc in EVALUATIONS["mbpp"](None)}
    scores = verifier("code", workers=1)([doc["solution"] for doc in docs], docs)
    assert docs and [score.reason for score in scores if not score.correct] == []


def test_a_phase_out_needs_the_order_of_rows():
    more = ["--model_name_or_path", "m", "--task", "arith_words", "--fewshot_phase_out", "9"]
    with pytest.raises(UserError, match="it needs GRPO and shuffle_dataset: false"):
        read("grpo", more)
    with pytest.raises(UserError, match="it needs GRPO and shuffle_dataset: false"):
        read("sft", more)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"sources": [{"source": "a", "weight": 1}, {"source": "b", "count": 1}]},
            "each a positive weight, or",
        ),
        ({"sources": [{"source": "a", "weight": 0}]}, "give each a positive weight"),
        (
            {"sources": [{"source": "a", "weigth": 1}]},
            "a has weigth; an entry has weight or count, and may have",
        ),
        ({"sources": [{"weight": 1}], "source": "gsm8k"}, "belong to the entries of sources"),
        ({"sources": [{"weight": 1}], "sources_end": "never"}, "sources_end must be one of"),
        ({"verifier": 3}, "verifier must be a name, or a mapping of name and settings; got 3"),
    ],
)
def test_what_a_mixture_cannot_be(settings, message):
    with pytest.raises(ValueError, match=message):
        Recipe(task="arith_words", **settings)
