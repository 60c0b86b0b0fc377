"""Rows of APPS and of AllenAI's RLVR data become documents that the verifiers can read."""

from __future__ import annotations

import json

import pytest

from lm_eval_ext.errors import DataError
from lm_eval_ext.rewards import verifier
from tests.training.test_mixture import Words
from training.data.build import built
from training.data.documents import documents
from training.data.published import CHECKERS
from training.recipe import Recipe

pytestmark = pytest.mark.unit

TWICE = {"fn_name": "twice", "inputs": [["ab"], [""], ["c"]], "outputs": [["abab"], [""], "cc"]}
SHOTS = "Question: What is 1 + 1?\nAnswer: 1 + 1 = 2.\n\nQuestion: What is 2 + 3?"


def problem(
    number: int, tests: dict[str, object], solution: str = "", starter: str = ""
) -> dict[str, object]:
    return {
        "problem_id": number,
        "question": f"Problem {number}.",
        "starter_code": starter,
        "input_output": json.dumps(tests),
        "solutions": json.dumps([solution] if solution else []),
    }


def constrained(asked: str, truth: object) -> dict[str, object]:
    said = truth if isinstance(truth, str) else json.dumps(truth)
    return {"messages": [{"role": "user", "content": asked}], "ground_truth": said, "dataset": "ifeval"}


def write(file, rows):
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.fixture
def apps(tmp_path):
    """A function, a method of a class, a program that reads its input, and one with a single test."""
    solution = "class Solution:\n    def twice(self, text):\n        return text + text"
    rows = [
        problem(1, TWICE, "def twice(text):\n    return text * 2"),
        problem(2, TWICE, solution, "class Solution:\n    def twice(self, text):"),
        problem(3, {"inputs": ["3\n"], "outputs": ["6\n"]}, "print(2 * int(input()))"),
        problem(4, {"fn_name": "f", "inputs": [[1]], "outputs": [1]}),
    ]
    return write(tmp_path / "apps.jsonl", rows)


def test_the_solutions_of_apps_pass_their_asserts_and_others_do_not(apps, monkeypatch):
    monkeypatch.setenv("HF_ALLOW_CODE_EVAL", "1")
    docs = [doc for doc in documents(str(apps)) if "unverified" not in doc]
    wrong = [doc["solution"].replace("text * 2", "text").replace("text + text", "[text]") for doc in docs]
    scores = verifier("code", workers=1)([*(doc["solution"] for doc in docs), *wrong], docs * 2)
    assert [score.correct for score in scores] == [True, True, False, False], scores
    assert scores[2].value == pytest.approx(1 / 3)  # twice("") is right


def test_what_of_apps_no_verifier_can_run_is_left_out_and_counted(apps, monkeypatch):
    monkeypatch.setenv("LM_EVAL_EXT_DATA", "sample")
    made = built(Recipe(task="mbpp_ext", num_fewshot=0, source=str(apps)), "grpo", Words())
    assert [row["id"] for row in made.docs] == ["apps-1", "apps-2"]
    assert "assert Solution().twice('ab') in (['abab'], 'abab')" in made.docs[1]["prompt"]
    assert made.left_out == {"tested by input and output": 1, "fewer than 3 tests": 1}


@pytest.fixture
def mixture(tmp_path):
    none = dict.fromkeys(("N", "quantifier", "end_phrase", "keyword_list"))
    words = {"func_name": "validate_word_constraint"}
    rows = [
        {"messages": [{"role": "user", "content": SHOTS}], "ground_truth": "5", "dataset": "gsm8k"},
        {"messages": [{"role": "user", "content": SHOTS}], "ground_truth": r"\frac{1}{2}", "dataset": "MATH"},
        constrained("Be short.", {**none, **words, "N": 3, "quantifier": "at most"}),
        constrained("No commas.", {**none, "func_name": "validate_no_commas"}),
        constrained("Two.", "[{'instruction_id': ['punctuation:no_comma', 'startend:end_checker'], "
                            "'kwargs': [None, {'end_phrase': 'so be it'}]}]"),
        constrained("About 9.", {**none, **words, "N": 9, "quantifier": "around"}),
        constrained("x 3 times.", {**none, "func_name": "verify_keyword_frequency", "N": 3}),
    ]  # fmt: skip
    write(tmp_path / "rlvr" / "train.jsonl", rows)
    return str(tmp_path)


def test_math_of_the_mixture_is_asked_without_its_exemplars(mixture):
    for kind, gold in (("gsm8k", "5"), ("math", r"\frac{1}{2}")):
        assert documents(f"rlvr_{kind}", mixture) == [
            {"id": f"rlvr-{kind}-0", "problem": "What is 2 + 3?", "gold": gold}
        ]


@pytest.mark.usefixtures("punkt")
def test_constraints_of_the_mixture_are_checked_by_ifeval(mixture):
    pytest.importorskip("langdetect")
    short, commas, two, *rest = documents("rlvr_ifeval", mixture)
    assert [doc["unverified"] for doc in rest] == ["a constraint without a checker"] * 2
    asked = [(short, "one two three"), (short, "one two three four"), (commas, "a, b"), (two, "So be it")]
    scores = verifier("ifeval")([text for _, text in asked], [doc for doc, _ in asked])
    assert [score.value for score in scores] == [1.0, 0.0, 0.0, 1.0]


@pytest.mark.usefixtures("punkt")
def test_every_function_has_an_instruction_with_all_its_arguments():
    pytest.importorskip("langdetect")
    from lm_eval.tasks.ifeval.instructions_registry import INSTRUCTION_DICT

    for name, *pairs in map(str.split, CHECKERS.values()):
        wanted = INSTRUCTION_DICT[name](name).get_instruction_args_keys()
        assert {pair.partition("=")[0] for pair in pairs} == set(wanted), name


@pytest.mark.parametrize("truth", ["{", "[]", "{}", "[{'kwargs': []}]"])
def test_a_row_of_another_make_is_named(tmp_path, truth):
    write(tmp_path / "rlvr" / "train.jsonl", [constrained("Do.", truth)])
    with pytest.raises(DataError, match=r"train.jsonl, line 1: not as its data set has them"):
        documents("rlvr_ifeval", str(tmp_path))
