"""Problems of one's own: `run --data` and `new-task`."""

import csv
import json

import pytest
from lm_eval.evaluator import simple_evaluate
from lm_eval.models.dummy import DummyLM
from lm_eval.tasks import TaskManager
from typer.testing import CliRunner

from lm_eval_ext.cli import app
from lm_eval_ext.errors import DataError
from lm_eval_ext.harness import own_task, sources
from lm_eval_ext.harness.docs import own
from lm_eval_ext.harness.errors import UserError

pytestmark = pytest.mark.unit

ROWS = [
    {"question": 'Add "2", 3\nand 0', "answer": 5.0, "source": "a"},
    {"question": "Solve $x^2 = 4$.", "answer": [-2, "2"], "source": 7},
    {"question": "What is $1/2 + 1/3$?", "answer": r"So it is $\boxed{\frac56}$.", "source": None},
]
NAMES = {"problem_field": "question", "gold_field": "answer"}


def write(path, rows=ROWS):
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".parquet":
        import pandas

        pandas.DataFrame(rows).astype(str).to_parquet(path)
    else:
        with path.open("w", newline="") as lines:
            writer = csv.DictWriter(lines, [*rows[0]], delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    return str(path)


def test_golds_are_read_as_they_are(tmp_path):
    docs = own.dataset(write(tmp_path / "p.jsonl"), **NAMES)["test"]
    assert docs["gold"] == [["5"], ["-2", "2"], [r"\frac56"]]
    assert docs["problem"][0] == 'Add "2", 3\nand 0' and docs["source"][:2] == ['"a"', "7"]


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet"])
def test_tables_hold_text(tmp_path, kind):
    rows = [ROWS[0], {**ROWS[2], "source": ""}]
    docs = own.dataset(write(tmp_path / f"p.{kind}", rows), **NAMES)["test"]
    assert docs["gold"] == ["5.0", r"\frac56"]
    assert docs["problem"][0] == 'Add "2", 3\nand 0'


@pytest.mark.parametrize(
    "rows, names, why",
    [
        (ROWS, {}, r"p.jsonl, line 1: no column problem; the row has \['answer', 'question', 'source'\]"),
        (ROWS, {**NAMES, "gold_field": "anser"}, r"line 1: no column anser; the row has .*'answer'"),
        ([{"question": "", "answer": "1"}], NAMES, "line 1: question must be text, got ''"),
        ([ROWS[0], {"question": "q", "answer": None}], NAMES, "line 2: column answer: the gold is empty"),
        ([], NAMES, "has no rows"),
    ],
)
def test_rows_that_cannot_be_used_are_named(tmp_path, rows, names, why):
    with pytest.raises(DataError, match=why):
        own.dataset(write(tmp_path / "p.jsonl", rows), **names)


@pytest.mark.parametrize(
    "text, why",
    [
        ("a,b\n1\n", "line 2: not 2 values"),
        ("a,b\n1,2,3\n", "not 2 values"),
        ('a\n"1', "not a table in UTF-8"),
    ],
)
def test_a_table_with_broken_lines(tmp_path, text, why):
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(DataError, match=why):
        own.dataset(str(tmp_path / "p.csv"), "a", "b")


@pytest.mark.parametrize(
    "changed, why",
    [
        ({"prompt": "Q: {{questio}}"}, "--prompt asks for questio; .*question, answer"),
        ({"prompt": "Solve it."}, "--prompt asks for no column"),
        ({"prompt": "{{problem"}, "not a Jinja template"),
        ({"extract": "box"}, "--extract box: it must be one of .*boxed"),
        ({"name": "a/b"}, "letters, digits"),
    ],
)
def test_settings_that_cannot_work(tmp_path, changed, why):
    given = {"name": "own", "data": write(tmp_path / "p.jsonl"), **NAMES, **changed}
    with pytest.raises(UserError, match=why):
        own_task.OwnTask(**given).yaml()


class Scripted(DummyLM):
    tokenizer_name = "scripted"

    def generate_until(self, requests, disable_tqdm=False):
        return [r"\boxed{5}" if request.doc_id == 0 else "The answer is 2." for request in requests]


def test_a_task_file_written_for_keeps(tmp_path):
    data = write(tmp_path / "p.jsonl")
    made = ["new-task", "lecture", "--data", data, "--problem-field", "question", "--gold-field", "answer"]
    done = CliRunner().invoke(app, [*made, "--prompt", "Q: {{problem}} ({{source}})", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    first, *lines = (tmp_path / "lecture.yaml").read_text().splitlines()
    assert first.startswith("# source is a path on this machine") and len(lines) <= 12
    manager = TaskManager(include_path=str(tmp_path), include_defaults=False)
    found = simple_evaluate(
        Scripted(), tasks=["lecture"], task_manager=manager, bootstrap_iters=0, log_samples=True
    )
    assert found["results"]["lecture"]["accuracy,grade_math"] == pytest.approx(2 / 3)
    assert found["samples"]["lecture"][0]["arguments"][0][0] == 'Q: Add "2", 3\nand 0 ("a")'
    again = CliRunner().invoke(app, [*made, "--out", str(tmp_path)])
    assert again.exit_code != 0 and "exists; remove it" in again.output


def test_run_with_data_evaluates_that_task_and_no_other(tmp_path):
    task = own_task.OwnTask("own", write(tmp_path / "p.jsonl"), **NAMES)
    arguments = own_task.with_own_task(["--model", "m"], task, tmp_path / "task")
    assert arguments == ["--model", "m", "--tasks", str(tmp_path / "task" / "own.yaml")]
    with pytest.raises(UserError, match="--data with --tasks=mathnet"):
        own_task.with_own_task(["--tasks=mathnet"], task, tmp_path)


@pytest.mark.parametrize("key", ["doc_to_text", "doc_to_target"])
def test_a_column_that_the_documents_lack(tmp_path, key):
    own_task.write(own_task.OwnTask("own", write(tmp_path / "p.jsonl"), **NAMES), tmp_path)
    text = (tmp_path / "own.yaml").read_text().splitlines()
    lines = [f"{key}: anser" if line.startswith(key) else line for line in text]
    (tmp_path / "own.yaml").write_text("\n".join(lines))
    with pytest.raises(UserError, match=rf"own: {key} names the column 'anser'; the documents have"):
        TaskManager(include_path=str(tmp_path), include_defaults=False).load(["own"])


def test_data_may_be_remote(tmp_path, monkeypatch):
    fsspec = pytest.importorskip("fsspec")
    monkeypatch.setenv("LM_EVAL_EXT_CACHE", str(tmp_path / "cache"))
    store = fsspec.filesystem("memory")
    store.pipe("/problems/p.csv", b"question,answer\nWhat is 2+3?,5\n")
    docs = own.dataset("memory://problems/p.csv", **NAMES)["test"]
    assert docs["gold"] == ["5"]
    text = own_task.OwnTask("own", "memory://problems/p.csv", **NAMES).yaml()
    assert '"source": "memory://problems/p.csv"' in text and "#" not in text
    store.pipe("/folder/gsm8k/test.jsonl", b'{"question": "q", "answer": "a #### 4"}\n')
    rows = sources.load(sources.HubDataset("gsm8k", "openai/gsm8k"), ("test",), "memory://folder")
    assert [row["answer"] for row in rows] == ["a #### 4"]
    with pytest.raises(DataError, match=r"memory://nowhere\.csv"):
        own.dataset("memory://nowhere.csv", **NAMES)
