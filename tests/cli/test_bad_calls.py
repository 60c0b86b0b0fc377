"""What users get wrong, command by command: one line that says what was received, and no traceback."""

import json
import os
import re

import pytest
from typer.testing import CliRunner

from lm_eval_ext.cli import app
from tests.analysis.logged import STAMP, write_run

pytestmark = pytest.mark.unit

ROW = {"response": "Final answer: 1", "gold": "1"}


def changed(folder, **fields):
    """A run whose second sample has other fields; None takes one out."""
    write_run(folder, [True, False])
    file = folder / f"samples_mathnet_{STAMP}.jsonl"
    first, second = file.read_text().splitlines()
    row = {**json.loads(second), **fields}
    kept = {name: value for name, value in row.items() if value is not None}
    file.write_text(f"{first}\n{json.dumps(kept)}\n")


def results(folder, **fields):
    """A run whose results file has other fields."""
    file = write_run(folder, [True, False])
    file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))


def written(file, data):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data if isinstance(data, bytes) else data.encode())


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with one good run and one good file, and many that are not."""
    root = tmp_path_factory.mktemp("bad")
    written(root / "good.jsonl", json.dumps(ROW) + "\n")
    written(root / "empty.jsonl", "")
    written(root / "blank.jsonl", "\n \n")
    written(root / "binary.jsonl", bytes(range(256)) * 4)
    written(root / "latin.jsonl", '{"response": "é", "gold": "1"}'.encode("latin-1"))
    written(root / "utf16.jsonl", json.dumps(ROW).encode("utf-16"))
    written(root / "packed.jsonl.gz", b"not gzip")
    written(root / "sample.jsonl", json.dumps({"doc": {}, "resps": [["x"]], "target": "1"}) + "\n")
    written(root / "file", "text")
    written(root / "number.yaml", "models: 7\n")
    written(root / "plan.yaml", "models: [a/b]\ntasks: [arith_words]\n")
    written(root / "table.csv", "q,a\n1,2\n")
    (root / "folder").mkdir()
    (root / "begun" / "store").mkdir(parents=True)
    (root / "secret.jsonl").symlink_to(root / "nowhere")
    write_run(root / "run", [True, False])
    changed(root / "text_doc", doc="a problem")
    changed(root / "text_metric", accuracy="high")
    changed(root / "no_hash", doc_hash=None)
    changed(root / "number_resps", resps=7)
    changed(root / "text_id", doc_id="seven")
    changed(root / "list_metrics", metrics="accuracy")
    for name, start in {"latin_samples": "é".encode("latin-1"), "deep_samples": b"[" * 100_000}.items():
        write_run(root / name, [True])
        written(root / name / f"samples_mathnet_{STAMP}.jsonl", start)
    results(root / "no_tasks", results={}, configs={})
    results(root / "list_results", results=[], configs=[])
    results(root / "text_config", config="vllm")
    results(root / "number_task", configs={"mathnet": 7}, results={"mathnet": 0.5})
    written(root / "array" / "results_x.json", "[1]")
    written(root / "binary_results" / "results_x.json", bytes(range(256)))
    written(root / "other_json" / "results_x.json", '{"a": 1}')
    written(root / "baselines" / "bad.json", '{"name": 1}')
    written(root / "baselines_binary" / "bad.json", bytes(range(256)))
    (root / "no_samples").mkdir()
    (root / "run" / f"results_{STAMP}.json").read_bytes()
    written(root / "no_samples" / "results_1.json", (root / "run" / f"results_{STAMP}.json").read_bytes())
    before = os.getcwd()
    os.chdir(root)
    yield root
    os.chdir(before)


LOGGED = {
    "text_doc": "row 2 is no sample of lm-eval: doc: Input should be a valid dictionary",
    "text_metric": "row 2 is no sample of lm-eval: the metric accuracy is 'high', which is no number",
    "no_hash": "row 2 is no sample of lm-eval: it has no doc_hash",
    "number_resps": "resps: Input should be a valid list, received '7'",
    "text_id": "doc_id: Input should be a valid integer, received 'seven'",
    "list_metrics": "metrics: Input should be a valid list",
    "latin_samples": "line 1 is not a JSON object in UTF-8",
    "deep_samples": "line 1 is not a JSON object in UTF-8",
    "no_tasks": "has the results of no task",
    "list_results": "is no results file of lm-eval",
    "text_config": "is no results file of lm-eval",
    "number_task": "is no results file of lm-eval",
    "array": "is no results file of lm-eval",
    "other_json": "it has no results and no configs",
    "binary_results": "cannot be read as JSON",
    "no_samples": "is missing beside results_1.json",
    "folder": "no results_*.json in folder: evaluate with lm-eval-ext run --resume folder ...",
    "begun": "in begun: it is not finished, and goes on with lm-eval-ext run --resume begun ...",
    "nowhere": "no such file or folder: nowhere",
    "file": "cannot be read as JSON",
}
READERS = {
    "compare": lambda place: ["compare", f"a={place}", "b=run"],
    "regrade": lambda place: ["regrade", place],
    "report": lambda place: ["report", place, "--out", "pages"],
    "check-baseline": lambda place: ["check-baseline", place, "--folder", "baselines"],
}
CALLS = {
    "grade empty.jsonl": "empty.jsonl has no rows: nothing to grade",
    "grade blank.jsonl --out o.jsonl": "blank.jsonl has no rows: nothing to grade",
    "grade nowhere.jsonl": "nowhere.jsonl: No such file or directory; name one that exists",
    "grade god.jsonl": "god.jsonl: No such file or directory; close to it: good.jsonl",
    "grade secret.jsonl": "secret.jsonl: No such file or directory",
    "grade folder": "folder: Is a directory",
    "grade binary.jsonl": "binary.jsonl, line 1 is not a JSON object",
    "grade latin.jsonl": "latin.jsonl, line 1 is not a JSON object",
    "grade utf16.jsonl": "utf16.jsonl, line 1 is not a JSON object",
    "grade packed.jsonl.gz": "packed.jsonl.gz cannot be decompressed",
    "grade sample.jsonl": "to grade its run: lm-eval-ext regrade FOLDER",
    "grade good.jsonl --out folder": "folder is a folder; --out must name a file",
    "grade good.jsonl --out good.jsonl": "good.jsonl is the input",
    "grade good.jsonl --out file/x.jsonl": "file",
    "grade good.jsonl --gold-field answer": "--gold-field is 'answer', which grading writes",
    "grade good.jsonl --gold-field ref": "has no field 'ref', only 'response, gold'",
    "grade good.jsonl --timeout inf": "--timeout",
    "grade good.jsonl --timeout nan": "--timeout",
    "grade good.jsonl --workers 0": "--workers",
    "grade good.jsonl --judge m --judge-base-url localhost:8000": "base_url: String should match",
    "grade good.jsonl --judge m --judge-base-url http://h --judge-timeout inf": "timeout_s: ",
    "grade good.jsonl --judge m --judge-base-url http://h --judge-budget-usd nan": "--judge-budget-usd",
    "grade good.jsonl --judge m --judge-api-key-env sk-test-1": "is the name of an environment variable, not",
    "grade good.jsonl --judge m --judge-base-url http://h --judge-asks all": "asks: Input should be",
    "explain 1 1 --timeout inf": "--timeout",
    "explain 1 1 --timeout nan": "--timeout",
    "regrade run --timeout inf": "--timeout",
    "regrade run --extract nonsense": "extract is 'nonsense'",
    "regrade run --gold-field nonsense": "no field 'nonsense' in the document",
    "regrade run --old-metric nonsense": "has no metric nonsense",
    "regrade run --out file": "is a file",
    "regrade run --out run": "--out must be another folder",
    "regrade empty.jsonl": "empty.jsonl has no rows",
    "regrade binary.jsonl": "binary.jsonl, line 1 is not a JSON object",
    "regrade packed.jsonl.gz": "packed.jsonl.gz",
    "regrade sample.jsonl": "sample.jsonl, line 1",
    "regrade good.jsonl --join nowhere.jsonl": "nowhere.jsonl: No such file or directory",
    "regrade good.jsonl --join folder": "folder: Is a directory",
    "compare run": "compare needs at least two runs",
    "compare a=run b=run --metric nonsense": "has no metric nonsense",
    "compare a=run b=run --filter nonsense": "has no filter nonsense",
    "compare a=run b=run --pair-on nonsense": "nonsense",
    "compare a=run b=run --by nonsense": "no document has nonsense",
    "compare a=run b=run --cluster nonsense": "nonsense",
    "compare a=run b=run --noise nowhere": "no such file or folder: nowhere",
    "compare a=run b=run --out file": "is a file",
    "compare a=run b=run --min-group 0": "--min-group",
    "report": "give at least one run",
    "report run --out file": "is a file",
    "view run --no-open --port 70000": "--port",
    "report run --budgets 0": "--budgets 0: must be positive integers",
    "report run --metric nonsense --out pages": "has no metric nonsense",
    "report run --response-chars 1": "--response-chars",
    "report --audit-labels file --out pages": "--audit-labels and --audit-key go together",
    "report --audit-labels binary.jsonl --audit-key file --out pages": "file is no key of an audit",
    "report --audit-labels file --audit-key folder --out pages": "folder is no key of an audit",
    "check-baseline": "give the results of a run",
    "check-baseline run --folder baselines": "bad.json is no baseline: name: ",
    "check-baseline run --folder baselines_binary": "bad.json is no baseline",
    "check-baseline run --folder folder": "no baselines (*.json) in folder",
    "check-baseline run --folder file": "is a file",
    "check-baseline run --baseline nonsense": "no baseline nonsense in",
    "check-baseline run --alpha nan": "alpha",
    "check-baseline --list --folder folder": "no baselines (*.json) in folder",
    "batch plna.yaml": "plna.yaml: No such file or directory; close to it: plan.yaml",
    "batch number.yaml": "number.yaml: models: Input should be a valid list, received '7'",
    "batch array/results_x.json": "holds a list; a plan has models, tasks",
    "batch binary.jsonl": "not UTF-8 text",
    "batch plan.yaml --only nonsense": "--only nonsense: no such model or evaluation",
    "batch plan.yaml --on moon": "'moon' is not one of 'local', 'ray'",
    "new-task x --data nowhere.csv": "nowhere.csv: no such file; name a .jsonl, .parquet, .csv, .tsv file",
    "new-task x --data table.csv": "line 2: no column problem; the row has ['a', 'q']; name yours with",
    "new-task x --data empty.jsonl": "empty.jsonl has no rows",
    "new-task ../x --data table.csv --problem-field q --gold-field a": "digits, _ and -; got '../x'",
    "serve --port 99999": "--port",
    "view nowhere": "nowhere is no folder",
    "view file": "file is no folder",
    "--nonsense": "No such option: --nonsense",
    "grade": "Missing argument 'FILE'\nhelp: ",
    "compare a=run b=run --min-group few": "unable to parse string as an integer, received 'few'",
    "tasks-path x": "unexpected extra argument",
    "train nonsense": "No such command 'nonsense'",
    "train preflight": "Missing option '--config'",
    "train data bild": "No such command 'bild'. Did you mean 'build'?",
    "run --nonsense 1": "unrecognized arguments: --nonsense 1",
    "run --model hf --limit few": "argument --limit/-L: ",
    "doctor --model nowhere/at-all": "model nowhere/at-all: ",
    "nonsense": "No such command 'nonsense'",
    "evaluate": "Did you mean 'run'?",
    "run --model hf --model_args M": "the model --model_args pretrained=M",
}
CASES = {" ".join(make(name)): why for make in READERS.values() for name, why in LOGGED.items()} | CALLS


BAR = re.compile(r"%\||\[\d\d:\d\d")


@pytest.mark.parametrize("call", CASES)
def test_a_bad_call_is_one_line_and_a_wrong_usage_two(place, call):
    if "--model nowhere" in call:
        pytest.importorskip("transformers")
    if call.startswith("check-baseline") and call.endswith("--folder baselines") and " run " not in call:
        call = call.replace("--folder baselines", "--tolerance")
    done = CliRunner().invoke(app, call.split(), env={"COLUMNS": "300"})
    why = CASES.get(call) or LOGGED[call.split()[1]]
    assert done.exit_code not in (0, None) and isinstance(done.exception, SystemExit), repr(done.exception)
    assert why in done.output and "Traceback" not in done.output
    said = [line for line in done.stderr.splitlines() if line.strip() and not BAR.search(line)]
    if said[-1].startswith("help: "):
        assert said.pop().endswith(" --help") and done.exit_code == 2
    assert said[0].startswith("Error: ") and (len(said) == 1 or "judge: 0 asked" in said[-1]), said
    assert not (place / "pages").exists() and not (place / "o.jsonl").exists()


def test_a_byte_order_mark_is_no_fault(place):
    write_run(place / "marked", [True, False])
    for file in (place / "marked").iterdir():
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert CliRunner().invoke(app, ["compare", "a=marked", "b=run"]).exit_code == 0


def test_a_traceback_can_be_had(place, monkeypatch):
    pytest.importorskip("transformers")
    monkeypatch.setenv("LM_EVAL_EXT_TRACEBACK", "1")
    assert isinstance(CliRunner().invoke(app, ["doctor", "--model", "nowhere/at-all"]).exception, ValueError)


@pytest.mark.parametrize("gold", ["-3", "-x+1", r"-\frac{1}{2}", "-1.5"])
def test_a_gold_may_begin_with_a_minus(gold):
    done = CliRunner().invoke(app, ["explain", f"Final answer: {gold}", gold])
    assert done.exit_code == 0 and '"correct": true' in done.output
