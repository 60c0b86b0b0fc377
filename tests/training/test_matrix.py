"""Trainings and evaluations of one plan; stand-ins run in place of both, in this process."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from lm_eval_ext.batch import job, record, scheduler
from lm_eval_ext.batch.executors import local
from lm_eval_ext.errors import UserError
from lm_eval_ext.resume import ResumeError
from tests.batch import fake_launcher
from training.matrix import __main__ as program
from training.matrix.matrix import Matrix
from training.matrix.plan import SHIPPED, read
from training.recipe import read as read_recipe
from training.recipe_files import settings_in, trainer_of

pytestmark = pytest.mark.unit

STAGES = ["preflight", "data", "sft"]
LOGGED = {
    "raw": [
        *(
            {"reward": i / 10, "frac_reward_zero_std": i % 2, "completions/mean_length": 10 + i}
            for i in range(20)
        ),
        {"train_loss": 0.5},
    ]
}
"""Training -> what its trainer logs; the last row has no reward, as in TRL."""
PLAN = """
model: /nowhere
base: {training_format: none}
trainings:
  - {name: chat, recipe: RECIPE, labels: {training_format: chat, method: SFT}}
  - {name: raw, recipe: RECIPE, overrides: {use_peft: true}, labels: {training_format: raw, method: GRPO}}
tasks:
  - {name: with-template, tasks: arith_words, apply_chat_template: true, labels: {evaluation_format: chat}}
  - {name: without, tasks: arith_words, labels: {evaluation_format: raw}}
"""


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch):
    def run(command, env=None, stdout=None, **_):
        module, words = command[2].rpartition(".")[2], command[3:]
        code = _launched(words) if module == "cli" else _stage(module, words, env, stdout)
        return subprocess.CompletedProcess(command, code)

    def start(folder, _):
        return SimpleNamespace(pid=-1, poll=lambda: job.run(folder))

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(local, "start", start)
    monkeypatch.setattr(scheduler, "_PAUSE_S", 0.01)


def _launched(words: list[str]) -> int:
    """`lm-eval-ext run` or `report`."""
    if words[0] == "run":
        return fake_launcher.main(words)
    out = Path(words[words.index("--out") + 1])
    out.mkdir(parents=True, exist_ok=True)
    (out / "of.txt").write_text(words[1])
    return 0


def _stage(stage: str, words: list[str], env: dict[str, str], log) -> int:
    """Adds itself to `starts.txt`. Training leaves two checkpoints; with `broken` in the recipe it fails."""
    if stage == "merge":
        folder = Path(words[0]).parents[1]
        Path(words[words.index("--out") + 1]).mkdir(parents=True)
    else:
        folder = Path(words[words.index("--output_dir") + 1]).parent
    with (folder / "starts.txt").open("a") as starts:
        starts.write(f"{stage} {env.get('CUDA_VISIBLE_DEVICES', '')}\n")
    if stage == "sft":
        if settings_in(words[words.index("--config") + 1])["output_dir"] == "broken":
            log.write(b"CUDA out of memory")
            return 1
        for step in (5, 10):
            checkpoint = folder / "train" / f"checkpoint-{step}"
            checkpoint.mkdir(parents=True)
            (checkpoint / "trainer_state.json").write_text("{}")
        log = [{"step": step, **row} for step, row in enumerate(LOGGED.get(folder.name, []))]
        (folder / "train" / "trainer_state.json").write_text(json.dumps({"log_history": log}))
    return 0


@pytest.fixture
def file(tmp_path) -> Path:
    """The plan, whose recipe is a file of ours."""
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "trainer: sft\ntask: arith_words\noutput_dir: runs\nchat: true\nlearning_rate: 1.0e-4\n"
    )
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN.replace("RECIPE", str(recipe)))
    return file


def start(file: Path, *options: str):
    out = file.parent / "out"
    return CliRunner().invoke(program.app, [str(file), "--out", str(out), "--cores", "1", *options])


def starts(file: Path, name: str) -> list[str]:
    listed = file.parent / "out" / "trainings" / name / "starts.txt"
    return [line.split()[0] for line in listed.read_text().splitlines()] if listed.is_file() else []


def cells(file: Path) -> dict[tuple[str, str], record.CellRecord]:
    return {(c.model, c.evaluation): c for c in record.read(file.parent / "out").cells}


def states(file: Path, model: str) -> set[str]:
    return {cell.state for (name, _), cell in cells(file).items() if name == model}


def test_each_model_is_trained_and_evaluated_in_every_format(file):
    said = start(file)
    assert said.exit_code == 0, said.output
    assert starts(file, "chat") == STAGES and starts(file, "raw") == [*STAGES, "merge"]
    found = cells(file)
    assert list(found) == [(m, e) for m in ("base", "chat", "raw") for e in ("with-template", "without")]
    assert {cell.state for cell in found.values()} == {"done"}
    assert found["raw", "without"].labels == {
        **{"training_format": "raw", "method": "GRPO"},
        "evaluation_format": "raw",
    }
    out = (file.parent / "out").resolve()
    assert found["base", "without"].path == "/nowhere"
    assert found["chat", "without"].path == str(out / "trainings/chat/train/checkpoint-10")
    assert found["raw", "without"].path == str(out / "trainings/raw/merged/checkpoint-10")
    assert (out / "report" / "of.txt").read_text() == str(file.parent / "out")


def test_what_training_logged_stands_beside_the_scores(file):
    """In the tables of the report: settings that differ are columns."""
    assert start(file).exit_code == 0
    logged = {"highest reward": 1.9, "reward at the end": 1.85, "groups without variance": 0.5,
              "tokens at the end": 28.5}  # fmt: skip
    found = cells(file)
    assert logged.items() <= found["raw", "without"].settings.items()
    assert not {*logged} & {*found["chat", "without"].settings} and found["raw", "without"].labels
    assert start(file).exit_code == 0 and cells(file) == found  # nothing is run again for it


def test_a_second_run_does_only_what_is_missing(file):
    start(file, "--only", "chat")
    assert starts(file, "raw") == [] and states(file, "raw") == {"pending"} == states(file, "base")
    assert start(file).exit_code == 0
    assert starts(file, "chat") == STAGES
    calls = file.parent / "out" / "chat" / "without" / "calls.txt"
    assert len(calls.read_text().splitlines()) == 1


def test_a_training_that_fails_is_reported_and_the_others_go_on(file):
    whole = file.read_text()
    file.write_text(
        whole.replace("recipe.yaml, labels", "recipe.yaml, overrides: {output_dir: broken}, labels")
    )
    said = start(file)
    assert said.exit_code == 1 and "chat: train ended with exit code 1" in said.output
    log = file.parent / "out" / "trainings" / "chat" / "log.txt"
    assert "CUDA out of memory" in log.read_text()
    assert states(file, "chat") == {"failed"} and states(file, "raw") == {"done"}
    assert str(log) in cells(file)["chat", "without"].error
    assert (file.parent / "out" / "report" / "of.txt").is_file()


def test_evaluation_alone_names_the_models_that_are_missing(file):
    said = start(file, "--only-eval")
    assert said.exit_code == 1 and "not trained: chat, raw. Leave out --only-eval" in str(said.exception.code)
    start(file, "--only", "chat")
    assert start(file, "--only-eval", "--only", "chat").exit_code == 0
    assert starts(file, "chat") == STAGES


def test_the_report_alone_runs_nothing_else(file):
    assert start(file, "--only-report").exit_code == 0
    assert (file.parent / "out" / "report" / "of.txt").is_file() and not starts(file, "chat")


def test_a_dry_run_lists_what_is_done(file):
    start(file, "--only", "chat")
    said = start(file, "--dry-run").output
    assert "done: chat (" in said and "to train: raw (" in said
    assert "done: chat | without" in said and "to evaluate: base | without" in said
    assert not starts(file, "raw")


def test_each_gpu_trains_one_at_a_time(file):
    matrix = Matrix(read(file), file.parent / "out")
    matrix.train(["3", "5"])
    gpus = [(matrix.out / "trainings" / name / "starts.txt").read_text() for name in ("chat", "raw")]
    assert sorted({line.split()[1] for line in text.splitlines()}.pop() for text in gpus) == ["3", "5"]


def test_a_training_with_other_settings_is_refused(file):
    start(file, "--only", "chat")
    with pytest.raises(ResumeError, match=r"chat was begun with other settings: model_name_or_path is M"):
        Matrix(read(file, "M"), file.parent / "out").trainings  # noqa: B018


@pytest.mark.parametrize(
    ("given", "instead", "message"),
    [
        ("name: raw", "name: chat", "two trainings are called chat"),
        ("model: /nowhere", "", "the plan names none"),
        ("recipe: RECIPE", "recipes: RECIPE", "unknown key trainings.0.recipes; known here: name, recipe"),
        ("trainings:", "training:", "unknown key training; known here: models, tasks, .*trainings"),
        ("name: raw", "name: ../raw", "trainings.1.name"),
    ],
)
def test_what_a_plan_cannot_say(tmp_path, given, instead, message):
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN.replace(given, instead))
    with pytest.raises(UserError, match=message):
        read(file)


def test_a_plan_that_is_nowhere_is_refused_with_those_of_the_package():
    with pytest.raises(
        UserError, match=r"no such file, .*; plans of the package: chat_template_matrix, smoke_matrix"
    ):
        read(Path("matrix"))


@pytest.mark.parametrize("plan", sorted(SHIPPED.glob("*.yaml")), ids=lambda plan: plan.stem)
def test_shipped_plans_are_the_documents_ten_rows(plan, tmp_path):
    """Five trainings by name, each with and without the chat template, of recipes that parse."""
    matrix = Matrix(read(plan), tmp_path)
    assert [training.name for training in matrix.trainings] == [
        *("sft_chat_template", "grpo_chat_template"),
        *("sft_no_chat_full_loss", "sft_no_chat_mask_q", "grpo_no_chat"),
    ]
    trained = [cell for cell in matrix.cells() if cell.record.model != "base"]
    labels = [tuple(cell.record.labels.values()) for cell in trained]
    assert len(set(labels)) == 10 and {len(values) for values in labels} == {4}
    assert ["--apply_chat_template" in cell.job.arguments for cell in trained] == [True, False] * 5
    for training in matrix.trainings:
        recipe, settings, _ = read_recipe(trainer_of(training.config), training.settings)
        assert recipe.chat is (training.labels["training_format"] == "chat template")
        masked = training.labels["masking"] == "question masked"
        assert (trainer_of(training.config) == "sft" and recipe.shape == "masked") is masked
        assert settings.output_dir == str(tmp_path / "trainings" / training.name / "train")


def test_bad_cores_are_refused_before_anything_is_trained(file):
    said = start(file, "--cores", "4096")
    assert said.exit_code == 1 and not starts(file, "chat")


def test_a_sweep_trains_with_every_combination_and_labels_its_models(file):
    plan = read(file, None, ["learning_rate=1e-6,5e-6", "seed=1, 2"])
    assert [entry.name for entry in plan.trainings][:3] == [
        "chat-learning_rate=1e-6-seed=1",
        "chat-learning_rate=1e-6-seed=2",
        "chat-learning_rate=5e-6-seed=1",
    ]
    last = plan.trainings[-1]
    assert len(plan.trainings) == 8 and last.overrides == {
        "use_peft": True, "learning_rate": "5e-6", "seed": "2",
    }  # fmt: skip
    assert last.labels == {
        "training_format": "raw", "method": "GRPO", "learning_rate": "5e-6", "seed": "2",
    }  # fmt: skip
    assert start(file, "--sweep", "learning_rate=1e-6,5e-6", "--only", "without").exit_code == 0
    trained = {model for model, _ in cells(file)}
    assert {"chat-learning_rate=1e-6", "raw-learning_rate=5e-6"} < trained
    given = settings_in(file.parent / "out" / "trainings" / "raw-learning_rate=5e-6" / "recipe.yaml")
    assert given["learning_rate"] == "5e-6"


def test_a_recipe_is_a_plan_of_one_training_on_its_validation_task():
    plan = read(Path("smoke_grpo"), "/nowhere", ["learning_rate=1e-5,1e-4"])
    assert [entry.name for entry in plan.trainings] == [
        "smoke_grpo-learning_rate=1e-5", "smoke_grpo-learning_rate=1e-4",
    ]  # fmt: skip
    (evaluation,) = plan.evaluations
    assert (evaluation.tasks, evaluation.num_fewshot) == (["arith_words_validation"], 0)
    assert plan.defaults.model_args["max_model_len"] == 1024 and plan.model == "/nowhere"


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ("learning_rate", "--sweep learning_rate: give a setting and its values"),
        ("seed=1,,2", "give a setting and its values"),
        ("task=a/b", "a folder cannot be called 'smoke_sft-task=a/b'"),
    ],
)
def test_what_is_no_sweep(sweep, message):
    with pytest.raises(UserError, match=message):
        read(Path("smoke_sft"), None, [sweep])
