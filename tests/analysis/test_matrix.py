import csv
import json
from pathlib import Path

import pytest

from lm_eval_ext.analysis import stats
from lm_eval_ext.analysis.cells import Cell, Matrix
from lm_eval_ext.analysis.report import Options, build, figures, matrix, write
from lm_eval_ext.batch.results import read_places
from lm_eval_ext.errors import UserError
from tests.analysis.batched import RIGHT, batch
from tests.analysis.logged import write_run
from tests.analysis.reported import rewrite

pytestmark = pytest.mark.unit

PASS_AT_4 = {"accuracy": 0.5, "pass@4": 1.0}


def report_on(*places, **options):
    found, made = read_places([str(place) for place in places])
    return build(found, Options(workers=1, **options), matrix=made)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return report_on(batch(tmp_path_factory.mktemp("batch")))


def rows(table):
    return [dict(zip((c.name for c in table.columns), row, strict=True)) for row in table.rows]


def tables(report):
    return {made.key: rows(made) for made in matrix.tables(report)}


def test_models_by_tasks_have_intervals_and_cells_without_scores_their_status(report):
    found = {(row["model"], row["evaluated"]): row for row in tables(report)["model_tasks"]}
    assert found["base", "plain"]["mathnet"] == "failed" and found["base", "plain"]["gsm8k_ext"] is None
    assert found["dpo", "chat"]["gsm8k_ext"] == "missing"
    score = found["sft-checkpoint-20", "chat"]["mathnet"]
    interval = stats.wilson(14, 20)
    assert (score.value, score.low, score.high, score.n) == (0.7, interval.low, interval.high, 20)
    assert found["GPT-5.4 (mathnet)", "baseline"]["mathnet"].value == 0.578


def test_steps_name_the_best_and_what_the_plan_selects(report):
    made = matrix.steps(report.matrix)
    chat = [row for row in rows(made) if row["evaluated"] == "chat"]
    assert [row["step"] for row in chat] == [10, 20, 30]
    assert [row["best in"] for row in chat] == ["", "mathnet, gsm8k_ext", ""]
    assert "selects sft-checkpoint-20 (60.0%, best of 3)" in made.note
    assert {row["training"] for row in rows(made)} == {"sft"}


def test_training_by_evaluation_takes_the_latest_checkpoint(report):
    found = {row["model"]: row for row in tables(report)["conditions"] if row["task"] == "mathnet"}
    assert list(found) == ["base", "sft-checkpoint-30", "dpo"]
    assert found["base"]["plain"] == "failed" and found["base"]["chat"].value == 0.3
    assert found["dpo"]["trained_with"] == "dpo" and found["dpo"]["plain"].value == 0.5


def test_a_training_whose_checkpoints_all_failed_is_shown_as_failed():
    cells = [
        Cell(
            f"sft-checkpoint-{n}",
            "sft",
            n,
            {"trained_with": "sft"},
            "e",
            {},
            ("t",),
            Path("x"),
            "failed: why",
        )
        for n in (10, 20)
    ]
    made = matrix.conditions(Matrix(tuple(cells)))
    assert made.rows == (("t", "sft-checkpoint-20", "sft", "failed"),)


def test_comparison_csv_has_a_row_per_cell(report, tmp_path):
    write(report, tmp_path)
    found = list(csv.DictReader((tmp_path / "tables" / "comparison.csv").read_text().splitlines()))
    cells = [row for row in found if row["status"] != "baseline"]
    assert len(cells) == 3 * len(RIGHT)
    one = next(row for row in cells if (row["model"], row["evaluation"]) == ("dpo", "mathnet-chat"))
    expected = {
        "trained_with": "dpo",
        "evaluated_with": "chat",
        "apply_chat_template": "True",
        "task": "mathnet",
    }
    assert expected.items() <= one.items() and one["gen_kwargs.max_gen_toks"] == "65" and "seed" not in one
    assert (float(one["value"]), one["n"], one["status"]) == (0.6, "20", "done")
    assert one["folder"].endswith("dpo/mathnet-chat")
    failed = next(row for row in cells if row["status"].startswith("failed"))
    assert failed["status"] == "failed: out of memory"
    assert {failed[name] for name in ("metric", "value", "low", "high", "n")} == {""}
    page = (tmp_path / "report.html").read_text()
    assert "Models and tasks" in page and "sft-checkpoint-20 (60.0%, best of 3)" in page


def test_figures_are_curves_grouped_bars_and_scatters(report):
    drawn = {figure.stem: figure for figure in figures.figures(report)}
    assert {"steps_mathnet", "conditions_mathnet", "conditions_gsm8k_ext", "chat_mathnet"} <= set(drawn)
    assert "sft, chat, step 20: 70.0%" in drawn["steps_mathnet"].svg()
    bars = drawn["conditions_mathnet"].svg()
    assert "failed" in bars and bars.count("<title>chat: ") == 3 and bars.count("<title>plain: ") == 2
    scatter = drawn["chat_mathnet"].svg()
    assert scatter.count("<title>") == 2 and "base" not in scatter


def test_runs_of_one_setting_and_of_one_model_are_compared_and_a_plan_s_differences_are_no_warning(report):
    found = {(made.a, made.b): made for made in report.comparisons}
    across = found["dpo, plain", "dpo, chat"].units[0]
    assert across.experiment and not across.settings
    assert ("dpo, plain", "base, chat") not in found and ("base, chat", "dpo, plain") not in found
    assert ("sft-checkpoint-10, plain", "dpo, plain") in found
    assert not any("unequal protocols" in line for line in report.warnings)


def test_a_batch_without_results_is_refused(tmp_path):
    record = batch(tmp_path)
    content = json.loads((tmp_path / "batch.json").read_text())
    for one in content["cells"]:
        one["state"] = "running"
    (tmp_path / "batch.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"no job of .* has results yet"):
        read_places([str(record)])


def test_models_of_several_batches_are_kept_apart(tmp_path):
    made = report_on(batch(tmp_path / "one"), f"two={batch(tmp_path / 'two')}").matrix
    assert {model.partition(": ")[0] for model, _ in made.runs} == {"one", "two"}


def test_a_folder_without_a_batch_compares_settings_by_their_protocol(tmp_path):
    for name in ("a", "b"):
        for chat in (False, True):
            write_run(tmp_path / name / str(chat), [chat] * 4, model=f"org/{name}", chat=chat)
    found = tables(report_on(tmp_path))
    settings = ["chat template=False", "chat template=True, few-shot as turns=True"]
    assert settings[1] in {row["evaluated"] for row in found["model_tasks"]}
    assert [row["model"] for row in found["conditions"]] == ["a", "b"] and not found["model_steps"]
    again = [write_run(tmp_path / name, [True]) for name in ("x", "y")]
    assert [row["model"] for row in tables(report_on(*again))["comparison"][:2]] == ["model (x)", "model (y)"]


def test_pass_at_k_is_in_the_comparison_and_intervals_are_by_problem(tmp_path):
    for model in ("a", "b"):
        file = write_run(tmp_path / model, [True] * 6, model=model)
        rewrite(file, lambda i, row: row.update(PASS_AT_4, metrics=[*row["metrics"], "pass@4"]))
    found = [row for row in tables(report_on(tmp_path))["comparison"] if row["status"] == "done"]
    assert [(row["metric"], row["value"], row["n"]) for row in found[:2]] == [
        ("accuracy", 0.5, 6),
        ("pass@4", 1.0, 6),
    ]


def test_reports_on_many_runs_compare_each_with_the_first(tmp_path):
    for i in range(14):
        write_run(tmp_path / str(i), [i % 2 == 0] * 4, model=f"m{i:02}")
    made = report_on(tmp_path)
    assert {one.a for one in made.comparisons} == {"m00"} and len(made.comparisons) == 13
    assert any("compared with the first" in line for line in made.warnings)


def test_baselines_come_from_the_folder_given(tmp_path):
    figure = {"model": "M", "task": "mathnet", "metric": "accuracy"}
    near = {**figure, "value": 0.25, "n": 4, "protocol": {"backend": "vllm"}}
    far = {**figure, "value": 0.5, "n": 4, "protocol": {"backend": "hf"}}
    least = {**figure, "value": 0.75, "kind": "threshold", "notes": "simple"}
    other = {**figure, "metric": "f1", "value": 1.0}
    baseline = {"name": "b", "source": "s", "date": "2026", "figures": [far, near, least, other]}
    (tmp_path / "b.json").write_text(json.dumps(baseline))
    made = report_on(write_run(tmp_path / "run", [True]), baselines=tmp_path)
    found = [row for row in tables(made)["model_tasks"] if row["evaluated"] == "baseline"]
    assert [(row["model"], str(row["mathnet"])[:14]) for row in found] == [
        ("M (b)", "25.0% [4.6%, 6"), ("M simple (b)", "at least 75.0%"),
    ]  # fmt: skip
