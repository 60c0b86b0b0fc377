"""Replies on disk: there after a kill, shared by processes, never mixed up."""

import os
import signal
import subprocess
import sys
import time

import pytest

from lm_eval_ext.grading.judge.cache import FILE, Cache, key_of
from lm_eval_ext.grading.judge.config import JudgeError
from lm_eval_ext.grading.judge.usage import Opinion

pytestmark = pytest.mark.unit

WRITER = """
import sys
from pathlib import Path
from lm_eval_ext.grading.judge.cache import Cache
from lm_eval_ext.grading.judge.usage import Opinion
cache, name, number = Cache(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
for i in range(number):
    cache.keep(f"{name}-{i}", Opinion("yes", f"YES {name} {i}"))
    print(i, flush=True)
"""


def writer(folder, name, number):
    command = [sys.executable, "-c", WRITER, str(folder), name, str(number)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_what_is_kept_is_found(tmp_path):
    opinion = Opinion("malformed", "é \\frac \ud800", 2, 300, 7, None, cut=True)
    Cache(tmp_path / "a" / "b").keep("k", opinion)
    assert Cache(tmp_path / "a" / "b").find(["k", "other"]) == {"k": opinion}


def test_thousands_are_found_at_once(tmp_path):
    cache = Cache(tmp_path)
    cache.keep("key-1999", Opinion("no", "NO"))
    assert list(cache.find(f"key-{i}" for i in range(3_000))) == ["key-1999"]


def test_several_processes_write_one_cache(tmp_path):
    Cache(tmp_path)
    writers = [writer(tmp_path, name, 60) for name in "abc"]
    for process in writers:
        process.communicate()
        assert process.returncode == 0
    found = Cache(tmp_path).find(f"{name}-{i}" for name in "abc" for i in range(60))
    assert len(found) == 180 and found["b-7"].text == "YES b 7"


def test_what_was_kept_survives_a_kill(tmp_path):
    process = writer(tmp_path, "a", 100_000)
    for _ in range(50):
        last = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    found = Cache(tmp_path).find(f"a-{i}" for i in range(last + 1))
    assert len(found) == last + 1
    Cache(tmp_path).keep("after", Opinion("no", "NO"))


def test_everything_a_reply_depends_on_is_in_the_key():
    parts = {"model": "m", "gold": "1", "answer": "2", "problem": None}
    keys = [
        key_of(parts),
        *(key_of({**parts, name: "x"}) for name in parts),
        key_of({**parts, "gold": "12", "answer": ""}),
    ]
    assert len(set(keys)) == len(keys) and key_of(dict(reversed(parts.items()))) == keys[0]


def test_a_file_that_is_no_cache_is_an_error_with_a_way_out(tmp_path):
    (tmp_path / FILE).write_bytes(b"a diary, and no database" * 100)
    with pytest.raises(JudgeError, match=r"cannot be used.*--judge-cache"):
        Cache(tmp_path)
    with pytest.raises(JudgeError, match="no cache in"):
        Cache(tmp_path / FILE / "inside")


def test_a_busy_cache_is_waited_for(tmp_path):
    import sqlite3

    cache = Cache(tmp_path)
    other = sqlite3.connect(cache.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    import threading

    threading.Timer(0.3, lambda: other.execute("COMMIT")).start()
    start = time.monotonic()
    cache.keep("k", Opinion("yes", "YES"))
    other.close()
    assert time.monotonic() - start > 0.2 and "k" in cache.find(["k"])
