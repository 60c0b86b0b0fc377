import json
import shutil
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from lm_eval_ext.analysis import protocols, runs
from lm_eval_ext.analysis.adapters import adapter, extractors, graded_doc
from lm_eval_ext.analysis.lm_eval_files import RunError
from lm_eval_ext.analysis.regrade import RegradeOptions, regrade, regrade_all
from lm_eval_ext.cli import app
from lm_eval_ext.grading import Grader, GraderConfig, Verdict
from tests.analysis.builtin import gsm8k_rows, hendrycks_rows, minerva_rows, write_builtin
from tests.analysis.logged import write_run

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def grader():
    with Grader(GraderConfig(workers=1)) as grader:
        yield grader


def table(regraded, against):
    return next(c for c in regraded.diffs if c.against == against)


def rows_of(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def rewrite(file, change):
    rows = rows_of(file)
    file.write_text("".join(json.dumps(change(row)) + "\n" for row in rows))


def samples_of(file, task):
    return file.with_name(f"samples_{task}_{file.stem.removeprefix('results_')}.jsonl")


def as_repeats(row):
    verdicts = [
        str(Verdict(True, "exact", "0", "as written")),
        str(Verdict(False, "symbolic", "9", "another")),
    ]
    scores = {"accuracy": 0.5, "pass@1": 0.5, "pass@2": 1.0, "maj@2": 0.5}
    resps = [["Final answer: 0", "Final answer: 9"]]
    return {**row, "resps": resps, "filtered_resps": [verdicts], "metrics": list(scores), **scores}


def test_load_regrade_load(tmp_path, grader):
    file = write_run(tmp_path / "old", [True, False, None], protocol={"generation": {"max_gen_toks": 64}})
    before = {path: path.read_bytes() for path in (tmp_path / "old").rglob("*") if path.is_file()}
    done = regrade(file.parent, grader, out=tmp_path / "new")
    assert {path: path.read_bytes() for path in before} == before
    (written,) = done.files
    assert written.parent == tmp_path / "new" / "some__model"
    old, new = runs.load(file).unit("mathnet"), runs.load(tmp_path / "new").unit("mathnet")
    assert [s.key for s in new.samples] == [s.key for s in old.samples]
    assert list(new.scored().values()) == [1.0, 1.0, 1.0] and new.filter == "grade_math"
    assert new.reported["accuracy,grade_math"] == 1.0 and new.reported["accuracy_stderr,grade_math"] == 0.0
    assert [s.responses for s in new.samples] == [s.responses for s in old.samples]
    assert protocols.differences(old.protocol, new.protocol) == []
    said = json.loads(written.read_text())["configs"]["mathnet"]["metadata"]["regraded"]
    assert said["from"] == str(file) and "lm_eval_ext" in said["grader"] and said["at"][:2] == "20"
    again = regrade(tmp_path / "new", grader)
    assert again.changes == [] and again.files == ()


def test_what_flipped_is_told_with_both_layers(tmp_path, grader):
    file = write_run(tmp_path, [True, False, None], responses=["Final answer: 0", "Final answer: 1", "No."])
    done = regrade(file, grader)
    found = table(done, "accuracy,grade_math")
    assert (found.n, found.old, found.new, found.up, found.down) == (3, 1.0, 2.0, 1, 0)
    up, other = done.changes
    assert up.as_dict() == {
        **{"task": "mathnet", "doc_id": 1, "response": 0, "against": "accuracy,grade_math", "gold": "1"},
        **{"old": "wrong (exact)", "old_answer": "1", "old_reason": "as written"},
        **{"new": "right (exact)", "answer": "1", "reason": "the strings are equal"},
    }
    assert (other.old, other.new.correct, other.became_right, other.was_right) == (
        "undecided",
        False,
        False,
        False,
    )


def test_metrics_that_grading_no_longer_makes_go(tmp_path, grader):
    file = write_run(tmp_path / "old", [True, False])
    old = {"accuracy_exact": 1.0, "accuracy_symbolic": 1.0, "accuracy_level_2": None, "other": 3.0}
    rewrite(samples_of(file, "mathnet"), lambda row: {**row, **old, "metrics": [*row["metrics"], *old]})
    results = json.loads(file.read_text())
    gone = {"accuracy_exact,grade_math": 1.0, "accuracy_level_2_stderr,grade_math": 0.0}
    results["results"]["mathnet"] |= gone
    file.write_text(json.dumps(results))
    regrade(file.parent, grader, out=tmp_path / "new")
    new = runs.load(tmp_path / "new").unit("mathnet")
    assert {"accuracy", "other"} <= set(new.metrics)
    assert not ({*old, *gone} - {"other"}) & {*new.metrics, *new.reported}


def test_repeats_keep_their_metrics(tmp_path, grader):
    file = write_run(tmp_path / "old", [True])
    rewrite(samples_of(file, "mathnet"), as_repeats)
    done = regrade(file, grader, out=tmp_path / "new")
    assert done.changes == [] and table(done, "accuracy,grade_math").by_response
    scores = runs.load(tmp_path / "new").unit("mathnet").samples[0].scores
    assert {name: scores[name] for name in ("accuracy", "pass@1", "pass@2", "maj@2")} == {
        **{"accuracy": 0.5, "pass@1": 0.5, "pass@2": 1.0, "maj@2": 0.5}
    }


def test_each_filter_of_a_task_keeps_its_way_to_read_answers(tmp_path, grader):
    file = write_run(tmp_path / "old", [False], responses=["The answer is 5. No: 0"])
    samples = samples_of(file, "mathnet")
    (row,) = rows_of(samples)
    rows = [{**row, "filter": name} for name in ("strict-match", "flexible-extract", "other")]
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    results = json.loads(file.read_text())
    results["configs"]["mathnet"]["filter_list"] = [
        {"name": name, "filter": [{"function": "grade_math", "extract": extract}]}
        for name, extract in (("strict-match", "strict"), ("flexible-extract", "flexible"))
    ] + [{"name": "other", "filter": [{"function": "regex"}]}]
    file.write_text(json.dumps(results))
    done = regrade(file, grader, out=tmp_path / "new")
    assert {c.against: c.new for c in done.diffs} == {
        "accuracy,strict-match": 0.0,
        "accuracy,flexible-extract": 1.0,
    }
    new = rows_of(samples_of(done.files[0], "mathnet"))
    assert {row["filter"]: row["accuracy"] for row in new} == {
        **{"strict-match": 0.0, "flexible-extract": 1.0, "other": 0.0}
    }


def test_samples_of_gsm8k(tmp_path, grader):
    tasks = {"gsm8k_cot": gsm8k_rows(), "gsm8k": gsm8k_rows(target="{worked}")}
    file = write_builtin(tmp_path / "old", tasks)
    done = regrade(file, grader, out=tmp_path / "new")
    for task in tasks:
        strict, flexible = (c for c in done.diffs if c.name == task)
        assert (strict.against, strict.old, strict.new, strict.up) == (
            "exact_match,strict-match",
            1.0,
            2.0,
            1,
        )
        assert (flexible.old, flexible.new, flexible.down, flexible.primary) == (3.0, 2.0, 1, True)
    new = runs.load(tmp_path / "new").unit("gsm8k_cot")
    assert set(new.filters) == {"strict-match", "flexible-extract", "grade_math"}
    assert [s.gold for s in new.samples] == ["5", "1200", "4", "3"]
    assert new.reported["exact_match,flexible-extract"] == 0.75  # their own metrics stay
    assert new.reported["accuracy,grade_math"] == 0.5 and new.reported["answered,grade_math"] == 0.75
    again = regrade(tmp_path / "new", grader)
    assert [c.against for c in again.diffs] == ["accuracy,grade_math"] * 2 and again.changes == []


def test_samples_of_minerva_math_and_hendrycks_math(tmp_path, grader):
    tasks = {
        "minerva_math_algebra": minerva_rows(),
        "hendrycks_math_algebra": hendrycks_rows(),
        "hendrycks_math_geometry": hendrycks_rows((" $200$", " $2$\n\nI add that it is $3$.", " 54")),
    }
    groups = {"hendrycks_math": ["hendrycks_math_algebra", "hendrycks_math_geometry"]}
    file = write_builtin(tmp_path / "old", tasks, groups)
    done = regrade(file, grader, out=tmp_path / "new", options=RegradeOptions(against="exact_match"))
    right = {c.name: c.new for c in done.diffs if c.against == "exact_match,none"}
    assert right == {**dict.fromkeys(tasks, 2.0), "hendrycks_math_geometry": 1.0}
    (group,) = done.groups
    assert (group.name, group.n, group.old, group.new, group.up) == ("hendrycks_math", 6, 0.0, 3.0, 3)
    written = json.loads(done.files[0].read_text())["results"]["hendrycks_math"]
    assert written["accuracy,grade_math"] == 0.5 and written["accuracy_stderr,grade_math"] > 0
    assert table(done, "math_verify,none").up == 1 and not table(done, "math_verify,none").primary


@pytest.mark.parametrize("setting", [{"output_type": "multiple_choice"}, {"doc_to_target": ""}])
def test_a_task_without_texts_or_golds_is_carried_along(tmp_path, grader, setting):
    file = write_builtin(tmp_path / "old", {"gsm8k_cot": gsm8k_rows(), "arc": minerva_rows()})
    results = json.loads(file.read_text())
    results["configs"]["arc"] |= setting
    file.write_text(json.dumps(results))
    done = regrade(file, grader, out=tmp_path / "new")
    assert done.skipped == ("arc",)
    old, new = samples_of(file, "arc"), samples_of(done.files[0], "arc")
    assert rows_of(old) == rows_of(new)


def test_refused_samples_stay_out_of_the_denominator(tmp_path, grader):
    file = write_run(tmp_path / "old", [True, True, False])
    refused = {"error": "refused: 403", "resps": [[None]], "metrics": []}
    rewrite(samples_of(file, "mathnet"), lambda row: {**row, **refused} if row["doc_id"] == 0 else row)
    done = regrade(file, grader, out=tmp_path / "new")
    new = runs.load(tmp_path / "new").unit("mathnet")
    assert table(done, "accuracy,grade_math").n == 2 == len(new.scored())
    assert new.reported["n_scored,grade_math"] == 2 and new.reported["accuracy,grade_math"] == 1.0
    assert new.samples[0].error == "refused: 403"


@pytest.mark.parametrize(
    "spoil, why",
    [
        ({"resps": []}, r"doc 1: no response in 'resps', which is \[\]"),
        ({"resps": [[[-1.5, False]]]}, "doc 1: no response"),
        ({"target": None}, "doc 1: no gold in its target 'None'; --gold-field"),
    ],
    ids=["no response", "log-likelihoods", "no gold"],
)
def test_a_broken_sample_is_named(tmp_path, grader, spoil, why):
    file = write_builtin(tmp_path / "old", {"some_task": minerva_rows()})
    rewrite(samples_of(file, "some_task"), lambda row: {**row, **spoil} if row["doc_id"] == 1 else row)
    with pytest.raises(RunError, match=why):
        regrade(file, grader, out=tmp_path / "new")
    assert not list((tmp_path / "new").rglob("results_*"))


def test_other_tasks_have_their_gold_in_the_target_or_where_the_user_says(tmp_path, grader):
    rows = [{**row, "doc": {**row["doc"], "key": 54}} for row in minerva_rows()]
    file = write_builtin(tmp_path, {"my_math": rows})
    assert table(regrade(file, grader), "exact_match,none").new == 2.0
    other = regrade(file, grader, options=RegradeOptions(gold_field="key", extract="flexible"))
    assert table(other, "exact_match,none").new == 1.0
    for options, why in (
        (RegradeOptions(gold_field="answers"), "no field 'answers' in the document, only problem, solution"),
        (RegradeOptions(extract="latex"), "extract is 'latex'; it must be one of statement"),
        (RegradeOptions(against="f1"), "no metric f1; it has exact_match,none; math_verify,none"),
    ):
        with pytest.raises(RunError, match=why):
            regrade(file, grader, options=options)
    worked = {"doc": {}, "doc_id": 0, "target": "So $x$ is $\\boxed{7}$, as wanted."}
    assert graded_doc("my_math", worked, own=False)["gold"] == "7"


def test_which_adapter_a_task_has():
    assert adapter("gsm8k_cot_zeroshot").extract == "statement" == adapter("leaderboard_math_hard").extract
    assert extractors("hendrycks_math_num_theory", {}) == {"grade_math": "bare"}
    assert adapter("aime24").tasks == ""


def test_the_new_run_keeps_away_from_the_old_one(tmp_path, grader):
    file = write_run(tmp_path / "out" / "some__model", [True])
    for out in (tmp_path / "out", file.parent):
        with pytest.raises(RunError, match="--out must be another folder"):
            regrade(file, grader, out=out)
    assert len(list(tmp_path.rglob("*.json*"))) == 2


def test_only_the_newest_of_each_task_is_graded(tmp_path, grader):
    write_run(tmp_path / "old", [False], task="a", stamp="2026-01-01T00-00-00.000000")
    write_run(tmp_path / "old", [True, True], task="b", stamp="2026-01-02T00-00-00.000000")
    write_run(tmp_path / "old", [True], task="a", stamp="2026-01-03T00-00-00.000000")
    done = regrade(tmp_path / "old", grader, out=tmp_path / "new")
    assert [c.name for c in done.diffs] == ["b", "a"] and done.changes == [] and len(done.files) == 2
    assert runs.load(tmp_path / "new").units() == ["b", "a"]


class Yes:
    """A judge that finds all equal, and says what it is."""

    def __init__(self):
        self.asked = 0

    def judge(self, items, verdicts):
        self.asked += 1
        return [
            v if v.correct or v.answer is None else replace(v, correct=True, layer="judge") for v in verdicts
        ]

    def record(self):
        return {"model": "yes", "prompt": "p", "usage": {"asked": self.asked, "cost_usd": None}}


def test_a_judge_is_recorded_where_protocols_look(tmp_path):
    file = write_run(tmp_path / "old", [False, True], responses=["Final answer: $x^2$", "Final answer: 1"])
    with Grader(GraderConfig(workers=1, judge=Yes())) as judged:
        done = regrade(file, judged, out=tmp_path / "new")
    assert [(f.old, f.new.layer) for f in done.changes] == [("wrong (exact)", "judge")]
    new = runs.load(tmp_path / "new").unit("mathnet")
    (difference,) = protocols.differences(runs.load(file).unit("mathnet").protocol, new.protocol)
    assert (difference.setting, difference.b) == ("judge", {"model": "yes", "prompt": "p"})
    said = json.loads(done.files[0].read_text())["configs"]["mathnet"]["metadata"]
    assert said["regraded"]["usage"]["asked"] == 1 and said["protocol"]["usage"]["cost_usd"] is None


def test_several_runs_and_their_flips_file(tmp_path, grader):
    places = [write_run(tmp_path / name, [False]) for name in ("before", "after")]
    with pytest.raises(RunError, match="some/model would be written twice"):
        regrade_all(places, grader, out=tmp_path / "new")
    regrade_all([f"{p.parent.name}={p}" for p in places], grader, out=tmp_path / "new")
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["after", "before", "flips.jsonl"]
    flips = rows_of(tmp_path / "new" / "flips.jsonl")
    assert [(f["run"], f["old"], f["new"]) for f in flips] == [
        ("before", "wrong (exact)", "right (exact)"),
        ("after", "wrong (exact)", "right (exact)"),
    ]


def test_the_command(tmp_path):
    write_builtin(tmp_path / "old", {"gsm8k_cot": gsm8k_rows()})
    command = ["regrade", str(tmp_path / "old"), "--out", str(tmp_path / "new"), "--workers", "1", "--all"]
    said = CliRunner().invoke(app, command)
    assert said.exit_code == 0, said.output
    for text in ("exact_match,flexible-extract *", "0.750", "0.500", "right", "no answer", "results_"):
        assert text in said.output
    shutil.rmtree(tmp_path / "old")
    said = CliRunner().invoke(app, command)
    assert said.exit_code == 1 and "no such file or folder" in said.output and "Traceback" not in said.output


def test_a_run_without_scores_gets_them_and_its_verdicts_are_compared(tmp_path, grader):
    """What `--predict_only` leaves: verdicts, for filters ran, and no metric but `bypass`."""
    file = write_run(tmp_path / "old", [True, False])

    def unscored(row):
        kept = {k: v for k, v in row.items() if k not in row["metrics"]}
        return {**kept, "metrics": ["bypass"], "bypass": 999}

    rewrite(samples_of(file, "mathnet"), unscored)
    done = regrade(file.parent, grader, out=tmp_path / "new")
    (found,) = done.diffs
    assert (found.against, found.n, found.scored, found.new) == ("not scored", 2, False, 2.0)
    assert [change.became_right for change in done.changes] == [True]
    new = runs.load(tmp_path / "new").unit("mathnet")
    assert "bypass" not in new.metrics and set(new.scored("accuracy").values()) == {1.0}
    shown = CliRunner().invoke(app, ["regrade", str(file.parent)]).output
    assert "not scored" in shown and "verdicts that changed" in shown


def test_a_metric_that_is_not_finite_is_as_good_as_missing(tmp_path, grader):
    file = write_run(tmp_path / "old", [True, False])
    rewrite(samples_of(file, "mathnet"), lambda row: {**row, "accuracy": float("nan")} | {"extra": 1})
    assert runs.load(file).unit("mathnet").metrics == ("answered", "undecided")
    assert regrade(file.parent, grader).diffs[0].against == "not scored"
