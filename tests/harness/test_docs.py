"""Documents: from rows of every data source to problem and gold."""

import json
from collections import Counter

import pytest
from datasets import Dataset
from lm_eval.tasks import TaskManager

from lm_eval_ext.grading import Grader, Item
from lm_eval_ext.harness.docs import arith_words, gsm8k, math, mathnet
from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.shipped import tasks_path
from lm_eval_ext.harness.sources import SAMPLE, HubDataset, load

pytestmark = pytest.mark.unit

THINGS = HubDataset("things", "org/things")


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def mathnet_row(i, **changes):
    row = {
        "id": f"x{i}",
        "country": "Here",
        "competition": f"Cup {i % 3}",
        "language": "English",
        "problem_markdown": f"Find {i}.",
        "final_answer": str(i),
        "topics_flat": ["Algebra > Integers"],
    }
    return {**row, **changes}


class TestSources:
    def test_jsonl_parquet_and_shards_are_read(self, tmp_path):
        write(tmp_path / "things" / "test.jsonl", [{"a": 1}])
        Dataset.from_list([{"a": 2}]).to_parquet(tmp_path / "things" / "train-00000-of-00001.parquet")
        write(tmp_path / "things" / "testing.jsonl", [{"a": 3}])
        assert load(THINGS, ("train", "test"), str(tmp_path)) == [{"a": 2}, {"a": 1}]

    def test_a_broken_line_is_named_by_number(self, tmp_path):
        path = write(tmp_path / "things" / "test.jsonl", [{"a": 1}])
        path.write_text(path.read_text() + "\n{broken\n")
        with pytest.raises(DataError, match=r"line 3.*broken"):
            load(THINGS, ("test",), str(tmp_path))

    def test_a_missing_file_says_what_was_looked_for_where(self, tmp_path):
        with pytest.raises(DataError, match=r"test.*things.*LM_EVAL_EXT_DATA"):
            load(THINGS, ("test",), str(tmp_path))

    def test_a_folder_that_does_not_exist_is_refused_by_every_task(self, monkeypatch):
        monkeypatch.setenv("LM_EVAL_EXT_DATA", "sampel")
        with pytest.raises(DataError, match=r"'sampel': no such folder: set LM_EVAL_EXT_DATA"):
            TaskManager(include_path=str(tasks_path()), include_defaults=False).load(["arith_words"])

    def test_without_a_hub_the_error_says_what_to_do(self, monkeypatch):
        monkeypatch.delenv("LM_EVAL_EXT_DATA", raising=False)
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        with pytest.raises(DataError, match="LM_EVAL_EXT_DATA=sample"):
            load(HubDataset("things", "lm-eval-ext/there-is-no-such-data-set"), ("test",))


class TestMathNet:
    def test_filters_and_columns_of_both_releases(self):
        assert mathnet.to_doc(mathnet_row(1))["gold"] == "1"
        old = {
            "unique_id": 7,
            "problem": "p",
            "answers_markdown": ["1", "2"],
            "language": "English",
            "topics_flat": "Geometry > Circles",
        }
        doc = mathnet.to_doc(old)
        assert (doc["id"], doc["gold"], doc["topic"]) == ("7", "1, 2", "Geometry")
        assert mathnet.to_doc(mathnet_row(1, final_answer=" ")) is None
        assert mathnet.to_doc(mathnet_row(1, images=["a.png"])) is None
        assert mathnet.to_doc(mathnet_row(1, final_answer=0))["gold"] == "0"
        with pytest.raises(DataError, match="final_answer or answers_markdown"):
            mathnet.to_doc({"id": "1", "problem": "p"})

    def test_a_size_holds_for_the_packaged_problems_too(self):
        assert len(mathnet.splits(SAMPLE, size=10)[0]) == 10
        assert len(mathnet.splits(SAMPLE)[0]) > 10
        with pytest.raises(DataError, match="size is 1000"):
            mathnet.splits(SAMPLE, size=1000)

    def test_errors_name_the_folder_that_the_environment_does(self, tmp_path, monkeypatch):
        write(tmp_path / "mathnet" / "train.jsonl", [mathnet_row(1)])
        monkeypatch.setenv("LM_EVAL_EXT_DATA", str(tmp_path))
        with pytest.raises(DataError, match=f"in the data \\({tmp_path}\\)"):
            mathnet.splits()

    def test_other_problems_need_a_size(self, tmp_path):
        write(tmp_path / "mathnet" / "train.jsonl", [mathnet_row(i) for i in range(30)])
        with pytest.raises(DataError, match="size"):
            mathnet.splits(str(tmp_path))
        evaluation, train = mathnet.splits(str(tmp_path), size=10)
        assert len(evaluation) == 10 and len(train) == 20
        assert Counter(doc["competition"] for doc in evaluation).most_common(1)[0][1] == 4
        assert mathnet.splits(str(tmp_path), size=10)[0] == evaluation

    def test_train_takes_other_languages_when_asked(self, tmp_path):
        rows = [mathnet_row(i, language="Spanish" if i > 19 else "English") for i in range(30)]
        write(tmp_path / "mathnet" / "train.jsonl", rows)
        assert len(mathnet.splits(str(tmp_path), size=5)[1]) == 15
        assert len(mathnet.splits(str(tmp_path), size=5, language=None)[1]) == 25

    def test_the_published_split_is_found_by_text_when_ids_differ(self, real_data):
        rows = [json.loads(line) for line in (real_data / "mathnet" / "eval.jsonl").read_text().splitlines()]
        renamed = [{**row, "id": str(i)} for i, row in enumerate(rows)]
        assert all(mathnet.is_published_eval(doc) for row in renamed if (doc := mathnet.to_doc(row)))
        assert len(mathnet.splits(str(real_data))[0]) == 500

    def test_every_gold_grades_itself(self, real_data):
        golds = [doc["gold"] for doc in mathnet.splits(str(real_data))[0]]
        with Grader() as grader:
            assert all(v.correct for v in grader.grade([Item(f"Final answer: {g}", g) for g in golds]))


class TestMath:
    def test_which_of_several_boxes_is_the_gold(self):
        both = r"so $a = \boxed{-1}$. Then $a = \boxed{2}$."
        assert math.gold_of("Enter all possible values, separated by commas.", both) == "-1, 2"
        assert math.gold_of("Find $a$.", both) == "2"
        also = r"It is $\boxed{-3}$. Note: $\boxed{3}$ is also accepted as an answer."
        assert math.gold_of("Find it.", also) == "-3"
        notation = r"Here $\boxed{11}=2$ and $\boxed{12}=6$. Therefore, $6$ is our answer."
        assert math.gold_of(r"Let $\boxed{n}$ be the number of divisors.", notation) == "$6$"
        with pytest.raises(DataError, match="boxed"):
            math.gold_of("Find it.", "It is 3.")

    def test_math500_answers_are_the_boxes_of_their_solutions(self, real_data):
        docs = math.math500_dataset(str(real_data))["test"]
        assert len(docs) == 500
        assert [d["gold"] for d in docs if math.gold_of(d["problem"], d["solution"]) != d["gold"]] == []

    def test_exemplars_are_found_by_hash_in_the_published_order(self, real_data):
        exemplars = math.qwen_exemplars(str(real_data))
        assert tuple(e["problem_sha256"][:12] for e in exemplars) == math.QWEN_EXEMPLARS
        assert exemplars[0]["cot"].startswith("Let's think step by step\n")
        assert exemplars[1]["cot"].endswith("\nThe answer is 63\\pi")

    def test_a_missing_exemplar_is_an_error(self, tmp_path):
        row = {"problem": "p", "level": "Level 1", "type": "Algebra", "solution": r"\boxed{1}"}
        write(tmp_path / "hendrycks_math" / "algebra" / "train.jsonl", [row])
        with pytest.raises(DataError, match=r"four exemplars.*e07c82cc8fe4"):
            math.qwen_exemplars(str(tmp_path))

    def test_a_broken_train_file_is_an_error_and_not_left_out(self, tmp_path):
        broken = tmp_path / "hendrycks_math" / "geometry" / "train.jsonl"
        write(broken, []).write_text("{broken")
        with pytest.raises(DataError, match=r"geometry.*line 1"):
            math.qwen_exemplars(str(tmp_path))

    def test_all_five_thousand_have_a_gold_that_grades_itself(self, real_data):
        docs = math.test_docs(math.SUBJECTS, str(real_data))
        assert len(docs) == 5000
        with Grader() as grader:
            verdicts = grader.grade([Item(rf"\boxed{{{d['gold']}}}", d["gold"]) for d in docs])
        assert [d["gold"] for d, v in zip(docs, verdicts, strict=True) if not v.correct] == []


@pytest.mark.parametrize(
    "file, rows, load",
    [
        ("mathnet/train.jsonl", [{"id": "1"}], mathnet.dataset),
        ("hendrycks_math/algebra/test.jsonl", [{"problem": "p", "solution": "no box"}],
         lambda data: math.test_docs(("algebra",), data)),
        ("math500/test.jsonl", [{"solution": "no problem"}], math.math500_dataset),
        ("gsm8k/test.jsonl", [{"question": "q", "answer": "24"}], gsm8k.dataset),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_named_by_file_and_line(tmp_path, file, rows, load):
    for name in ("gsm8k/train.jsonl", file):
        write(tmp_path / name, rows)
    with pytest.raises(DataError, match=f"^{tmp_path / file}, line 1: "):
        load(str(tmp_path))


class TestGsm8k:
    def test_a_row(self):
        doc = gsm8k.to_doc({"question": "q", "answer": "It is 48/2 = <<48/2=24>>24.\nDone.\n#### 1,024"})
        assert doc == {"problem": "q", "gold": "1024", "cot": "It is 48/2 = 24. Done. The answer is 1024."}
        with pytest.raises(DataError, match="####"):
            gsm8k.to_doc({"question": "q", "answer": "24"})


class TestArithWords:
    def test_splits_share_neither_templates_nor_numbers(self):
        splits = {split: arith_words.generate(split) for split in arith_words.SIZES}
        assert len(splits["test"]) >= 500
        for name, rows in splits.items():
            others = [row for other, rest in splits.items() if other != name for row in rest]
            assert not {r["template"] for r in rows} & {r["template"] for r in others}
            assert not {numbers(r) for r in rows} & {numbers(r) for r in others}
            assert len({r["problem"] for r in rows}) == len(rows)

    def test_the_same_seed_gives_the_same_problems(self):
        assert arith_words.generate("test", 20) == arith_words.generate("test", 20)
        assert arith_words.generate("test", 20, seed=1) != arith_words.generate("test", 20)

    def test_solutions_add_up(self):
        for row in arith_words.generate("train", 400):
            steps = row["solution"].removesuffix(f" The answer is {row['gold']}.").rstrip(".").split(". ")
            for step in steps:
                left, right = step.split(" = ")
                a, sign, b = left.split()
                assert (
                    {"+": int(a) + int(b), "-": int(a) - int(b), "*": int(a) * int(b)}[sign] == int(right) > 0
                )
            assert steps[-1].endswith(f"= {row['gold']}")

    def test_exemplars_are_four_single_steps_from_train(self):
        rows = arith_words.dataset()["fewshot"]
        assert [r["template"] for r in rows] == list(arith_words.EXEMPLARS)
        assert all(r["split"] == "train" and r["solution"].count("=") == 1 for r in rows)

    def test_an_unknown_split_is_an_error(self):
        with pytest.raises(ValueError, match="dev"):
            arith_words.generate("dev")


def numbers(row):
    """The numbers of a problem, in order of their variables."""
    return tuple(
        int(word) for word in row["problem"].replace(",", " ").replace(".", " ").split() if word.isdigit()
    )
