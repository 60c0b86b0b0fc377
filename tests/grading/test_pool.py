"""The pool kills what hangs, survives what crashes, keeps order, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from lm_eval_ext.grading import Grader, GraderConfig, Item
from tests.clock import STALL_S, within

pytestmark = pytest.mark.unit

TIMEOUT_S = 1.0
DETERMINANT = Item(r"Final answer: $\begin{vmatrix}1&2\\3&4\end{vmatrix}$", "-2")
"""What math-verify alone can decide."""
HOSTILE = {
    "tower": "9^{9^9}",
    "tower of towers": "10^{10^{10}}",
    "factorial of a tower": "(10^{10^{10}})!",
    "factorials": "((((9!)!)!)!)!",
    "open braces": "{" * 100_000,
    "open boxes": r"\boxed{" * 143_000,
    "NUL bytes": "4\x002\x00",
    "right-to-left marks": "\u202e4\u202c2\u200f",
    "nested roots": r"\sqrt{" * 50 + "2" + "}" * 50,
    "a huge product": r"\prod_{k=1}^{10^{9}} k",
    "a huge sum": r"\sum_{k=1}^{10^{12}} \frac{1}{k^2}",
    "digits": "1" * 900,
}


def start_workers(grader):
    """Starts a worker with all stages."""
    assert grader.grade([DETERMINANT])[0].rule == "math-verify.equal"


def processes_of(group):
    """Pids of live, unreaped-or-running processes in a session."""
    listing = subprocess.run(["ps", "-eo", "pid,sid,stat"], capture_output=True, text=True, check=True)
    rows = [line.split() for line in listing.stdout.splitlines()[1:]]
    return [int(pid) for pid, sid, stat in rows if int(sid) == group and not stat.startswith("Z")]


@pytest.mark.parametrize("gold", ["42", "", None], ids=["a gold", "an empty gold", "no gold"])
def test_hostile_answers_get_a_verdict_in_time_and_the_run_goes_on(gold):
    with Grader(GraderConfig(workers=2, timeout_s=TIMEOUT_S)) as grader:
        start_workers(grader)  # their start is not the item's time
        for name, text in HOSTILE.items():
            for response in (f"Final answer: {text}", r"\boxed{" + text + "}"):
                with within(TIMEOUT_S, name):
                    verdict = grader.grade([Item(response, gold)])[0]
                # NUL bytes and direction marks are invisible: "42" with them is 42, decided as such
                assert verdict.correct in (
                    (True,)
                    if gold == "42" and name in ("NUL bytes", "right-to-left marks")
                    else (False, None)
                )
        assert grader.grade([Item("Final answer: 1/2", "0.5")])[0].correct is True


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_golds_get_a_verdict_in_time(name):
    with Grader(GraderConfig(workers=1, timeout_s=TIMEOUT_S)) as grader:
        start_workers(grader)
        with within(TIMEOUT_S):
            grader.grade([Item("Final answer: 42", HOSTILE[name])])


def test_hangs_cost_only_themselves():
    hang, fine = Item("Final answer: 9^{9^{9}}+1", "43"), Item("Final answer: 2/4", "1/2")
    items = [hang, fine, fine, hang, fine, Item("Final answer: 9^{9^{9}}+2", "44")] + [fine] * 5
    with Grader(GraderConfig(workers=2, timeout_s=2.5)) as grader:
        verdicts = grader.grade(items)
    assert [v.correct for v, item in zip(verdicts, items, strict=True) if item is fine] == [True] * 8
    assert all(v.correct is not True for v, item in zip(verdicts, items, strict=True) if item is not fine)


def test_timed_out_is_undecided_and_says_so():
    with Grader(GraderConfig(workers=1, timeout_s=0.5)) as grader:
        start_workers(grader)
        verdict = grader.grade([Item("Final answer: 1", r"\sum_{k=1}^{99999} \frac{k!}{(k+1)!}")])[0]
    assert (verdict.correct, verdict.layer) == (None, "none")
    assert "timed out after 0.5 s" in verdict.reason


SCRIPT = textwrap.dedent(
    """
    import sys, time
    from lm_eval_ext.grading import Grader, GraderConfig, Item
    grader = Grader(GraderConfig(workers=2, timeout_s=30))
    determinant = Item(r"Final answer: $\\begin{vmatrix}1&2\\\\3&4\\end{vmatrix}$", "-2")
    print(grader.grade([determinant])[0].correct, flush=True)
    if "hang" in sys.argv:
        grader.grade([Item("Final answer: 1", r"\\\\sum_{k=1}^{99999} \\\\frac{k!}{(k+1)!}")])
    if "close" in sys.argv:
        grader.close()
    """
)


def start(tmp_path, *arguments):
    """The script in a session of its own. It has no `__main__` guard: workers must not run it again."""
    script = tmp_path / "unguarded.py"
    script.write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, str(script), *arguments], stdout=subprocess.PIPE, text=True, start_new_session=True
    )


@pytest.mark.parametrize("how", ["close", "leave"])
def test_nothing_outlives_the_parent(tmp_path, how):
    process = start(tmp_path, how)
    out, _ = process.communicate(timeout=60)
    assert out.split() == ["True"] and process.returncode == 0
    assert gone(process.pid)


def test_nothing_outlives_a_killed_parent_even_while_a_worker_hangs(tmp_path):
    process = start(tmp_path, "hang")
    assert process.stdout.readline().strip() == "True"
    time.sleep(1.5)
    assert len(processes_of(process.pid)) >= 3
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert gone(process.pid)


def gone(session):
    """Whether a session empties."""
    deadline = time.monotonic() + STALL_S
    while processes_of(session) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not processes_of(session)


def test_workers_that_cannot_start_are_an_error_and_not_a_verdict(tmp_path):
    (tmp_path / "math_verify.py").write_text("raise ImportError('a broken installation')")
    code = f"from lm_eval_ext.grading import grade_one; print(grade_one({DETERMINANT.response!r}, '-2'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 1 and done.stdout == ""
    assert "no symbolic worker came up" in done.stderr.splitlines()[-1]
