import json

import pytest

from lm_eval_ext.analysis import naming, protocols, runs
from lm_eval_ext.analysis.lm_eval_files import RunError, read_samples, rows_by_doc
from tests.analysis.logged import write_run

pytestmark = pytest.mark.unit


def test_a_run_is_read_from_its_folder_or_its_file(tmp_path):
    file = write_run(tmp_path / "some__model", [True, False, None])
    for place in (tmp_path, file):
        run = runs.load(place)
        assert (run.name, run.model, run.units()) == ("model", "some/model", ["mathnet"])
        task = run.unit("mathnet")
        assert list(task.scored().values()) == [1.0, 0.0, 0.0] and task.metric() == "accuracy"
        assert [s.verdicts[0].correct for s in task.samples] == [True, False, None]
        assert task.samples[1].prompt == "Problem 1?" and task.samples[1].responses == ("Final answer: 1",)
        assert task.protocol["model argument seed"] == 42
        assert task.protocol["generation max_gen_toks"] == 64


def test_the_newest_results_of_each_task_count(tmp_path):
    write_run(tmp_path, [True, True], task="a", stamp="2026-01-01T00-00-00.000000")
    write_run(tmp_path, [True, False], task="b", stamp="2026-01-02T00-00-00.000000")
    write_run(tmp_path, [False, False], task="a", stamp="2026-01-03T00-00-00.000000")
    run = runs.load(tmp_path)
    assert {name: sum(run.unit(name).scored().values()) for name in run.units()} == {"a": 0.0, "b": 1.0}


def test_equal_documents_are_kept_apart(tmp_path):
    doc = {"id": "0", "problem": "?", "gold": "1"}
    task = runs.load(write_run(tmp_path, [True, False], docs=[doc, doc])).unit("mathnet")
    assert len(task.scored()) == 2


def test_a_group_is_its_tasks_together(tmp_path):
    file = write_run(tmp_path, [True, False], task="algebra")
    results = json.loads(file.read_text())
    write_run(tmp_path / "b", [True, True], task="geometry")
    for kind in ("results", "configs", "versions"):
        results[kind]["geometry"] = results[kind]["algebra"]
    (tmp_path / "b" / f"samples_geometry_{file.stem[8:]}.jsonl").rename(
        tmp_path / f"samples_geometry_{file.stem[8:]}.jsonl"
    )
    results["group_subtasks"] = {"math": ["algebra", "geometry"], "algebra": []}
    file.write_text(json.dumps(results))
    run = runs.load(file)
    assert run.units() == ["math"]
    assert sum(run.unit("math").scored().values()) == 3.0 and len(run.unit("algebra").samples) == 2
    results["results"]["math"] = {"alias": "math", "name": "math"}  # lm-eval does not aggregate it
    file.write_text(json.dumps(results))
    assert runs.load(file).units() == ["algebra", "geometry"]


def test_refusals_are_in_no_denominator(tmp_path):
    file = write_run(tmp_path, [True, False, False])
    samples = next(tmp_path.glob("samples_*"))
    rows = [json.loads(line) for line in samples.read_text().splitlines()]
    rows[2]["error"] = "refused: 403"
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert len(runs.load(file).unit("mathnet").scored()) == 2


@pytest.mark.parametrize(
    "spoil, why",
    [
        (lambda folder: [f.unlink() for f in folder.glob("samples_*")], "--log_samples"),
        (lambda folder: [f.unlink() for f in folder.glob("results_*")], r"no results_\*.json"),
        (lambda folder: [f.write_text("{") for f in folder.glob("results_*")], "cannot be read as JSON"),
        (lambda folder: [f.write_text("{}") for f in folder.glob("results_*")], "no results file"),
        (lambda folder: [f.write_text('{"a": 1}\n') for f in folder.glob("samples_*")], "row 1 is no sample"),
        (lambda folder: [f.write_text("{}\n{") for f in folder.glob("samples_*")], "line 2"),
        (lambda folder: write_run(folder / "other", [True], model="b"), "runs of 2 models"),
    ],
    ids=["no samples", "no results", "broken", "another json", "other rows", "broken line", "two models"],
)
def test_what_is_no_run_is_named(tmp_path, spoil, why):
    write_run(tmp_path, [True])
    spoil(tmp_path)
    with pytest.raises(ValueError, match=why) as refused:
        runs.load(tmp_path)
    assert isinstance(refused.value, SystemExit) and str(tmp_path) in str(refused.value)


def test_other_names_are_refused_with_those_there_are(tmp_path):
    run = runs.load(write_run(tmp_path, [True]))
    for ask in (lambda: run.unit("gsm8k"), lambda: runs.load(tmp_path, filter="strict")):
        with pytest.raises(RunError, match=r"mathnet|grade_math"):
            ask()
    with pytest.raises(RunError, match="accuracy, answered"):
        run.unit("mathnet").metric("f1")


def test_runs_of_one_model_get_names_that_differ(tmp_path):
    files = [write_run(tmp_path / name, [True]) for name in ("before", "after")]
    assert [run.name for run in naming.named([f.parent for f in files])] == [
        "model (before)",
        "model (after)",
    ]
    deeper = [write_run(tmp_path / name / "model", [True]).parent for name in ("first", "second")]
    assert [run.name for run in naming.named(deeper)] == ["model (first)", "model (second)"]
    assert [run.name for run in naming.named([files[0], files[0]])] == ["model #1", "model #2"]
    labelled = naming.named([f"base={files[0]}", f"tuned={files[1]}"])
    assert [run.name for run in labelled] == ["base", "tuned"]


def test_a_folder_of_several_models_holds_a_run_each(tmp_path):
    for name, task in (("a", "gsm8k"), ("a", "mathnet"), ("b/checkpoint-20", "gsm8k")):
        write_run(tmp_path / name / task, [True], task=task, model=f"org/{name}")
    a, b = naming.named([tmp_path])
    assert (a.name, list(a.tasks), b.name, list(b.tasks)) == (
        "a",
        ["gsm8k", "mathnet"],
        "b-checkpoint-20",
        ["gsm8k"],
    )
    assert [run.name for run in naming.named([f"x={tmp_path}"])] == ["x a", "x b-checkpoint-20"]


def test_a_task_in_several_folders_of_one_model_is_in_several_runs(tmp_path):
    for name, stamp in (("plain", "2026-01-01"), ("chat", "2026-01-02"), ("chat", "2026-01-03")):
        write_run(tmp_path / name, [True], stamp=f"{stamp}T00-00-00.000000", chat=name == "chat")
    plain, chat = naming.named([tmp_path])
    assert (plain.name, chat.name) == ("model (plain)", "model (chat)")
    assert "2026-01-03" in chat.tasks["mathnet"].results_file.name


def test_differences_of_protocol_name_the_setting(tmp_path):
    one = runs.load(write_run(tmp_path / "1", [True])).unit("mathnet")
    two = runs.load(write_run(tmp_path / "2", [True], model="other", model_args={"seed": 7})).unit("mathnet")
    (difference,) = protocols.differences(one.protocol, two.protocol)
    assert str(difference) == "model argument seed: 42 and 7"


def test_rows_of_several_filters_are_grouped_by_document(tmp_path):
    write_run(tmp_path, [True, False])
    samples = next(tmp_path.glob("samples_*"))
    rows = [json.loads(line) for line in samples.read_text().splitlines()]
    strict = [{**row, "filter": "strict-match"} for row in rows]
    samples.write_text("".join(json.dumps(row) + "\n" for row in [*strict, *rows]))
    grouped = rows_by_doc(read_samples(samples))
    assert [[r["filter"] for r in same] for same in grouped] == [["strict-match", "grade_math"]] * 2
    assert [same[0]["doc_id"] == same[1]["doc_id"] for same in grouped] == [True, True]
    assert runs.load(tmp_path).unit("mathnet").filter == "grade_math"
