import gzip
import json
import re
import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError
from scipy import stats as scipy_stats
from statsmodels.stats.proportion import proportions_ztest
from typer.testing import CliRunner

from lm_eval_ext.analysis import baseline_check, baselines, runs, stats
from lm_eval_ext.analysis.lm_eval_files import RunError
from lm_eval_ext.cli import app
from tests.analysis.logged import write_run
from tests.conftest import ROOT, cases

pytestmark = pytest.mark.unit

PUBLISHED = cases("baselines")
SMOLLM2 = "smollm2-135m-instruct"


@pytest.fixture(scope="module")
def recorded():
    return baselines.load_all(ROOT / "baselines")


def matches(figure, row):
    asked = {"shots": figure.protocol.get("num fewshot"), "n": figure.n, "right": figure.right}
    asked |= {"tokens": figure.protocol.get("generation max_gen_toks"), "notes": figure.notes}
    asked |= {name: getattr(figure, name) for name in ("task", "metric", "model", "filter")}
    same = all(asked[name] == value for name, value in row.items() if name not in ("baseline", "percent"))
    return same and (row["percent"] is None or figure.value == pytest.approx(row["percent"] / 100, abs=1e-9))


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: " ".join(map(str, row.values())))
def test_every_published_figure_is_there(recorded, row):
    assert len([figure for figure in recorded[row["baseline"]].figures if matches(figure, row)]) == 1


def test_no_other_figure_is_called_published(recorded):
    counts = {name: sum(row["baseline"] == name for row in PUBLISHED) for name in recorded}
    for name in {row["baseline"] for row in PUBLISHED}:
        assert len(recorded[name].figures) == counts[name]


def test_the_published_pairs_are_there_and_their_p_values_hold(recorded):
    pairs = {(pair.a, pair.b): pair for pair in recorded["mathnet"].pairs}
    assert len(pairs) == 5
    for pair in pairs.values():
        if pair.only_a is None:
            continue
        p = stats.mcnemar(pair.only_a, pair.only_b)
        assert p == pytest.approx(pair.p, abs=5e-5 if not pair.approximate else 5e-5 * 2, rel=0.02)
        if pair.both is not None:
            assert (pair.both + pair.only_a, pair.both + pair.only_b) == (pair.right_a, pair.right_b)
    assert pairs["Qwen3-1.7B + Dr. GRPO", "Qwen3-1.7B + run 4"].p == 0.0558


def test_protocol_a_is_recorded_with_its_figures(recorded):
    for figure in recorded["qwen3-1.7b-base"].figures:
        settings = figure.protocol
        assert settings["model argument tensor_parallel_size"] == 1 and settings["model argument seed"] == 42
        assert settings["model argument max_model_len"] == 4096 and settings["backend"] == "vllm"
        assert settings["generation temperature"] == (
            1.0 if "pass@" in figure.metric and figure.n == 7500 else 0.0
        )


def test_no_baseline_names_a_path_of_a_machine(recorded):
    for file in (ROOT / "baselines").rglob("*.json*"):
        text = gzip.decompress(file.read_bytes()).decode() if file.suffix == ".gz" else file.read_text()
        assert not re.search(r"(?<![\w.])/(root|tmp|work|home|efs|gscratch)/", text), file


@pytest.mark.parametrize(
    "spoil",
    [{"colour": 1}, {"value": 1.2}, {"right": 5}, {"right": 3, "n": 10}, {"n": 0}, {"kind": "guess"}],
    ids=str,
)
def test_a_figure_that_does_not_add_up_is_refused(spoil):
    with pytest.raises(ValidationError):
        baselines.Figure(**{"model": "m", "task": "t", "metric": "accuracy", "value": 0.5, **spoil})


def test_a_broken_file_is_named_with_what_is_wrong(tmp_path):
    (tmp_path / "a.json").write_text('{"name": "a", "source": "s", "date": "d", "extra": 1}')
    with pytest.raises(RunError, match=r"a\.json is no baseline: extra: Extra inputs"):
        baselines.load(tmp_path / "a.json")


# --- checking runs

HONEST = [i % 5 < 2 for i in range(200)]  # 80 right


@pytest.fixture
def place(tmp_path):
    """A folder with the baseline "mine", recorded from the honest run."""
    run = write_run(tmp_path / "honest", HONEST)
    call(run, "--record", "mine", "--folder", tmp_path / "baselines")
    return tmp_path / "baselines"


def call(*arguments):
    return CliRunner().invoke(app, ["check-baseline", *map(str, arguments)], env={"COLUMNS": "80"})


def checked(folder, place, verdicts, *arguments, **settings):
    run = write_run(folder / "run", verdicts, **settings)
    return call(run, "--baseline", "mine", "--folder", place, *arguments)


def broken(share):
    right = [i for i, good in enumerate(HONEST) if good]
    lost = set(right[: round(share * len(right))])
    return [good and i not in lost for i, good in enumerate(HONEST)]


def test_the_honest_run_passes_both_ways(tmp_path, place):
    for way in ("--paired", "--tolerance"):
        done = checked(tmp_path, place, HONEST, way)
        assert done.exit_code == 0 and "within" in done.output and way[2:] in done.output


def test_several_results_of_a_task_are_said(tmp_path, place):
    write_run(tmp_path / "run" / "first", HONEST)
    write_run(tmp_path / "run" / "second", HONEST)
    done = call(tmp_path / "run", "--baseline", "mine", "--folder", place)
    assert "several results of mathnet; the newest count" in done.output


def test_a_run_with_a_tenth_of_its_right_answers_broken_fails_when_paired(tmp_path, place):
    done = checked(tmp_path, place, broken(0.1))
    assert done.exit_code == 1 and "regression" in done.output and "8 lost, 0 gained" in done.output
    assert checked(tmp_path, place, broken(0.1), "--tolerance").exit_code == 0  # it has not the power
    assert checked(tmp_path, place, broken(0.3), "--tolerance").exit_code == 1


def test_another_seed_is_a_protocol_mismatch_and_not_a_regression(tmp_path, place):
    done = checked(tmp_path, place, broken(0.5), model_args={"seed": 7})
    assert done.exit_code == 3 and "protocol" in done.output
    assert "model argument seed: 42 and 7" in " ".join(done.output.split())


def test_a_setting_the_complete_baseline_does_not_have_is_a_mismatch(tmp_path, place):
    assert checked(tmp_path, place, HONEST, model_args={"enforce_eager": True}).exit_code == 3


def test_symmetric_noise_is_no_regression(tmp_path, place):
    noisy = [not good if i % 10 in (0, 2) else good for i, good in enumerate(HONEST)]  # 20 lost, 20 gained
    done = checked(tmp_path, place, noisy)
    assert done.exit_code == 0 and "20 lost, 20 gained" in done.output


@pytest.mark.parametrize(
    "arguments, why",
    [
        ((), "give the results"),
        (("no/such/run",), "no such file"),
        (("RUN", "--baseline", "theirs"), "no baseline theirs"),
        (("RUN", "--record", "mine"), "--overwrite"),
        (("RUN", "--baseline", "mine", "--alpha", "2"), "alpha"),
    ],
    ids=["nothing", "no run", "no baseline", "recorded already", "alpha"],
)
def test_wrong_usage_exits_with_2(tmp_path, place, arguments, why):
    named = [tmp_path / "honest" if a == "RUN" else a for a in arguments]
    done = call(*named, "--folder", place)
    assert done.exit_code == 2 and why in done.output and "Traceback" not in done.output


def test_a_baseline_without_verdicts_cannot_be_checked_paired(tmp_path, place):
    file = place / "mine.json"
    figure = json.loads(file.read_text())
    del figure["figures"][0]["samples"]
    file.write_text(json.dumps(figure))
    assert checked(tmp_path, place, HONEST, "--paired").exit_code == 2
    assert "tolerance" in checked(tmp_path, place, HONEST).output


def test_the_models_own_baseline_is_found(tmp_path, place):
    assert call(tmp_path / "honest", "--folder", place).exit_code == 0
    other = write_run(tmp_path / "other", HONEST, model="some/other")
    done = call(other, "--folder", place)
    assert done.exit_code == 2 and "no baseline has a figure of other" in done.output


def test_recording_again_needs_a_word_and_gives_the_same_bytes(tmp_path, place):
    before = {file.name: file.read_bytes() for file in place.rglob("*.*")}
    call(tmp_path / "honest", "--record", "mine", "--folder", place, "--overwrite")
    assert {file.name: file.read_bytes() for file in place.rglob("*.*")} == before


def figure_of(task, **settings):
    return baselines.Figure(model="m", task=task, metric="accuracy", value=0.4, **settings)


def test_the_lowest_passing_value_is_where_the_verdict_turns(tmp_path):
    for n_before in (None, 200, 5000):
        settings = {"n": n_before} if n_before else {}
        baseline = baselines.Baseline(
            name="b", source="s", date="d", figures=(figure_of("mathnet", **settings),)
        )
        for right in range(55, 85):
            run = runs.load(write_run(tmp_path / "r", [i < right for i in range(200)]))
            (found,) = baseline_check.check(run, baseline)
            assert found.regressed == (right / 200 < found.lowest - 1e-9), (n_before, right)


def test_the_tests_are_those_of_scipy_and_statsmodels():
    expected = scipy_stats.binomtest(8, 10, alternative="greater").pvalue
    assert stats.mcnemar(8, 2, "greater") == pytest.approx(expected) and stats.mcnemar(0, 0, "greater") == 1.0
    _, p = proportions_ztest([60, 320], [200, 800], alternative="smaller")
    assert stats.proportion_loss(60, 200, 320, 800) == pytest.approx(p)
    assert stats.proportion_loss(60, 200, 0.4, None) == pytest.approx(
        scipy_stats.binomtest(60, 200, 0.4, alternative="less").pvalue
    )


def test_the_nearest_protocol_of_several_is_checked(tmp_path):
    figures = [figure_of("mathnet", n=200, protocol={"num fewshot": shots}) for shots in (8, 0, 4)]
    baseline = baselines.Baseline(name="b", source="s", date="d", figures=tuple(figures))
    (found,) = baseline_check.check(runs.load(write_run(tmp_path, HONEST)), baseline)
    assert found.verdict == "within" and found.test == baseline_check.TOLERANCE


def test_of_several_models_one_is_named_or_the_runs_own(tmp_path):
    figures = [
        baselines.Figure(model=name, task="mathnet", metric="accuracy", value=value, n=200)
        for name, value in (("some/model", 0.4), ("other", 0.9))
    ]
    baseline = baselines.Baseline(name="b", source="s", date="d", figures=tuple(figures))
    run = runs.load(write_run(tmp_path / "own", HONEST))
    assert [c.verdict for c in baseline_check.check(run, baseline)] == ["within"]
    assert [c.verdict for c in baseline_check.check(run, baseline, model="other")] == ["regression"]
    third = runs.load(write_run(tmp_path / "third", HONEST, model="third"))
    with pytest.raises(
        RunError, match="2 models and none is third; name one with --model: some/model, other"
    ):
        baseline_check.check(third, baseline)


def test_a_threshold_is_reached_or_not(tmp_path):
    figures = [
        baselines.Figure(
            model="m", task="mathnet", metric="accuracy", value=v, kind="threshold", notes=str(v)
        )
        for v in (0.3, 0.5)
    ]
    baseline = baselines.Baseline(name="b", source="s", date="d", figures=tuple(figures))
    found = baseline_check.check(runs.load(write_run(tmp_path, HONEST)), baseline)
    assert [one.verdict for one in found] == ["within", "regression"] and baseline_check.exit_code(found) == 1


def test_the_packaged_list_is_whole():
    done = CliRunner().invoke(app, ["check-baseline", "--list"], env={"COLUMNS": "80"})
    names = ("cs396-thresholds", "mathnet", "qwen3-1.7b-base", SMOLLM2)
    assert done.exit_code == 0 and [name for name in names if name not in done.output] == []


def test_smollm2_has_its_verdicts(recorded):
    (figure,) = recorded[SMOLLM2].figures
    kept = baselines.verdicts(figure, ROOT / "baselines")
    assert (sum(kept.values()), len(kept)) == (figure.right, figure.n) and figure.right >= 60
    rows = gzip.decompress((ROOT / "baselines" / figure.samples).read_bytes()).splitlines()
    assert {tuple(json.loads(row)) for row in rows} == {("task", "doc_hash", "correct")}


def test_a_packaged_baseline_is_checked_from_a_copy_of_the_folder(tmp_path, recorded):
    copy = shutil.copytree(ROOT / "baselines", tmp_path / "b")
    assert baselines.load_all(Path(copy)) == recorded


def test_a_baseline_of_several_tasks_counts_the_problems_of_each(tmp_path):
    write_run(tmp_path / "run", [True, False, True], task="mathnet")
    write_run(tmp_path / "run", [True] * 5, task="gsm8k", stamp="2026-01-02T00-00-00.000000")
    run = runs.load(tmp_path / "run")
    baselines.record("two", run, "measured", "2026-01-01", tmp_path / "kept")
    baseline = baselines.load(tmp_path / "kept" / "two.json")
    found = baseline_check.check(run, baseline, tmp_path / "kept")
    assert [(c.n, c.remark, c.lost, c.gained) for c in found] == [(3, "", 0, 0), (5, "", 0, 0)]
    write_run(tmp_path / "less", [True, False], task="mathnet")
    (only,) = baseline_check.check(runs.load(tmp_path / "less"), baseline, tmp_path / "kept")
    assert only.remark == "1 problems only in the baseline, 0 only in the run"
