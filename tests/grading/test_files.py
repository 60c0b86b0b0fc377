"""Files in, graded files out: complete or continuable, with errors that name the line."""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from lm_eval_ext.errors import DataError
from lm_eval_ext.grading import Grader, GraderConfig, Verdict
from lm_eval_ext.grading.files import grade_file
from lm_eval_ext.grading.rows import Fields
from lm_eval_ext.resume import ResumeError, locked
from tests.grading.test_stages import STAGES

pytestmark = pytest.mark.unit

COMMAND = [sys.executable, "-m", "lm_eval_ext.cli", "grade"]


@pytest.fixture(scope="module")
def grader():
    with Grader(GraderConfig(workers=2, stages=STAGES)) as grader:
        yield grader


@pytest.fixture
def folder(tmp_path):
    """A folder with `in.jsonl`: 50 rows, every third wrong."""
    write(tmp_path / "in.jsonl", rows(50))
    return tmp_path


def rows(number):
    return [
        {"id": i, "response": f"Final answer: {i} apples", "gold": f"{i + (i % 3 == 2)} quick", "é": [1.5]}
        for i in range(number)
    ]


def write(path, values):
    path.write_text("".join(json.dumps(value) + "\n" for value in values))


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def grade(folder, grader, **options):
    said = []
    tally = grade_file(folder / "in.jsonl", folder / "out.jsonl", grader, say=said.append, **options)
    return tally, said


def test_rows_keep_order_and_fields_and_get_a_verdict(folder, grader):
    tally, said = grade(folder, grader)
    graded = read(folder / "out.jsonl")
    assert [list(row) for row in graded] == [
        ["id", "response", "gold", "é", "correct", "layer", "answer", "reason"]
    ] * 50
    assert [{k: row[k] for k in ("id", "response", "gold", "é")} for row in graded] == rows(50)
    assert [row["correct"] for row in graded] == [i % 3 != 2 for i in range(50)]
    assert graded[7]["answer"] == "7 apples"
    assert (tally.outcomes["correct"], tally.outcomes["wrong"], said) == (34, 16, [])
    assert "correct 34 (68.0%)" in str(tally) and "symbolic 50 (100.0%)" in str(tally)
    assert not (folder / "out.jsonl.partial").exists()


def test_fields_stay_as_they_were_written(tmp_path, grader):
    line = (
        '{"n": 1.50, "big": 1e400, "s": "\\ud800 \\u00e9é", "response": "Final answer: 1", "gold": "1" } \r\n'
    )
    (tmp_path / "in.jsonl").write_text(line, newline="")
    grade(tmp_path, grader)
    assert (tmp_path / "out.jsonl").read_text().startswith(line.rstrip().removesuffix("}"))
    assert read(tmp_path / "out.jsonl")[0]["correct"] is True


def test_what_utf8_cannot_write_is_escaped(tmp_path, grader):
    write(tmp_path / "in.jsonl", [{"response": "Final answer: \ud800", "gold": "\ud800"}])
    grade(tmp_path, grader)
    assert read(tmp_path / "out.jsonl")[0]["answer"] == "\ud800"


def test_an_earlier_grading_is_replaced(tmp_path, grader):
    write(
        tmp_path / "in.jsonl", [{"correct": 1, "response": "Final answer: 1", "gold": "1", "answer": "old"}]
    )
    grade(tmp_path, grader)
    assert list(read(tmp_path / "out.jsonl")[0]) == [
        "response",
        "gold",
        "correct",
        "layer",
        "answer",
        "reason",
    ]
    assert read(tmp_path / "out.jsonl")[0]["answer"] == "1"


@pytest.mark.parametrize("gold, response", [(7, "7"), (-3, "-3"), (0.5, "0.5"), (1e22, "1" + "0" * 22)])
def test_a_gold_may_be_a_number(tmp_path, grader, gold, response):
    write(tmp_path / "in.jsonl", [{"response": f"Final answer: {response}", "gold": gold}])
    grade(tmp_path, grader)
    row = read(tmp_path / "out.jsonl")[0]
    assert row["correct"] is True and row["gold"] == gold


def test_a_packed_file_with_a_byte_order_mark_and_empty_lines(tmp_path, grader):
    text = "".join(json.dumps(row) + "\n\n" for row in rows(5))
    (tmp_path / "in.jsonl.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + text.encode()))
    grade_file(tmp_path / "in.jsonl.gz", tmp_path / "out.jsonl", grader)
    assert [row["id"] for row in read(tmp_path / "out.jsonl")] == list(range(5))


BROKEN = {
    "no JSON": ('{"response": "Final', "not a JSON object"),
    "no object": ("[1]", "not a JSON object"),
    "nested too deep": ("[" * 100_000, "not a JSON object"),
    "no UTF-8": ('{"response": "\udcff"}', "not a JSON object"),
    "no gold": ('{"response": "a", "golden": "1"}', "no field 'gold', only 'response, golden'; --gold-field"),
    "no response": ('{"gold": "1"}', "no field 'response'"),
    "a number": ('{"response": 5, "gold": "1"}', "'response' must be text, received 5"),
    "a null": (
        '{"response": "a", "gold": null}',
        "'gold' must be text, a number or a list of them, received None",
    ),
    "a truth": ('{"response": "a", "gold": true}', "received True"),
    "no number": ('{"response": "a", "gold": NaN}', "received nan"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_row_is_named_and_nothing_before_it_is_lost(folder, grader, name):
    line, message = BROKEN[name]
    good = (folder / "in.jsonl").read_bytes().splitlines(keepends=True)
    broken = [*good[:30], line.encode("utf-8", "surrogateescape") + b"\n", *good[31:]]
    (folder / "in.jsonl").write_bytes(b"".join(broken))
    said = []
    with pytest.raises(DataError, match="line 31") as raised:
        grade_file(folder / "in.jsonl", folder / "out.jsonl", grader, say=said.append)
    assert message in str(raised.value) and len(str(raised.value)) < 1_000
    assert "30 rows are graded" in said[0] and not (folder / "out.jsonl").exists()
    assert len(read(folder / "out.jsonl.partial")) == 30
    (folder / "in.jsonl").write_bytes(b"".join(good))
    tally, said = grade(folder, grader)
    assert said == ["resuming after 30 rows"] and (tally.rows, tally.graded) == (50, 20)
    assert [row["id"] for row in read(folder / "out.jsonl")] == list(range(50))


def test_a_half_written_line_is_taken_off(folder, grader):
    grade(folder, grader)
    whole = (folder / "out.jsonl").read_bytes()
    for half in (whole[:-1], whole[: len(whole) // 2], whole[:3], b""):
        (folder / "out.jsonl").unlink()
        (folder / "out.jsonl.partial").write_bytes(half)
        _, said = grade(folder, grader)
        assert said == [f"resuming after {half.count(10)} rows"]
        assert (folder / "out.jsonl").read_bytes() == whole


def test_a_complete_output_is_left_alone_unless_it_is_to_be_replaced(folder, grader):
    first, _ = grade(folder, grader)
    before = (folder / "out.jsonl").stat()
    again, said = grade(folder, grader)
    assert "is complete" in said[0] and again.outcomes == first.outcomes and again.graded == 0
    now = (folder / "out.jsonl").stat()
    assert (now.st_ino, now.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    anew, said = grade(folder, grader, overwrite=True)
    assert said == [] and anew.graded == 50 and (folder / "out.jsonl").stat().st_ino != before.st_ino


def test_rows_added_to_the_input_are_graded_too(folder, grader):
    grade(folder, grader)
    write(folder / "in.jsonl", rows(60))
    tally, said = grade(folder, grader)
    assert said == ["resuming after 50 rows"] and tally.graded == 10
    assert [row["id"] for row in read(folder / "out.jsonl")] == list(range(60))


OTHER = {
    "a field": ({"fields": Fields(gold="é")}, "gold_field is é and was gold"),
    "the timeout": ({"timeout_s": 9.0}, "timeout is 9.0 and was 5.0"),
    "a judge": ({"judge": True}, "judge is {'judge': 'Silent'} and was not given"),
}


class Silent:
    """A judge that cannot be asked, until it can."""

    reachable = False

    def judge(self, items, verdicts):
        def asked(verdict):
            if verdict.correct:
                return verdict
            if self.reachable:
                return Verdict(False, "judge", verdict.answer, "NO")
            return Verdict(None, "none", verdict.answer, "judge unreachable: no connection")

        return [asked(verdict) for verdict in verdicts]


@pytest.mark.parametrize("partial", [False, True], ids=["complete", "partial"])
@pytest.mark.parametrize("name", OTHER)
def test_rows_made_with_other_settings_are_not_continued(folder, grader, name, partial):
    grade(folder, grader)
    if partial:
        (folder / "out.jsonl").rename(folder / "out.jsonl.partial")
    options, why = dict(OTHER[name][0]), OTHER[name][1]
    fields = {"fields": options.pop("fields")} if "fields" in options else {}
    judge = Silent() if options.pop("judge", False) else None
    with (
        Grader(GraderConfig(workers=1, stages=STAGES, judge=judge, **options)) as other,
        pytest.raises(ResumeError, match=why),
    ):
        grade(folder, other, **fields)
    if judge is not None:
        with Grader(GraderConfig(workers=1, stages=STAGES, judge=judge)) as other:
            tally, _ = grade(folder, other, overwrite=True)
        assert tally.outcomes["undecided"] == 16


def test_rows_whose_judge_could_not_be_asked_are_graded_again(folder):
    judge = Silent()
    with Grader(GraderConfig(workers=1, stages=STAGES, judge=judge)) as judged:
        first, _ = grade(folder, judged)
        judge.reachable = True
        again, said = grade(folder, judged)
        done, _ = grade(folder, judged)
    assert first.outcomes["undecided"] == 16 and done.graded == 0
    assert again.outcomes == {"correct": 34, "wrong": 16} and again.graded == 48
    assert said[0] == "row 3: the judge could not be asked; asking again from there"
    assert [row["id"] for row in read(folder / "out.jsonl")] == list(range(50))


def test_rows_of_unknown_settings_are_continued_with_a_word(folder, grader):
    grade(folder, grader)
    (folder / "out.jsonl.settings.json").unlink()
    assert "settings are not known" in grade(folder, grader)[1][0]


@pytest.mark.parametrize("change", ["another row", "fewer rows", "ungraded", "no rows at all"])
def test_an_output_of_another_input_is_an_error_and_left_alone(folder, grader, change):
    grade(folder, grader)
    if change == "another row":
        write(folder / "in.jsonl", [{**row, "id": 100 if i == 20 else i} for i, row in enumerate(rows(50))])
    elif change == "fewer rows":
        write(folder / "in.jsonl", rows(49))
    elif change == "ungraded":
        write(folder / "out.jsonl", rows(50))
    else:
        (folder / "out.jsonl").write_text("a diary\n" * 3)
    before = (folder / "out.jsonl").read_bytes()
    with pytest.raises(ResumeError, match=r"out.jsonl, line \d+ is no.*another --out, or --overwrite"):
        grade(folder, grader)
    assert (folder / "out.jsonl").read_bytes() == before


def test_names_that_cannot_be(folder, grader):
    with pytest.raises(DataError, match=r"--gold-field is 'answer'.*rename"):
        Fields(gold="answer")
    with pytest.raises(DataError, match="is the input"):
        grade_file(folder / "in.jsonl", folder / "in.jsonl", grader)


def test_two_runs_do_not_write_one_file(folder, grader):
    with (
        locked(folder / "out.jsonl.lock", folder / "out.jsonl"),
        pytest.raises(ResumeError, match="is in use by process"),
    ):
        grade(folder, grader)


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    """Rows that need math-verify, so that the run is still under way when it is killed."""
    values = [{"id": i, "response": f"Final answer: {i + 1}/{i + 2}", "gold": f"{2 * i + 2}/{2 * i + 4}"}
              for i in range(1_500)]  # fmt: skip
    write(tmp_path / "in.jsonl", values)
    partial, out = tmp_path / "out.jsonl.partial", tmp_path / "out.jsonl"
    command = [*COMMAND, str(tmp_path / "in.jsonl"), "--out", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    while not (partial.exists() and partial.read_bytes().count(b"\n") > 200):
        time.sleep(0.02)
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    there = partial.read_bytes().count(b"\n")
    assert there < 1_500 and not out.exists()
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and f"resuming after {there} rows" in done.stderr
    assert [row["id"] for row in read(out)] == list(range(1_500)) and not partial.exists()
    assert all(row["correct"] for row in read(out))


def test_standard_input_to_standard_output():
    text = "".join(json.dumps(row) + "\n" for row in [*rows(3), {"response": 1, "gold": 2}])
    done = subprocess.run([*COMMAND, "-"], input=text, capture_output=True, text=True)
    assert [json.loads(line)["id"] for line in io.StringIO(done.stdout)] == [0, 1, 2]
    assert done.returncode == 1 and "standard input, line 4" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_early_is_no_fault():
    text = "".join(json.dumps(row) + "\n" for row in rows(1_500) * 10)
    pipeline = f"{sys.executable} -m lm_eval_ext.cli grade - | head -n 1"
    done = subprocess.run(pipeline, shell=True, input=text, capture_output=True, text=True)
    assert json.loads(done.stdout)["id"] == 0 and "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_the_command_says_what_came_out_and_what_is_wrong(tmp_path):
    write(
        tmp_path / "in.jsonl", [{"response": "Final answer: 1/2", "ref": 0.5}, {"response": "?", "ref": "1"}]
    )
    command = [*COMMAND, "in.jsonl", "--out", "out.jsonl"]
    done = subprocess.run([*command, "--gold-field", "ref"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0 and done.stdout == ""
    assert "correct 1 (50.0%)  wrong 0 (0.0%)  no answer 1 (50.0%)  undecided 0 (0.0%)" in done.stderr
    wrong = subprocess.run([*command, "--overwrite"], capture_output=True, text=True, cwd=tmp_path)
    assert wrong.returncode == 1 and "in.jsonl, line 1 has no field 'gold'" in wrong.stderr
    assert len(read(tmp_path / "out.jsonl")) == 2
