"""Workers and the fork server are killed at any time: calls go on, and cost at most what was under way."""

import contextlib
import itertools
import logging
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from lm_eval_ext.grading import Grader, GraderConfig, Item, worker_process
from tests.grading.test_stages import STAGES

pytestmark = [pytest.mark.unit, pytest.mark.full, pytest.mark.alone]  # sixty kills, and what they leave

KILLS = 20
LATE = ("tests.grading.late_stage", STAGES[1])
NEXT = itertools.count()


@pytest.fixture
def grader():
    with Grader(GraderConfig(workers=2, stages=STAGES, timeout_s=30, cache_size=0)) as grader:
        assert right(grader, 1)
        yield grader


def items(number, what="quick"):
    """New pairs that only the workers can decide, all equal."""
    return [Item(f"Final answer: {n} apples", f"{n} {what}") for n in itertools.islice(NEXT, number)]


def right(grader, number, what="quick"):
    return all(verdict.correct for verdict in grader.grade(items(number, what)))


def servers():
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):  # a zombie, too
            found += [child] * ("forkserver" in " ".join(child.cmdline()))
    return found


def workers(wanted=0):
    """The workers alive, once there are as many as wanted."""
    deadline = time.monotonic() + 20
    while True:
        found = []
        with contextlib.suppress(psutil.NoSuchProcess):
            found = [child for server in servers() for child in server.children()]
        if len(found) >= wanted or time.monotonic() > deadline:
            return found
        time.sleep(0.002)


def kill(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


@contextlib.contextmanager
def killer(victims, pause_s):
    """Kills, in a thread, a victim at a time, until KILLS are dead."""
    killed, over = set(), threading.Event()

    def run():
        while len(killed) < KILLS and not over.is_set():
            new = [process for process in victims() if process.pid not in killed]
            if new:
                kill(victim := random.choice(new))
                killed.add(victim.pid)
            time.sleep(pause_s())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield thread
    finally:
        over.set()
        thread.join()


def undecided_while(thread, grade):
    """How many verdicts `grade` leaves undecided until the thread ends; none may be wrong."""
    undecided, deadline = 0, time.monotonic() + 120
    while thread.is_alive():
        assert time.monotonic() < deadline
        verdicts = grade()
        assert not [v for v in verdicts if v.correct is False]
        for verdict in verdicts:
            undecided += verdict.correct is None
            assert verdict.correct or verdict.reason.startswith("the worker died")
    return undecided


def test_idle_workers_are_killed_between_calls(grader, caplog):
    with caplog.at_level(logging.WARNING, "lm_eval_ext"):
        for number in range(KILLS):
            victims = workers(wanted=2)
            for victim in victims[: 1 + number % 2]:  # one of them, or both
                kill(victim)
            assert right(grader, 5) and right(grader, 2, "slow")
    [told] = [record.getMessage() for record in caplog.records]
    assert "replaced" in told and "exit code -9" in told


def test_workers_are_killed_as_they_start():
    with Grader(GraderConfig(workers=2, stages=LATE, cache_size=0)) as grader:
        with killer(workers, lambda: 0.01) as thread:
            assert undecided_while(thread, lambda: grader.grade(items(3))) == 0
        assert right(grader, 100)


@pytest.mark.parametrize("what", ["quick", "naps"], ids=["in the first stage", "in the second stage"])
def test_busy_workers_are_killed(grader, what):
    number = 2_000 if what == "quick" else 20
    with killer(workers, lambda: random.uniform(0.05, 0.15)) as thread:
        undecided = undecided_while(thread, lambda: list(grader.stream(iter(items(number, what)))))
    assert undecided <= (0 if what == "quick" else KILLS)
    assert right(grader, number, what)


def test_busy_workers_are_killed_while_many_threads_grade(grader):
    with killer(workers, lambda: random.uniform(0.05, 0.15)) as thread, ThreadPoolExecutor(4) as pool:
        calls = [
            pool.submit(undecided_while, thread, lambda: grader.grade(items(30, "naps"))) for _ in "abcd"
        ]
        assert sum(call.result(timeout=120) for call in calls) <= KILLS
    assert right(grader, 100)


def test_the_fork_server_is_killed(grader):
    for number in range(6):
        orphans = workers(wanted=2)
        for process in servers():
            kill(process)
        assert right(grader, 500) and right(grader, 5, "slow")  # by workers whose server is dead
        for process in orphans[: 1 + number % 2]:
            kill(process)
        assert right(grader, 500) and right(grader, 5, "slow") and len(servers()) == 1
        for process in orphans:
            kill(process)


def test_where_no_worker_can_live_every_call_ends_in_an_error(monkeypatch):
    monkeypatch.setattr(worker_process, "MAX_STARTS", 5)
    stages = ("tests.grading.deadly_stage", STAGES[1])
    with Grader(GraderConfig(workers=2, stages=stages)) as grader:
        for _ in range(2):
            with pytest.raises(RuntimeError, match=r"no symbolic worker came up in 5 attempts .*exit code 3"):
                grader.grade(items(1))


def test_a_closed_grader_leaves_no_worker(grader):
    pids = {process.pid for process in workers(wanted=2)}
    grader.close()
    assert not [pid for pid in pids if psutil.pid_exists(pid)]
    assert right(grader, 10)


def test_a_worker_is_killed_with_the_processes_it_started():
    with Grader(GraderConfig(workers=1, stages=STAGES, timeout_s=1)) as grader:
        [verdict] = grader.grade(items(1, "starts-another"))
    assert verdict.reason == "timed out after 1 s"
    time.sleep(0.2)
    assert not [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "613.5"]]
