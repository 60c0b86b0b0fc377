import json

import pytest

from benchmarks import figures, measure, synthetic
from benchmarks.about import about
from benchmarks.child import Job
from benchmarks.data import VARIABLE, load
from benchmarks.grading import write_grading
from benchmarks.measure import data_set, our_name, run_child
from lm_eval_ext.grading import Grader, GraderConfig

pytestmark = pytest.mark.unit

MATHNET = [
    {"label": "yes", "response": "Six times two. Final answer: 12", "gold": "12"},
    {"label": "yes", "response": r"Final answer: $\boxed{\frac{6}{8}}$", "gold": "0.75"},
    {"label": "no", "response": "Final answer: 13", "gold": "12"},
    {"label": "unsure", "response": "Final answer: 12", "gold": "12"},
    {"label": "none", "response": "I do not know.", "gold": "5"},
    {"label": "yes", "response": "Final answer: 7", "gold": "8"},
]
MATH_COT = {
    "idx": 4,
    "answer": "2",
    "responses": [r"\boxed{2}", r"\boxed{3}"],
    "reference_correct": [True, False],
}


def folder_of(tmp_path, **sets):
    for name, lines in sets.items():
        (tmp_path / name).mkdir()
        text = "\n".join(json.dumps({"id": "0a", **line}) for line in lines)
        (tmp_path / name / "responses.jsonl").write_text(text)
    return tmp_path


def test_rows_have_their_truth(tmp_path):
    gsm8k = {"response": "A: 3", "gold": "3", "reference_correct": False}
    folder = folder_of(tmp_path, mathnet=MATHNET, math_cot_100=[MATH_COT], gsm8k=[gsm8k])
    assert [row.right for row in load("mathnet", folder, 0)] == [True, True, False, False, True]
    assert [(row.key, row.right) for row in load("math_cot_100", folder, 0)] == [
        ("problem 4, sample 0", True),
        ("problem 4, sample 1", False),
    ]
    assert [row.right for row in load("gsm8k", folder, 0)] == [False]
    sample = load("mathnet", folder, 3)
    assert sample == load("mathnet", folder, 3) and len(sample) == 3


def test_missing_data_says_where_it_looked(tmp_path):
    with pytest.raises(FileNotFoundError, match=rf"{tmp_path}.*{VARIABLE}"):
        load("gsm8k", tmp_path, 0)


def test_side_by_side_from_rows_to_pages(tmp_path):
    rows = load("mathnet", folder_of(tmp_path, mathnet=MATHNET), 0)
    broken = tmp_path / "packages" / "antlr4"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ModuleNotFoundError('no antlr4 here')")
    found = data_set(rows, 1, ["math-verify", "lm-eval minerva"], tmp_path / "packages")
    assert (found["n"], found["right"]) == (5, 3)
    for name in (our_name(1), "math-verify"):
        measured = found["graders"][name]
        assert (measured["accepted"], measured["wrongly_accepted"], measured["latency_n"]) == (2, 0, 5)
        assert (measured["recall"], measured["precision"], measured["accuracy"]) == (2 / 3, 1.0, 4 / 5)
        assert measured["items_per_s"] > measured["items_per_s_with_start"] and measured["peak_mb"] > 10
    assert found["graders"]["lm-eval minerva"]["failed"].startswith("not installed")
    assert [row["key"] for row in found["disagreements"]] == ["line 6 (0a)"]
    write_grading(tmp_path, about(), {"math_cot_100": found})
    page = (tmp_path / "grading.md").read_text()
    assert "| math-verify | 5 | 0.667 | 1.000 | 0.800 (0.376 to 0.964) | 0 | 0.000 | 0 |" in page
    assert "| lm-eval minerva | not installed (ModuleNotFoundError" in page
    assert (
        "| line 6 (0a) | `8` | `7` | right | wrong |"
        in (tmp_path / "math_cot_100_disagreements.md").read_text()
    )
    assert "disagreements" not in (tmp_path / "grading.json").read_text()


def test_a_crash_is_reported():
    result, _ = run_child(Job("no such grader", []))
    assert result == "crashed (exit code 1)"


def test_a_hang_is_ended_and_reported(monkeypatch):
    monkeypatch.setattr(measure, "LIMIT_S", 0.05)
    result, _ = run_child(Job("math-verify", []))
    assert result == "had not ended after 0.05 s"


def test_quality_by_hand():
    found = figures.quality([True, True, True, False, False], [True, None, False, True, None])
    assert (found["recall"], found["precision"], found["undecided"]) == (1 / 3, 1 / 2, 2 / 5)
    assert found["accuracy"] == 2 / 5  # the first, and the undecided one that is not right
    assert found["wrongly_accepted"] == 1
    assert figures.quality([False], [False])["precision"] is None
    low, high = figures.wilson(8, 10)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)


def test_latency_is_by_nearest_rank():
    found = figures.latency([float(ms) for ms in range(1, 201)])
    assert (found["p50_ms"], found["p99_ms"], found["max_ms"]) == (100, 198, 200)


def test_synthetic_pairs_are_as_described():
    made = list(synthetic.pairs(4000))
    assert made == list(synthetic.pairs(4000))
    distinct = [synthetic.distinct_pair(i) for i in range(2000)]
    assert len(set(distinct)) == 2000 and set(made) == set(distinct)
    assert sum(pair.right for pair in distinct) == 2000 * 7 // 10
    assert sum(pair.answer == pair.gold for pair in distinct) == 2000 * 2 // 5


def test_synthetic_truth_is_what_the_grader_finds():
    with Grader(GraderConfig(workers=2)) as grader:
        found = synthetic.run(grader, 200)
    assert found["outcomes"] == {"agreeing": 200, "wrong": 0, "undecided": 0}
    assert [tenth["done"] for tenth in found["tenths"]] == list(range(20, 201, 20))
    assert "| verdicts against the truth | 0.0000 (0) |" in synthetic.report(about(), found)
