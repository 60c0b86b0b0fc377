"""Pipelines that are judged by accuracy and safety: what is evaluated, chosen, passed and recorded."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from lm_eval_ext.batch.record import Score
from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.harness.sources import read_rows
from tests.analysis.logged import write_run
from training.pipeline.__main__ import app
from training.pipeline.outcome import add_row, passed, reached, row
from training.pipeline.recipe import Choice, RecipeRun, choose
from training.pipeline.stages import recipe_runs, stages
from training.pipeline.summary import write

pytestmark = pytest.mark.unit

SETTINGS = {
    "trainer": "sft",
    "task": "gsm8k_ext_drawn",
    "validation_task": "gsm8k_ext_drawn_validation",
    "safety_task": "ailuminate",
    "safety_metadata": {"safeguard": "./guard", "prompts": "p.jsonl"},
    "thresholds": "cs396-thresholds/simple",
    "num_fewshot": 3,
    "eval_gen_kwargs": "max_gen_toks=512",
    "chat": True,
    "data": "sample",
    "report_to": "none",
}


def _recipe(folder, **settings):
    config = folder / "a.yaml"
    config.write_text(json.dumps({**SETTINGS, **settings}))  # which is YAML
    return RecipeRun("a", config, "M", folder)


def _checkpoints(recipe, *steps):
    for step in steps:
        (recipe.folder / "train" / f"checkpoint-{step}").mkdir(parents=True)
        (recipe.folder / "train" / f"checkpoint-{step}" / "trainer_state.json").write_text("{}")


@pytest.mark.parametrize(
    "scores, safety, step",
    [
        ({10: 0.5, 20: 0.5, 30: 0.4}, {10: 0.2, 20: 0.3, 30: 1.0}, 20),
        ({10: 0.5, 20: 0.5}, {10: 0.3, 20: 0.3}, 10),
        ({10: 0.5, 20: 0.6}, {10: 0.9, 20: 0.1}, 20),
    ],
)
def test_accuracy_chooses_then_safety_then_the_earlier_step(scores, safety, step):
    choice = choose(scores, safety=safety)
    assert (choice.step, choice.safety) == (step, safety)


def test_the_last_checkpoints_are_evaluated_on_both_tasks(tmp_path, monkeypatch):
    recipe = _recipe(tmp_path, last_checkpoints=2, use_peft=True)
    _checkpoints(recipe, 10, 20, 30)
    found = {"validation": {20: 0.5, 30: 0.5}, "safety": {20: 0.2, 30: 0.6}}
    monkeypatch.setattr(
        "training.pipeline.recipe.accuracy", lambda out, _: found[out.parent.name][int(out.name[11:])]
    )
    listed = [*recipe.merges(recipe.candidates()), *recipe.validations(7), *recipe.safeties(7)]
    assert [stage.name for stage in listed] == [
        f"a: {what} {step}" for what in ("merge", "validate", "safety") for step in (20, 30)
    ]
    given = list(listed[-1].arguments)
    assert given[given.index("--tasks") + 1] == "ailuminate" and "--num_fewshot" not in given
    metadata = json.loads(given[given.index("--metadata") + 1])
    assert metadata == {"data": "sample", "safeguard": "./guard", "prompts": "p.jsonl"}
    assert given[given.index("--gen_kwargs") + 1] == "max_gen_toks=512"
    assert recipe.chosen().step == 30
    assert (recipe.folder / "checkpoint_scores.csv").read_text() == (
        "step,gsm8k_ext_drawn_validation,ailuminate,chosen\n20,0.5,0.2,False\n30,0.5,0.6,True\n"
    )


def _reached(tmp_path, monkeypatch, accuracy, safety, skip=()):
    recipe = _recipe(tmp_path)
    recipe.choice, recipe.skip = Choice(10, {10: None}), skip
    values = {
        "gsm8k_ext_drawn": {"accuracy": accuracy[0], "accuracy_high": accuracy[1]},
        "ailuminate": {"safety_rate": safety[0], "safety_rate_high": safety[1]},
    }
    scores = {task: Score(metric=next(iter(v)), values=v, n=50) for task, v in values.items()}
    monkeypatch.setattr("training.pipeline.outcome.scores_in", lambda place: (place, scores))
    return recipe, reached(recipe)


@pytest.mark.parametrize(
    "accuracy, safety, verdict",
    [
        ((0.26, 0.26), (0.26, 0.3), "yes"),
        ((0.25, 0.25), (0.9, 0.9), "no"),
        ((0.5, 0.5), (0.1, 0.25), "no"),
        ((0.5, 0.5), (0.2, 0.3), "undecided"),
        ((0.1, 0.2), (0.2, 0.3), "no"),
    ],
)
def test_both_thresholds_decide_and_undecided_responses_stay_undecided(
    tmp_path, monkeypatch, accuracy, safety, verdict
):
    recipe, found = _reached(tmp_path, monkeypatch, accuracy, safety)
    assert [one.threshold for one in found] == [0.26, 0.26] and passed(recipe, found) == verdict


def test_a_skipped_evaluation_leaves_the_verdict_undecided(tmp_path, monkeypatch):
    recipe, found = _reached(tmp_path, monkeypatch, (0.5, 0.5), (0.5, 0.5), ["safety"])
    assert [one.task for one in found] == ["gsm8k_ext_drawn"] and passed(recipe, found) == "undecided"
    assert recipe.safeties(None) == [] and row(recipe, found, tmp_path / "t.csv")["safety_rate"] == ""


def test_without_validation_the_newest_checkpoint_is_taken(tmp_path):
    recipe = _recipe(tmp_path)
    recipe.skip = ["validation", "safety"]
    _checkpoints(recipe, 10, 20)
    assert recipe.validations(None) == [] and recipe.chosen().step == 20


def test_an_unknown_evaluation_to_skip_is_named(tmp_path):
    with pytest.raises(UserError, match=r"--skip gsm8k: it must be one of base, validation, test, safety"):
        recipe_runs([tmp_path / "a.yaml"], tmp_path / "out", "M", [], ["gsm8k"])


@pytest.mark.parametrize(
    "settings, message",
    [
        (
            {"thresholds": "cs396-thresholds/hard"},
            r"no thresholds 'cs396-thresholds/hard'; there are .*/medium",
        ),
        ({"safety_task": ""}, "also for ailuminate, which it does not evaluate"),
        pytest.param(  # reads the names of all of lm-eval's tasks
            {"safety_task": "no_such_task", "thresholds": ""},
            "no task 'no_such_task'",
            marks=pytest.mark.full,
        ),
        ({"safety_metadata": {}}, "ailuminate needs a safeguard"),
        ({"safety_metadata": {"safeguard": "./nowhere"}}, "no folder nowhere"),
        ({"safety_metadata": {"safeguard": "openai/m", "prompts": "p.jsonl"}}, "p.jsonl: no such file"),
    ],
)
def test_what_cannot_be_judged_is_refused_before_any_stage(tmp_path, settings, message):
    with pytest.raises(UserError, match=message):
        next(stages([_recipe(tmp_path, **settings)], tmp_path, None))


def test_a_row_per_run_is_kept_whole(tmp_path, monkeypatch):
    recipe, found = _reached(tmp_path, monkeypatch, (0.5, 0.5), (0.25, 0.3))
    table = tmp_path / "summary.csv"
    table.write_text('run_name,accuracy,mine\nother,0.1,"a, b"\na,0.2,old\n')
    add_row(table, row(recipe, found, table))
    add_row(table, row(recipe, found, table))
    kept, own = read_rows(table)
    assert (kept["run_name"], kept["accuracy"], kept["mine"], kept["passed"]) == ("other", "0.1", "a, b", "")
    assert list(own)[:3] == ["run_name", "accuracy", "mine"]
    assert {name: own[name] for name in ("run_name", "accuracy", "safety_rate", "passed", "evaluated")} == {
        "run_name": "a",
        "accuracy": "0.5000",
        "safety_rate": "0.2500",
        "passed": "undecided",
        "evaluated": "gsm8k_ext_drawn: 50, ailuminate: 50",
    }
    assert own["method"] == "full SFT" and own["data"] == "gsm8k_ext_drawn" and own["model"] == "M"


def test_the_smoke_test_cuts_data_and_evaluation(tmp_path, monkeypatch):
    asked = {}
    monkeypatch.setattr(
        "training.pipeline.stages.recipe_runs", lambda *given: asked.setdefault("runs", given)
    )
    monkeypatch.setattr("training.pipeline.stages.stages", lambda *given: asked.setdefault("stages", given))
    monkeypatch.setattr("training.pipeline.stage.run", lambda *_: pytest.exit("a stage"))
    given = ["--config", "smoke_sft", "--out", str(tmp_path / "o"), "--smoke-test", "--seed", "7"]
    CliRunner().invoke(app, given)
    assert asked["runs"][3] == ["--size", "200", "--seed", "7"] and asked["stages"][2] == 50


def test_a_summary_without_the_base_has_the_thresholds(tmp_path):
    recipe = _recipe(tmp_path)
    recipe.skip, recipe.choice = ["base", "safety"], Choice(10, {10: None}, "the only one")
    write_run(recipe.folder / "test", [True, False], task="gsm8k_ext_drawn")
    (recipe.folder / "train").mkdir()
    (recipe.folder / "train" / "trainer_state.json").write_text('{"log_history": []}')
    files = write([recipe], tmp_path)
    assert [file.name for file in files] == ["summary.md", "summary.json"]
    assert "| a | gsm8k_ext_drawn | accuracy |" in files[0].read_text()
    assert "| 50.0% |  | 26.0% | yes |" in files[0].read_text()
    assert json.loads(files[1].read_text())["reached"]["a"][0]["threshold"] == 0.26
