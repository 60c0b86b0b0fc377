"""Parquet, several files and a Ray cluster give what one JSON-lines file on one machine gives."""

import datetime
import json
import time

import pandas
import pyarrow.parquet as parquet
import pytest

from lm_eval_ext.cluster import joined
from lm_eval_ext.errors import DataError, UserError
from lm_eval_ext.grading import Grader, GraderConfig
from lm_eval_ext.grading.files import grade_file
from lm_eval_ext.grading.ray_grader import RayGrader

pytestmark = pytest.mark.unit

DAY = datetime.date(2026, 1, 2)


@pytest.fixture(scope="module")
def grader():
    with Grader(GraderConfig(workers=1)) as grader:
        yield grader


def rows(start, end):
    """Rows of every outcome, with columns that JSON does not have."""
    answers = ["$\\frac{%d}{2}$", "%d.5", "I do not know: %d", "x^{%d"]
    return [
        {
            "id": i,
            "response": f"Final answer: {answers[i % 4] % i}",
            "gold": f"{i}/2",
            "day": DAY,
            "tags": ["é"],
        }
        for i in range(start, end)
    ]


def write(folder, *ranges):
    """A Parquet file for each range, and one JSON-lines file for all."""
    files = []
    for number, (start, end) in enumerate(ranges):
        pandas.DataFrame(rows(start, end)).to_parquet(folder / f"{number}.parquet")
        files.append(folder / f"{number}.parquet")
    every = [row for start, end in ranges for row in rows(start, end)]
    lines = (json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in every)
    (folder / "all.jsonl").write_text("".join(lines), "utf-8")
    return files, folder / "all.jsonl"


def test_files_of_both_kinds_give_the_same_lines(tmp_path, grader):
    files, lines = write(tmp_path, (0, 7), (7, 20))
    one = grade_file(lines, tmp_path / "one.jsonl", grader)
    many = grade_file(files, tmp_path / "many.jsonl", grader)
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "many.jsonl").read_bytes()
    assert one.outcomes == many.outcomes and len(one.outcomes) > 1


def test_parquet_out_keeps_numbers_and_dates(tmp_path, grader):
    files, _ = write(tmp_path, (0, 5), (5, 9))
    grade_file(files, tmp_path / "graded.parquet", grader)
    table = parquet.read_table(tmp_path / "graded.parquet")
    assert table.column_names[-4:] == ["correct", "layer", "answer", "reason"]
    assert table["id"].to_pylist() == list(range(9)) and table["tags"].to_pylist() == [["é"]] * 9
    assert [day.date() for day in table["day"].to_pylist()] == [DAY] * 9 and table["correct"].to_pylist()[
        :2
    ] == [True, False]
    said = []
    grade_file(files, tmp_path / "graded.parquet", grader, say=said.append)
    assert said and "is complete" in said[0]


def test_a_row_that_cannot_be_graded_is_named_by_file_and_number(tmp_path, grader):
    pandas.DataFrame([{"response": "1", "gold": "1"}, {"response": None, "gold": "1"}]).to_parquet(
        tmp_path / "a.parquet"
    )
    with pytest.raises(DataError, match=r"a.parquet, row 2: 'response' must be text"):
        grade_file(tmp_path / "a.parquet", tmp_path / "out.jsonl", grader)
    (tmp_path / "b.parquet").write_text("no table")
    with pytest.raises(DataError, match=r"b.parquet is not a Parquet file"):
        grade_file(tmp_path / "b.parquet", tmp_path / "other.jsonl", grader)


def test_a_judge_stays_on_one_machine():
    class Judge:
        def judge(self, items, verdicts):
            return list(verdicts)

    with pytest.raises(UserError, match="--on ray with --judge"):
        RayGrader(None, GraderConfig(judge=Judge()))


@pytest.mark.full
def test_a_cluster_that_loses_a_node_gives_the_same_lines(tmp_path, grader):
    from ray.cluster_utils import Cluster

    _, lines = write(tmp_path, (0, 6000))
    grade_file(lines, tmp_path / "one.jsonl", grader)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        lost = cluster.add_node(num_cpus=1)
        with joined(cluster.address) as ray:
            assert ray.cluster_resources()["CPU"] == 2
            began = time.monotonic()

            def say(text):
                raise AssertionError(text)

            on_ray = RayGrader(ray, GraderConfig(workers=1))
            stream = on_ray.stream

            def stream_and_kill(items, *, size):
                for number, verdict in enumerate(stream(items, size=size)):
                    if number == 500:
                        cluster.remove_node(lost, allow_graceful=False)
                    yield verdict

            on_ray.stream = stream_and_kill
            grade_file(lines, tmp_path / "cluster.jsonl", on_ray, say=say)
            assert time.monotonic() - began < 300
    finally:
        cluster.shutdown()
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "cluster.jsonl").read_bytes()
