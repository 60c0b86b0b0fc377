"""The loop without a model: what is chosen, what is done once, what is refused."""

from __future__ import annotations

import json

import pytest

from lm_eval_ext.harness.errors import UserError
from training.evaluation import Evaluation
from training.pipeline import loop as pipeline
from training.pipeline.loop import _copied, _one_evaluation, loop
from training.pipeline.stage import Choice, Stage, choose
from training.pipeline.steps import Steps
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


def test_a_step_is_done_once(tmp_path):
    given, made = tmp_path / "given.json", tmp_path / "made.json"
    given.write_text("[1]")
    Steps(tmp_path).run("copy", "json.tool", [str(given), str(made)])
    made.unlink()
    Steps(tmp_path).run("copy", "json.tool", [str(given), str(made)])
    assert not made.exists()
    assert json.loads((tmp_path / "steps.json").read_text())["copy"]["command"].startswith(
        "python -m json.tool"
    )


def test_a_step_with_other_settings_is_refused(tmp_path):
    (tmp_path / "given.json").write_text("[1]")
    Steps(tmp_path).run("copy", "json.tool", [str(tmp_path / "given.json"), str(tmp_path / "a")])
    with pytest.raises(UserError, match=r"copy was done by(.|\n)*--compact"):
        Steps(tmp_path).run("copy", "json.tool", ["--compact", str(tmp_path / "given.json")])


def test_a_step_that_fails_is_not_recorded_and_its_half_goes(tmp_path):
    half = tmp_path / "half"
    half.mkdir()
    with pytest.raises(
        UserError, match=r"copy ended with exit code 2.*The step alone: python -m json.tool none"
    ):
        Steps(tmp_path).run("copy", "json.tool", ["none"], anew=half)
    assert not half.exists() and not Steps(tmp_path).done
    Steps(tmp_path).run("copy", "json.tool", ["none"], ok=(0, 2))


def test_recipes_are_kept_and_held_to_once_begun(tmp_path):
    recipe, out = tmp_path / "r.yaml", tmp_path / "out"
    recipe.write_text("trainer: sft\nlearning_rate: 1.0e-4\n")
    kept = _copied([recipe, recipe], out, Steps(out))
    assert list(kept) == ["r", "r_2"]
    recipe.write_text("trainer: sft\nlearning_rate: 1.0e-5\n")
    assert _copied([recipe], out, Steps(out))["r"].read_text() == recipe.read_text()
    (out / "given.json").write_text("[1]")
    Steps(out).run("r: copy", "json.tool", [str(out / "given.json"), str(out / "made.json")])
    recipe.write_text("trainer: sft\nlearning_rate: 1.0e-6\n")
    with pytest.raises(UserError, match=r"another r.yaml: -learning_rate: 1.0e-5; \+learning_rate: 1.0e-6\."):
        _copied([recipe], out, Steps(out))


def _stage(tmp_path, name, settings):
    config = tmp_path / f"{name}.yaml"
    config.write_text(f"trainer: sft\ntask: arith_words\nreport_to: none\n{settings}")
    return Stage(name, config, "M", tmp_path)


def test_a_recipe_without_a_validation_task_is_refused(tmp_path):
    with pytest.raises(
        UserError, match=r"recipe a: no validation_task.*validation_task: arith_words_validation"
    ):
        _one_evaluation([_stage(tmp_path, "a", "")])


def test_recipes_that_are_evaluated_differently_are_refused(tmp_path):
    validated = "validation_task: arith_words_validation\n"
    a, b = (_stage(tmp_path, name, f"{validated}num_fewshot: {n}\n") for name, n in (("a", 0), ("b", 4)))
    with pytest.raises(UserError, match=r"a and b are not evaluated alike.*num_fewshot: 0 and 4"):
        _one_evaluation([a, b])
    assert _one_evaluation([a, a]).num_fewshot == 0


def test_the_evaluation_has_the_recipes_data_and_limit():
    given = Evaluation.of(Recipe(task="t", data="sample", eval_repeats=2)).arguments("M", "O", "v", 7)
    metadata = given[given.index("--metadata") + 1]
    assert json.loads(metadata) == {"repeats": 2, "data": "sample"}
    assert given[given.index("--limit") + 1] == "7"
    assert given[:4] == ["--model", "vllm", "--tasks", "v"] and given[-2:] == ["--output_path", "O"]


class Told:
    """Steps that are only noted."""

    def __init__(self):
        self.ran = []

    def run(self, name, module, arguments, **_):
        self.ran.append((name, module, list(arguments)))


def test_every_checkpoint_is_merged_and_validated_and_the_best_chosen(tmp_path, monkeypatch):
    stage = _stage(tmp_path, "a", "validation_task: arith_words_validation\nuse_peft: true\n")
    scores = {10: 0.2, 20: 0.6, 30: 0.5}
    for step in (*scores, 40):
        (stage.folder / "train" / f"checkpoint-{step}").mkdir(parents=True)
    for step in scores:  # the last one is half written
        (stage.folder / "train" / f"checkpoint-{step}" / "trainer_state.json").write_text("{}")
    monkeypatch.setattr(
        "training.pipeline.stage.accuracy", lambda out, task: scores[int(out.name.split("-")[1])]
    )
    steps = Told()
    assert stage.chosen(steps, 7).step == 20
    names, modules, arguments = zip(*steps.ran, strict=True)
    assert names == tuple(f"a: {what} {step}" for what in ("merge", "validate") for step in scores)
    assert modules == ("training.merge",) * 3 + ("lm_eval_ext.cli",) * 3
    assert "arith_words_validation" in arguments[3] and "7" in arguments[3]
    assert json.loads((stage.folder / "choice.json").read_text())["step"] == 20


def test_the_only_checkpoint_is_chosen_without_validation(tmp_path):
    stage = _stage(tmp_path, "a", "validation_task: arith_words_validation\nuse_peft: true\n")
    (stage.folder / "train" / "checkpoint-10").mkdir(parents=True)
    (stage.folder / "train" / "checkpoint-10" / "trainer_state.json").write_text("{}")
    steps = Told()
    choice = stage.chosen(steps, None)
    assert (choice.step, choice.scores, choice.remark) == (10, {10: None}, "the only one")
    assert [name for name, *_ in steps.ran] == ["a: merge 10"]


def test_each_recipe_trains_what_the_one_before_it_chose(tmp_path, monkeypatch):
    told = Told()
    told.done = {}
    settings = "trainer: sft\ntask: t\nvalidation_task: v\nuse_peft: true\nreport_to: none\n"
    configs = [tmp_path / f"{name}.yaml" for name in "ab"]
    for config in configs:
        config.write_text(settings)
    monkeypatch.setattr(pipeline, "Steps", lambda out: told)
    monkeypatch.setattr(pipeline, "compare_all", lambda found: ())
    monkeypatch.setattr(pipeline.runs, "named", list)
    monkeypatch.setattr(Stage, "chosen", lambda stage, steps, limit: Choice(10, {10: None}))
    out = tmp_path / "out"
    made = loop(configs, out, "M", None, [])
    trained = {
        name: given[given.index("--model_name_or_path") + 1] for name, _, given in told.ran if "train" in name
    }
    assert trained == {"a: train": "M", "b: train": str(out / "a" / "merged" / "checkpoint-10")}
    assert made.runs == (f"base={out}/base", f"a={out}/a/test", f"b={out}/b/test")


@pytest.mark.parametrize("option", ["--model_name_or_path", "--output_dir=x"])
def test_what_the_pipeline_sets_itself_is_refused(tmp_path, option):
    with pytest.raises(UserError, match=r"no setting for all recipes of a pipeline; give --(model|out)"):
        loop([tmp_path / "a.yaml"], tmp_path / "out", None, None, [option, "x"])


@pytest.mark.parametrize("name", ["base", "recipes", "comparison", "a=b", "a b"])
def test_a_recipe_whose_name_cannot_be_a_stage_is_refused(tmp_path, name):
    (tmp_path / f"{name}.yaml").write_text("trainer: sft\n")
    with pytest.raises(UserError, match="a stage cannot be called"):
        _copied([tmp_path / f"{name}.yaml"], tmp_path / "out", Steps(tmp_path))


def test_the_base_is_evaluated_at_its_revision():
    given = Evaluation.of(Recipe(task="t"))
    assert given.at(None) == given.at("main") == given
    assert given.at("v2").model_args == {**given.model_args, "revision": "v2"}
