"""Replies on disk: there after a kill, shared by processes, never mixed up."""

import os
import signal
import subprocess
import sys
import time

import pytest

from lm_eval_ext.grading.judge.cache import FILE, ReplyCache, cache_key
from lm_eval_ext.grading.judge.errors import JudgeError
from lm_eval_ext.grading.judge.usage import Reply

pytestmark = pytest.mark.unit

WRITER = """
import sys
from pathlib import Path
from lm_eval_ext.grading.judge.cache import ReplyCache
from lm_eval_ext.grading.judge.usage import Reply
cache, name, number = ReplyCache(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
for i in range(number):
    cache.put(f"{name}-{i}", Reply("yes", f"YES {name} {i}"))
    print(i, flush=True)
"""


def writer(folder, name, number):
    command = [sys.executable, "-c", WRITER, str(folder), name, str(number)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_what_is_kept_is_found(tmp_path):
    reply = Reply("malformed", "é \\frac \ud800", cut=True)
    ReplyCache(tmp_path / "a" / "b").put("k", reply)
    assert ReplyCache(tmp_path / "a" / "b").get(["k", "other"]) == {"k": reply}


def test_thousands_are_found_at_once(tmp_path):
    cache = ReplyCache(tmp_path)
    cache.put("key-1999", Reply("no", "NO"))
    assert list(cache.get(f"key-{i}" for i in range(3_000))) == ["key-1999"]


def test_several_processes_write_one_cache(tmp_path):
    ReplyCache(tmp_path)
    writers = [writer(tmp_path, name, 60) for name in "abc"]
    for process in writers:
        process.communicate()
        assert process.returncode == 0
    found = ReplyCache(tmp_path).get(f"{name}-{i}" for name in "abc" for i in range(60))
    assert len(found) == 180 and found["b-7"].text == "YES b 7"


def test_what_was_kept_survives_a_kill(tmp_path):
    process = writer(tmp_path, "a", 100_000)
    for _ in range(50):
        last = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    found = ReplyCache(tmp_path).get(f"a-{i}" for i in range(last + 1))
    assert len(found) == last + 1
    ReplyCache(tmp_path).put("after", Reply("no", "NO"))


def test_everything_a_reply_depends_on_is_in_the_key():
    parts = {"model": "m", "gold": "1", "answer": "2", "problem": None}
    keys = [
        cache_key(parts),
        *(cache_key({**parts, name: "x"}) for name in parts),
        cache_key({**parts, "gold": "12", "answer": ""}),
    ]
    assert len(set(keys)) == len(keys) and cache_key(dict(reversed(parts.items()))) == keys[0]


def test_a_file_that_is_no_cache_is_an_error_with_a_way_out(tmp_path):
    (tmp_path / FILE).write_bytes(b"a diary, and no database" * 100)
    with pytest.raises(JudgeError, match=r"cannot be used.*--judge-cache"):
        ReplyCache(tmp_path)
    with pytest.raises(JudgeError, match="no cache in"):
        ReplyCache(tmp_path / FILE / "inside")


def test_a_busy_cache_is_waited_for(tmp_path):
    import sqlite3

    cache = ReplyCache(tmp_path)
    other = sqlite3.connect(cache.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    import threading

    threading.Timer(0.3, lambda: other.execute("COMMIT")).start()
    start = time.monotonic()
    cache.put("k", Reply("yes", "YES"))
    other.close()
    assert time.monotonic() - start > 0.2 and "k" in cache.get(["k"])
