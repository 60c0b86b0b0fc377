"""What resuming is made of: whole lines, one writer, settings that must match."""

import pytest

from lm_eval_ext.resume import Journal, ResumeError, differences, locked, require_same

pytestmark = pytest.mark.unit


def append(path, *lines, stop_at=None):
    """Reads what is there up to `stop_at`, then appends; returns what was read."""
    read = []
    with Journal(path) as journal:
        for line in journal:
            if line == stop_at:
                break
            read.append(line)
        for line in lines:
            journal.append(line)
    return read


def test_a_torn_last_line_is_dropped_and_the_file_continued(tmp_path):
    path = tmp_path / "new" / "x.jsonl"
    assert append(path, b"1\n", b"2\n") == []
    path.write_bytes(path.read_bytes() + b'{"torn')
    assert append(path) == [b"1\n", b"2\n"] and path.read_bytes().endswith(b"torn")
    assert append(path, b"3\n") == [b"1\n", b"2\n"] and path.read_bytes() == b"1\n2\n3\n"


def test_lines_from_where_a_loop_is_left_are_replaced(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"1\n2\n3\n")
    assert append(path, b"new\n", stop_at=b"2\n") == [b"1\n"]
    assert path.read_bytes() == b"1\nnew\n"


def test_a_finished_journal_gets_its_name(tmp_path):
    with Journal(tmp_path / "x.partial") as journal:
        journal.append(b"1\n")
        journal.rename(tmp_path / "x")
        journal.append(b"2\n")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("x", b"1\n2\n")]


def test_one_writer_at_a_time(tmp_path):
    lock, out = tmp_path / "lock", tmp_path / "out"
    with locked(lock, out), pytest.raises(ResumeError, match="out is in use by process"), locked(lock, out):
        pass
    assert not lock.exists()
    with locked(lock, out):
        assert lock.exists()


def test_settings_that_changed_are_named():
    now, before = {"a": (1,), "judge": {"model": "x", "n": 1}}, {"a": [1], "judge": {"model": "y", "n": 1}}
    assert differences(now, before) == ["judge.model is x and was y"]
    assert differences({"b": 2}, {}) == ["b is 2 and was not given"]
    require_same(now, None, "out", "")
    with pytest.raises(ResumeError, match=r"out was begun with other settings: judge.model is x.*Advice"):
        require_same(now, before, "out", "Advice")
