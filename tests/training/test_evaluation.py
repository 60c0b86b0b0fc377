"""The evaluation a recipe asks for, as a command line."""

import json
import shlex

import pytest

from training.evaluation import Evaluation
from training.recipe import Recipe

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "recipe, has, has_not",
    [
        (
            Recipe(task="arith_words"),
            "pretrained=M,dtype=bfloat16,tensor_parallel_size=1,seed=42",
            "chat_template",
        ),
        (Recipe(task="t", chat=True, thinking=False), "--apply_chat_template", "enable_thinking=True"),
        (Recipe(task="t", chat=True, thinking=False), "seed=42,enable_thinking=False", "num_fewshot"),
        (
            Recipe(task="t", thinking=False, eval_model_args="enable_thinking=True"),
            "enable_thinking=True",
            "False",
        ),
        (Recipe(task="t", num_fewshot=3, eval_num_fewshot=0), "--num_fewshot 0", "--num_fewshot 3"),
        (Recipe(task="t", chat=True, eval_chat=False), "--tasks t", "--apply_chat_template"),
        (
            Recipe(task="t", eval_gen_kwargs="max_gen_toks=9", eval_repeats=4),
            "--gen_kwargs max_gen_toks=9",
            "fewshot",
        ),
        (Recipe(task="t", eval_repeats=4), "--metadata '{\"repeats\": 4}'", "gen_kwargs"),
        (Recipe(task="t", eval_subset=0.2), "--metadata '{\"subset\": 0.2}'", "gen_kwargs"),
        (
            Recipe(task="t", chat=True, system_instruction="be brief"),
            "--system_instruction 'be brief'",
            "fewshot",
        ),
    ],
)
def test_the_command_says_what_the_recipe_says(recipe, has, has_not):
    command = Evaluation.of(recipe).command("M")
    assert has in command and has_not not in command.replace("lm-eval-ext", "")


def test_template_variables_are_those_of_training_and_evaluation():
    recipe = Recipe(task="t", chat=True, thinking=False, chat_template_args='{"date": "today"}')
    assert recipe.template_variables == {"enable_thinking": False, "date": "today"}
    command = shlex.split(Evaluation.of(recipe).command("M"))
    given = json.loads(command[command.index("--model_args") + 1])
    assert (given["enable_thinking"], given["chat_template_args"]) == (False, {"date": "today"})


def test_template_variables_that_are_no_mapping_are_refused():
    with pytest.raises(ValueError, match=r"chat_template_args must be a JSON object, got '\[1\]'"):
        Recipe(task="t", chat_template_args="[1]")
