import gzip
import json

import pytest
from typer.testing import CliRunner

from lm_eval_ext.analysis import runs
from lm_eval_ext.analysis.lm_eval_files import RunError, hashes
from lm_eval_ext.analysis.regrade import DatasetJoin, ResponseFields, import_responses, regrade
from lm_eval_ext.cli import app
from lm_eval_ext.grading import Grader, GraderConfig
from lm_eval_ext.harness.docs import mathnet

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def grader():
    with Grader(GraderConfig(workers=1)) as grader:
        yield grader


@pytest.fixture
def write(tmp_path):
    def write(*rows, name="answers.jsonl"):
        file = tmp_path / name
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return file

    return write


def row(number, response="Final answer: 7", **more):
    return {"id": f"p{number}", "response": response, "gold": "7", **more}


def test_each_model_becomes_a_run(write, tmp_path, grader):
    file = write(
        *(row(i, model="lab/one", problem="3 + 4?") for i in range(2)),
        *(row(i, response="Final answer: 8", model="two", gold=7) for i in range(2)),
    )
    done = import_responses(file, grader, out=tmp_path / "out", task="sums")
    assert [(run.model, run.score("accuracy")) for run in done] == [("lab/one", 1.0), ("two", 0.0)]
    one = runs.load(tmp_path / "out" / "lab__one")
    assert (one.name, one.model, one.units()) == ("one", "lab/one", ["sums"])
    (first, _) = one.unit("sums").samples
    assert first.doc == {"id": "p0", "problem": "3 + 4?", "gold": "7"} and first.verdicts[0].layer == "exact"
    assert regrade(tmp_path / "out" / "two", grader).changes == []
    two = runs.load(tmp_path / "out" / "two").unit("sums")
    assert {key[0] for key in two.scored()} == {"sums"} and two.protocol["backend"] == "imported"


def test_models_pair_on_their_problems(write, tmp_path, grader):
    file = write(*(row(i, model=m, problem="?", label="yes", reference=m) for m in "ab" for i in range(3)))
    import_responses(file, grader, out=tmp_path / "out", fields=ResponseFields(label="label"))
    a, b = (runs.load(tmp_path / "out" / m).unit("answers") for m in "ab")
    assert set(a.scored()) == set(b.scored()) and len(a.scored()) == 3
    assert a.samples[0].row["imported"] == [{"where": "line 1", "label": "yes", "reference": "a"}]


def test_refusals_and_errors_are_kept_out_of_the_score(write, tmp_path, grader):
    file = write(
        row(0),
        row(1, response=None),
        row(2, response="", error="content filter"),
        row(3, response=None, refusal="I cannot help"),
        row(4, response="x", status="refused"),
        row(5, status=500),
        row(6, status="stop"),
        row(7, response=""),
    )
    (done,) = import_responses(file, grader, out=tmp_path / "out")
    assert dict(done.refusals) == {
        **{"no response": 1, "content filter": 1, "refused: I cannot help": 1},
        **{"status refused": 1, "status 500": 1},
    }
    task = runs.load(tmp_path / "out").unit("answers")
    assert list(task.scored().values()) == [1.0, 1.0, 0.0] and len(task.samples) == 8
    assert task.reported["n_scored,grade_math"] == 3 and task.reported["sample_len"] == 8
    assert done.score("accuracy") == pytest.approx(2 / 3)
    again = regrade(tmp_path / "out", grader, out=tmp_path / "again")
    assert again.diffs[0].n == 3 and again.changes == []
    assert runs.load(tmp_path / "again").unit("answers").reported["n_scored,grade_math"] == 3


def test_labels_become_a_metric_of_their_own(write, tmp_path, grader):
    labels = ("yes", "no", "none", "unsure", True, None)
    file = write(*(row(i, label=label) for i, label in enumerate(labels)), row(9))
    (done,) = import_responses(file, grader, out=tmp_path / "out", fields=ResponseFields(label="label"))
    assert done.score("accuracy_label") == 0.5 and done.score("n_scored_accuracy_label") == 4
    task = runs.load(tmp_path / "out").unit("answers")
    assert list(task.scored("accuracy_label").values()) == [1.0, 0.0, 0.0, 1.0] and len(task.scored()) == 7


def test_tokens_and_costs_are_carried_and_totalled(write, tmp_path, grader):
    file = write(
        row(0, output_tokens=10, cost_usd=0.5), row(1, response=None, output_tokens=1, cost_usd=0.25), row(2)
    )
    (done,) = import_responses(file, grader, out=tmp_path / "out")
    assert (done.score("output_tokens_total"), done.score("cost_usd_total")) == (11.0, 0.75)
    assert done.score("output_tokens") == 10.0
    regrade(tmp_path / "out", grader, out=tmp_path / "again")
    task = runs.load(tmp_path / "again").unit("answers")
    assert task.reported["cost_usd_total,grade_math"] == 0.75 and "output_tokens" in task.metrics


@pytest.mark.parametrize("listed", [True, False], ids=["a list in one row", "rows of one id"])
def test_repeats(write, tmp_path, grader, listed):
    texts = ["Final answer: 7", "Final answer: 8", "Final answer: 8"]
    rows = [row(0, response=texts)] if listed else [row(0, response=text) for text in texts]
    (done,) = import_responses(write(*rows), grader, out=tmp_path / "out")
    assert done.score("pass@1") == pytest.approx(1 / 3) == done.score("accuracy")
    assert done.score("pass@3") == 1.0 and done.score("maj@3") == 0.0
    assert runs.load(tmp_path / "out").unit("answers").protocol["repeats"] == 3


MATHNET = {
    **{"id": "z1", "country": "Nowhere", "competition": "Test Cup", "language": "English"},
    **{"problem_markdown": "What is $3+4$?", "final_answer": "7", "topics_flat": ["Algebra > Sums"]},
}


def test_problems_come_from_a_joined_data_set(write, tmp_path, grader):
    data = write(MATHNET, {**MATHNET, "id": "z2", "country": None}, name="data.jsonl")
    file = write(row(0, name="z1"), row(1, name="z2"))
    data.write_text(data.read_text().replace('"id"', '"name"'))
    with pytest.raises(RunError, match=r"line 1 has no field 'id'.*--join-on"):
        import_responses(file, grader, join=DatasetJoin(data))
    (done,) = import_responses(
        file, grader, out=tmp_path / "out", join=DatasetJoin(data, on="name"), task="mathnet"
    )
    doc = done.rows[0]["doc"]
    assert (doc["country"], doc["topic"], doc["competition"]) == ("Nowhere", "Algebra", "Test Cup")


def test_a_joined_mathnet_row_is_the_document_of_the_task(write, grader):
    data, file = write(MATHNET, name="data.jsonl"), write({"id": "z1", "response": "Final answer: 7"})
    (done,) = import_responses(file, grader, join=DatasetJoin(data))
    doc = mathnet.to_doc(MATHNET)
    assert done.rows[0]["doc"] == doc and list(done.rows[0]["doc"]) == list(doc)
    assert done.rows[0]["doc_hash"] == hashes(doc, "", "")["doc_hash"] and done.score("accuracy") == 1.0


def test_other_data_sets_bring_their_fields(write, grader):
    data = write({"id": "p0", "problem": "3 + 4?", "gold": "7", "hard": True}, name="data.jsonl")
    (done,) = import_responses(
        write({"id": "p0", "response": "A: 7", "level": 2}), grader, join=DatasetJoin(data)
    )
    assert done.rows[0]["doc"] == {"id": "p0", "problem": "3 + 4?", "level": 2, "hard": True, "gold": "7"}


@pytest.mark.parametrize(
    "line, why",
    [
        ("{", "line 2 is not a JSON object in UTF-8: "),
        ('{"id": "q", "gold": "7"}', "line 2 has no field 'response', only 'id, gold'; --response-field"),
        ('{"id": "q", "response": "x"}', "line 2 has no field 'gold'.*--gold-field"),
        ('{"id": "q", "response": 5, "gold": "7"}', "line 2: 'response' must be text"),
        ('{"id": "q", "response": [], "gold": "7"}', "line 2: 'response' must be text"),
        ('{"id": "q", "response": "x", "gold": {"a": 1}}', "'gold' must be text, a number or a list"),
        ('{"id": "q", "response": "x", "gold": "7", "label": "good"}', "line 2: 'label' is 'good'"),
        (
            json.dumps(row(0)) + "\n" + json.dumps(row(1)),
            "rows with id 'p[01]'",
        ),
    ],
)
def test_rows_that_cannot_be_used_are_named(tmp_path, grader, line, why):
    file = tmp_path / "answers.jsonl"
    file.write_text(json.dumps(row(0)) + "\n" + line + "\n")
    with pytest.raises(RunError, match=why):
        import_responses(file, grader, out=tmp_path / "out", fields=ResponseFields(label="label"))
    assert not (tmp_path / "out").exists()


def test_ids_that_the_data_set_lacks_are_named(write, grader):
    with pytest.raises(RunError, match=r"line 1: id 'p0' is not in .*data.jsonl"):
        import_responses(write(row(0)), grader, join=DatasetJoin(write(MATHNET, name="data.jsonl")))
    with pytest.raises(RunError, match=r"name the results_\*.json"):
        import_responses(write(row(0), name="samples_gsm8k.jsonl"), grader)
    with pytest.raises(RunError, match="has no rows"):
        import_responses(write(), grader)


def test_the_command_imports_packed_files(write, tmp_path):
    rows = [row(0, model="one", label="yes"), row(1, model="one", response=None, label="none")]
    packed = tmp_path / "answers.jsonl.gz"
    packed.write_bytes(gzip.compress(write(*rows).read_bytes()))
    command = ["regrade", str(packed), "--out", str(tmp_path / "out"), "--task", "sums"]
    said = CliRunner().invoke(app, [*command, "--label-field", "label", "--workers", "1"])
    assert said.exit_code == 0, said.output
    assert "one: 1 not scored: no response" in said.output and "by label" in said.output
    assert runs.load(tmp_path / "out").units() == ["sums"]
    said = CliRunner().invoke(app, [*command, "--label-field", "id"])
    assert said.exit_code == 1 and "line 1: 'id' is 'p0'" in said.output
