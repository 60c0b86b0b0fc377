"""The pipeline without a model: what is chosen, what is run once, what is refused."""

from __future__ import annotations

import json

import pytest

from lm_eval_ext.harness.errors import UserError
from training.evaluation import Evaluation
from training.pipeline.recipe import Choice, RecipeRun, choose
from training.pipeline.stage import Stage, record, run
from training.pipeline.stages import common_evaluation, recipe_runs, stages
from training.recipe import Recipe

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "scores, up_to, step, remark",
    [
        ({10: 0.3, 20: 0.5, 30: 0.4}, 1.0, 20, ""),
        ({10: 0.5, 20: 0.5}, 1.0, 10, ""),
        ({10: 0.3, 20: 0.6, 30: 0.8}, 0.7, 20, "1 above 70% passed over"),
        ({10: 0.8, 20: 0.9}, 0.7, 10, "every checkpoint is above 70%: save earlier ones (save_steps)"),
    ],
)
def test_the_best_checkpoint_that_leaves_something(scores, up_to, step, remark):
    choice = choose(scores, up_to)
    assert (choice.step, choice.remark, choice.scores) == (step, remark, scores)


def _copy(*arguments, **more):
    return Stage("copy", "json.tool", list(map(str, arguments)), **more)


def test_a_stage_is_run_once(tmp_path):
    given, made = tmp_path / "given.json", tmp_path / "made.json"
    given.write_text("[1]")
    run(_copy(given, made), tmp_path)
    made.unlink()
    run(_copy(given, made), tmp_path)
    assert not made.exists()
    assert json.loads((tmp_path / "steps.json").read_text())["copy"]["command"].startswith(
        "python -m json.tool"
    )


def test_a_stage_with_other_settings_is_refused(tmp_path):
    (tmp_path / "given.json").write_text("[1]")
    run(_copy(tmp_path / "given.json", tmp_path / "a"), tmp_path)
    with pytest.raises(UserError, match=r"copy was begun with other settings: command is .*--compact"):
        run(_copy("--compact", tmp_path / "given.json"), tmp_path)


def test_a_stage_that_fails_is_not_recorded_and_its_half_is_removed(tmp_path):
    half = tmp_path / "half"
    half.mkdir()
    with pytest.raises(
        UserError, match=r"copy ended with exit code 2.*This stage alone: python -m json.tool none"
    ):
        run(_copy("none", output=half), tmp_path)
    assert not half.exists() and not record(tmp_path)
    run(_copy("none", ok=(0, 2)), tmp_path)


def test_recipes_are_kept_and_held_to_once_begun(tmp_path):
    recipe, out = tmp_path / "r.yaml", tmp_path / "out"
    recipe.write_text("trainer: sft\nlearning_rate: 1.0e-4\n")
    assert [found.name for found in recipe_runs([recipe, recipe], out, "M", [])] == ["r", "r_2"]
    recipe.write_text("trainer: sft\nlearning_rate: 1.0e-5\n")
    assert recipe_runs([recipe], out, "M", [])[0].config.read_text() == recipe.read_text()
    (out / "given.json").write_text("[1]")
    run(Stage("r: copy", "json.tool", [str(out / "given.json"), str(out / "made.json")]), out)
    recipe.write_text("trainer: sft\nlearning_rate: 1.0e-6\n")
    with pytest.raises(UserError, match=r"r.yaml was begun .*learning_rate is 1e-06 and was 1e-05"):
        recipe_runs([recipe], out, "M", [])


def _recipe(tmp_path, name, settings):
    config = tmp_path / f"{name}.yaml"
    config.write_text(f"trainer: sft\ntask: arith_words\nreport_to: none\n{settings}")
    return RecipeRun(name, config, "M", tmp_path)


def test_a_recipe_without_a_validation_task_is_refused(tmp_path):
    with pytest.raises(
        UserError, match=r"recipe a: no validation_task.*validation_task: arith_words_validation"
    ):
        common_evaluation([_recipe(tmp_path, "a", "")])


def test_recipes_that_are_evaluated_differently_are_refused(tmp_path):
    validated = "validation_task: arith_words_validation\n"
    a, b = (_recipe(tmp_path, name, f"{validated}num_fewshot: {n}\n") for name, n in (("a", 0), ("b", 4)))
    with pytest.raises(UserError, match=r"a and b are evaluated differently.*num_fewshot: 0 and 4"):
        common_evaluation([a, b])
    assert common_evaluation([a, a]).num_fewshot == 0


def test_the_evaluation_has_the_recipes_data_and_limit():
    given = Evaluation.of(Recipe(task="t", data="sample", eval_repeats=2)).arguments("M", "O", "v", 7)
    metadata = given[given.index("--metadata") + 1]
    assert json.loads(metadata) == {"repeats": 2, "data": "sample"}
    assert given[given.index("--limit") + 1] == "7"
    assert given[:4] == ["--model", "vllm", "--tasks", "v"] and given[-2:] == ["--output_path", "O"]


def test_every_checkpoint_is_merged_and_validated_and_the_best_chosen(tmp_path, monkeypatch):
    recipe = _recipe(tmp_path, "a", "validation_task: arith_words_validation\nuse_peft: true\n")
    scores = {10: 0.2, 20: 0.6, 30: 0.5}
    for step in (*scores, 40):
        (recipe.folder / "train" / f"checkpoint-{step}").mkdir(parents=True)
    for step in scores:  # the last one is incomplete
        (recipe.folder / "train" / f"checkpoint-{step}" / "trainer_state.json").write_text("{}")
    monkeypatch.setattr(
        "training.pipeline.recipe.accuracy", lambda out, task: scores[int(out.name.split("-")[1])]
    )
    listed = [*recipe.merges(), *recipe.validations(7)]
    assert recipe.chosen().step == 20
    names = [f"a: {what} {step}" for what in ("merge", "validate") for step in scores]
    assert [stage.name for stage in listed] == names
    assert [stage.module for stage in listed] == ["training.merge"] * 3 + ["lm_eval_ext.cli"] * 3
    assert "arith_words_validation" in listed[3].arguments and "7" in listed[3].arguments
    assert json.loads((recipe.folder / "choice.json").read_text())["step"] == 20


def test_the_only_checkpoint_is_chosen_without_validation(tmp_path):
    recipe = _recipe(tmp_path, "a", "validation_task: arith_words_validation\nuse_peft: true\n")
    (recipe.folder / "train" / "checkpoint-10").mkdir(parents=True)
    (recipe.folder / "train" / "checkpoint-10" / "trainer_state.json").write_text("{}")
    assert [stage.name for stage in [*recipe.merges(), *recipe.validations(None)]] == ["a: merge 10"]
    choice = recipe.chosen()
    assert (choice.step, choice.scores, choice.remark) == (10, {10: None}, "the only one")


def test_each_recipe_trains_what_the_one_before_it_chose(tmp_path, monkeypatch):
    settings = "trainer: sft\ntask: t\nvalidation_task: v\nuse_peft: true\nreport_to: none\n"
    configs = [tmp_path / f"{name}.yaml" for name in "ab"]
    for config in configs:
        config.write_text(settings)
    monkeypatch.setattr(RecipeRun, "chosen", lambda recipe: Choice(10, {10: None}))
    monkeypatch.setattr(RecipeRun, "checkpoints", lambda recipe: {10: recipe.folder / "train/checkpoint-10"})
    out = tmp_path / "out"
    listed = list(stages(recipe_runs(configs, out, "M", []), out, None))
    assert [stage.name for stage in listed] == [
        *("a: preflight", "a: data", "b: preflight", "b: data", "base: evaluate"),
        *("a: train", "a: merge 10", "a: evaluate", "b: train", "b: merge 10", "b: evaluate"),
    ]
    trained = {
        stage.name: stage.arguments[list(stage.arguments).index("--model_name_or_path") + 1]
        for stage in listed
        if "train" in stage.name
    }
    assert trained == {"a: train": "M", "b: train": str(out / "a" / "merged" / "checkpoint-10")}
    assert [stage.output for stage in listed if "evaluate" in stage.name] == [
        *(out / "base", out / "a" / "test", out / "b" / "test"),
    ]


@pytest.mark.parametrize("option", ["--model_name_or_path", "--output_dir=x"])
def test_what_the_pipeline_sets_itself_is_refused(tmp_path, option):
    with pytest.raises(UserError, match=r"no setting for all recipes of a pipeline; give --(model|out)"):
        recipe_runs([tmp_path / "a.yaml"], tmp_path / "out", None, [option, "x"])


@pytest.mark.parametrize("name", ["base", "recipes", "comparison", "a=b", "a b"])
def test_a_recipe_whose_name_cannot_be_a_stage_is_refused(tmp_path, name):
    (tmp_path / f"{name}.yaml").write_text("trainer: sft\n")
    with pytest.raises(UserError, match="a stage cannot be called"):
        recipe_runs([tmp_path / f"{name}.yaml"], tmp_path / "out", "M", [])


def test_the_base_is_evaluated_at_its_revision():
    given = Evaluation.of(Recipe(task="t"))
    assert given.at(None) == given.at("main") == given
    assert given.at("v2").model_args == {**given.model_args, "revision": "v2"}
