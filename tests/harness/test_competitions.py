"""The competition benchmarks: documents from rows of every shape, golds, whole runs with known answers."""

import json

import pytest
from lm_eval.tasks import TaskManager

from lm_eval_ext.grading import Grader, Item, grade_one
from lm_eval_ext.harness.docs import competitions
from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.shipped import tasks_path
from lm_eval_ext.harness.sources import SAMPLE
from tests.conftest import lm_eval, samples
from tests.scripted_server import serving

REAL = ("aime_2024", "amc_2023", "minerva_ocw", "olympiadbench")
"""The benchmarks of the data folder."""
ROWS = {"aime_2024": 30, "amc_2023": 40, "minerva_ocw": 272, "olympiadbench": 675}


def docs(benchmark, data=SAMPLE):
    return list(competitions.dataset(benchmark, data=str(data))["test"])


@pytest.fixture(scope="module")
def real(real_data):
    """The data folder; tests that need benchmarks which it lacks are skipped."""
    lacking = [n for n in REAL if not (real_data / competitions.BENCHMARKS[n].folder).is_dir()]
    if lacking:
        pytest.skip(f"{real_data} lacks {', '.join(lacking)}")
    return real_data


@pytest.mark.unit
def test_the_group_has_a_task_for_every_benchmark():
    manager = TaskManager(include_path=str(tasks_path()), include_defaults=False, metadata={"data": SAMPLE})
    tasks = manager.load(["competitions"])["tasks"]
    assert set(tasks) == set(competitions.BENCHMARKS)
    for name, task in tasks.items():
        assert [doc["problem"] for doc in task.eval_docs] == [doc["problem"] for doc in docs(name)]
        assert task.config.num_fewshot in (None, 0) and task.config.generation_kwargs["max_gen_toks"] == 16384
        prompt = task.fewshot_context(task.eval_docs[0], 0)
        assert r"\boxed{}" in prompt and task.eval_docs[0]["problem"] in prompt


@pytest.mark.unit
@pytest.mark.parametrize(
    "path", sorted((tasks_path() / "competitions").glob("*_*.yaml")), ids=lambda p: p.stem
)
def test_a_task_says_where_its_problems_come_from(path):
    text = path.read_text()
    assert path.stem in competitions.BENCHMARKS and competitions.BENCHMARKS[path.stem].path in text
    assert all(f"# {part}: " in text for part in ("Licence", "Columns", "Leaderboard"))


@pytest.mark.unit
@pytest.mark.parametrize(
    "row, gold",
    [
        ({"answer": 27.0}, "27"),
        ({"answer": 6.6}, "6.6"),
        ({"answer": 70}, "70"),
        ({"answer": "025", "solution": r"\boxed{7}"}, "025"),
        ({"final_answer": ["2", "3"], "solution": ["..."]}, "2, 3"),
        ({"solution": r"It is $\boxed{1.6} \mathrm{~cm}$."}, "1.6"),
    ],
    ids=str,
)
def test_golds_are_read_as_they_are(row, gold):
    assert competitions.to_doc({"problem": "p", **row}, "own")["gold"] == gold


@pytest.mark.unit
def test_documents_keep_what_scores_are_broken_down_by():
    doc = docs("omni_math")[3]
    assert (doc["difficulty"], doc["level"], doc["topic"]) == (5.25, 5, ["Algebra"])
    assert docs("minerva_ocw")[0]["subject"].startswith("Introduction to Astronomy")
    olympiad = docs("olympiadbench")
    assert {doc["unit"] for doc in olympiad} == {None, "km/h", "$cm^3$"}
    assert [doc["error"] for doc in olympiad if doc["error"]] == ["1e-1"]


@pytest.mark.unit
def test_one_level_of_a_benchmark():
    assert len(competitions.dataset("omni_math", level="5", data=SAMPLE)["test"]) == 1
    with pytest.raises(DataError, match=r"no problems of level 2; its levels are \[1, 3, 4, 5, 6, 8\]"):
        competitions.dataset("omni_math", level=2, data=SAMPLE)


@pytest.mark.unit
def test_a_context_stands_before_its_question():
    row = {"context": "Let $n=3$.", "question": "Find $n$.", "final_answer": ["3"]}
    assert competitions.to_doc(row, "olympiadbench")["problem"] == "Let $n=3$.\nFind $n$."


@pytest.mark.unit
@pytest.mark.parametrize(
    "row, why",
    [
        (
            {"problem": "p", "reply": 3},
            r"no column answer or final_answer or solution; .*\['problem', 'reply'\]",
        ),
        ({"text": "p", "answer": 3}, r"no column problem or question; the row has \['answer', 'text'\]"),
        ({"problem": "p", "answer": None}, "the gold is empty"),
        ({"problem": "p", "answer": float("nan")}, "the gold is no number: nan"),
        ({"problem": "p", "answer": []}, "the gold is empty"),
        ({"problem": "p", "solution": "It is 3."}, "without a boxed answer"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_before_generation(tmp_path, row, why):
    (tmp_path / "brumo_2025").mkdir()
    file = tmp_path / "brumo_2025" / "train.jsonl"
    file.write_text(json.dumps(row) + "\n")
    with pytest.raises(DataError, match=f"^{file}, line 1: .*{why}"):
        docs("brumo_2025", tmp_path)


def not_equal_to_themselves(found):
    """Golds that are no answer equal to themselves, in a box and announced."""
    said = [(form % doc["gold"], doc) for doc in found for form in (r"$\boxed{%s}$", "Final answer: %s")]
    with Grader() as grader:
        verdicts = grader.grade([Item(text, doc["gold"], doc["problem"]) for text, doc in said])
    return [text for (text, _), verdict in zip(said, verdicts, strict=True) if not verdict.correct]


@pytest.mark.unit
def test_every_packaged_gold_equals_itself():
    assert not_equal_to_themselves([doc for name in competitions.BENCHMARKS for doc in docs(name)]) == []


@pytest.mark.unit
@pytest.mark.parametrize("benchmark", REAL)
def test_every_real_gold_equals_itself(real, benchmark):
    found = docs(benchmark, real)
    assert len(found) == ROWS[benchmark]
    assert not_equal_to_themselves(found) == []


@pytest.mark.unit
def test_leading_zeros_and_units_outside_the_gold_are_accepted(real):
    assert all(
        grade_one(rf"\boxed{{{int(doc['gold'])}}}", doc["gold"]).correct for doc in docs("aime_2024", real)
    )
    timed = next(doc for doc in docs("olympiadbench", real) if doc["unit"] == "minute")
    assert grade_one(rf"\boxed{{{timed['gold']}\text{{ minutes}}}}", timed["gold"]).correct


def run_scripted(out, data, names, shift):
    """The results if each problem gets the gold of the problem `shift` places further on, in a box."""
    answers = {}
    for name in names:
        found = docs(name, data)
        for doc, other in zip(found, found[shift:] + found[:shift], strict=True):
            answers[doc["problem"]] = rf"So the answer is $\boxed{{{other['gold']}}}$."
    with serving(
        lambda prompt: answers[prompt.split("Problem: ", 1)[1].removesuffix("\n\nSolution:")]
    ) as url:
        run = lm_eval(
            *("run", "--model", "local-chat-completions", "--apply_chat_template"),
            *("--model_args", f"model=scripted,base_url={url},num_concurrent=8,tokenized_requests=False"),
            *("--tasks", ",".join(names), "--log_samples", "--output_path", out),
            program="lm-eval-ext",
            data=data,
        )
    return run.results(out)["results"]


@pytest.mark.full
@pytest.mark.model
def test_answers_that_are_the_golds_score_everything(tmp_path, real):
    rest = [name for name in competitions.BENCHMARKS if name not in REAL]
    results = run_scripted(tmp_path / "real", real, REAL, 0) | run_scripted(
        tmp_path / "rest", SAMPLE, rest, 0
    )
    assert {results[name]["accuracy,grade_math"] for name in competitions.BENCHMARKS} == {1.0}
    assert {name: len(samples(tmp_path / "real", name)) for name in REAL} == ROWS


@pytest.mark.full
@pytest.mark.model
def test_golds_of_the_next_problem_score_only_by_chance(tmp_path, real):
    results = run_scripted(tmp_path, real, REAL, 1)
    for name in REAL:
        found = docs(name, real)
        same = sum(a["gold"] == b["gold"] for a, b in zip(found, found[1:] + found[:1], strict=True))
        right = [row for row in samples(tmp_path, name) if row["accuracy"]]
        assert results[name]["accuracy,grade_math"] == pytest.approx(len(right) / len(found))
        assert same <= len(right) <= same + 1, (name, same, [row["target"] for row in right])
