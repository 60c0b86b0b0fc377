"""The report, its exit status, what cannot be checked, and where runs call it."""

import io
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lm_eval_ext.harness import sources
from lm_eval_ext.harness.errors import UserError
from tests.training.preflight.conftest import row, written
from training import grpo, sft
from training.preflight import __main__ as program
from training.preflight.report import marked

pytestmark = pytest.mark.unit

CONFIGS = Path(program.__file__).resolve().parent.parent / "configs"
ONE_SAMPLE = "Answer:⟦ 8 + 3 = 11. The answer is 11.<|im_end|>⟧"


@pytest.mark.parametrize("kind", ["sft", "grpo"])
def test_smoke_recipes_pass(models, kind):
    report = program.check_recipe(CONFIGS / f"smoke_{kind}.yaml", tokenizer=models["sound"])
    assert report.code == 0 and report.rows("failed", "not checked") == []
    assert report.rows("warned") == [f.row for f in report.results if f.accepted]


def test_the_command_prints_a_table_and_writes_json(models, sources, tmp_path):
    config, out = tmp_path / "recipe.yaml", tmp_path / "out.json"
    config.write_text("task: arith_words\nnum_fewshot: 0\ndtype: float32\n")
    arguments = ["--config", str(config), "--tokenizer", models["sound"], "--data", sources["sound"]]
    done = CliRunner().invoke(program.app, [*arguments, "--json", str(out), "--max_length", "100"])
    assert done.exit_code == 1
    assert "FAILED" in done.output and ONE_SAMPLE.split("⟦")[0] in done.output
    assert "tensor parallelism" not in done.output  # that row passed
    said = json.loads(out.read_text("utf-8"))
    assert (said["exit"], said["failed"], said["not_checked"]) == (1, [15], [])
    assert len(said["rows"]) == 31 and set(said["rows"][0]) == {
        "row",
        "name",
        "severity",
        "status",
        "accepted",
        "seen",
    }
    arguments += ["--verbose", "--accept", "15", "--max_length", "100"]
    again = CliRunner().invoke(program.app, arguments)
    assert again.exit_code == 0 and "FAILED (accepted)" in again.output
    shown = [line.split()[1] for line in again.output.splitlines() if re.match(r"│ \d", line)]
    assert len(shown) == 31 and shown[-1] == "15"  # accepted: nothing to do


def test_the_sample_marks_what_the_loss_is_on(check):
    report = check("sft", {})
    assert report.sample.endswith(ONE_SAMPLE)
    out = io.StringIO()
    report.show(out)
    assert ONE_SAMPLE in out.getvalue()
    full = check("sft", {"shape": "full", "completion_only_loss": False})
    assert full.sample.startswith("⟦Question:")
    assert check("grpo", {}).sample.endswith("Answer:")


def test_samples_keep_the_order_of_their_pieces():
    class Letters:
        def decode(self, ids):
            return "".join(chr(i) for i in ids)

    assert marked([97, 98, 99, 100], [-100, 98, 99, -100], Letters()) == "a⟦bc⟧d"


def test_what_is_not_available_is_neither_passed_nor_failed(check, tmp_path):
    report = check("sft", {"model": "nobody/has-this"})
    assert report.code == 3 and report.rows("failed", "warned") == []
    assert {14, 15, 17, 18, 29} <= set(report.rows("not checked"))
    assert row(report, 1).status == "passed" and "give --tokenizer" in row(report, 17).seen
    assert report.sample is None and written(report, tmp_path)["exit"] == 3
    without_data = check("sft", {"task": "gsm8k_ext", "source": "gsm8k", "data": str(tmp_path)})
    assert without_data.code == 3 and {5, 14, 25} <= set(without_data.rows("not checked"))


def test_a_hub_out_of_reach_is_asked_once(check, monkeypatch):
    """Each attempt is repeated by huggingface_hub for 20 s, and nine rows want the tokenizer."""
    from transformers import PretrainedConfig

    asked = []

    def unreachable(name, **_):
        asked.append(name)
        raise OSError("out of reach")

    monkeypatch.setattr(PretrainedConfig, "get_config_dict", unreachable)
    monkeypatch.setattr(sources, "no_hub", lambda: None)  # it answered just now
    report = check("sft", {"model": "nobody/out-of-reach"})
    assert asked == ["nobody/out-of-reach"]
    assert len(report.rows("not checked")) > 5


def test_a_curriculum_that_is_not_available(check, tmp_path):
    report = check("sft", {"curriculum": str(tmp_path / "none")})
    assert report.code == 3 and report.rows("not checked") == [19]


def test_a_failure_counts_more_than_what_is_not_checked(check):
    assert (
        check("sft", {"model": "nobody/has-this", "eval_model_args": "tensor_parallel_size=2,seed=1"}).code
        == 1
    )


def test_accepted_rows_do_not_stop(check):
    report = check("sft", {"max_length": 100, "accept": "15"})
    assert report.code == 0 and report.rows("failed") == [15] and row(report, 15).accepted


@pytest.mark.filterwarnings("default")  # of TRL and torch
@pytest.mark.parametrize(
    "trainer, broken", [(sft, "--max_length=100"), (grpo, '--generation_kwargs={"seed": 1}')]
)
def test_a_run_stops_before_it_loads_the_model(models, sources, tmp_path, trainer, broken):
    kind = trainer.__name__.rpartition(".")[2]
    arguments = ["--config", str(CONFIGS / f"smoke_{kind}.yaml"), "--model_name_or_path", models["third"]]
    arguments += [
        "--source",
        sources["sound"],
        "--size",
        "16",
        "--output_dir",
        str(tmp_path),
        *broken.split("="),
    ]
    with pytest.raises(UserError, match="preflight: row") as refused:
        trainer.trainer([*arguments, "--accept", "18 20"])
    assert "row 18" not in refused.value.code
    assert json.loads((tmp_path / "preflight.json").read_text())["exit"] == 1


def test_unknown_recipes_are_one_line(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        program.check_recipe(tmp_path / "none.yaml")
    (tmp_path / "list.yaml").write_text("- 1")
    with pytest.raises(UserError, match="has no settings"):
        program.check_recipe(tmp_path / "list.yaml")
