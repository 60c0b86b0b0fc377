"""Running a batch: every cell once, failures again, resumed after a kill, one process at a time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from lm_eval_ext.batch import record
from lm_eval_ext.batch.executors import local
from lm_eval_ext.batch.executors.local import LocalExecutor, Slot
from lm_eval_ext.batch.scores import TABLE
from lm_eval_ext.batch.view import progress
from lm_eval_ext.errors import DataError, UserError
from lm_eval_ext.resume import ResumeError
from tests.batch.conftest import calls, is_alive, said
from tests.conftest import ROOT

pytestmark = pytest.mark.unit


def test_the_rest_is_estimated_from_what_is_done():
    def cell(state, seconds=None):
        return record.CellRecord.model_construct(state=state, seconds=seconds)

    cells = [cell("done", 100.0), cell("done", 300.0), cell("failed"), cell("running"), cell("running")]
    assert progress(cells) == "2 of 5 done, 1 failed, about 0:03:20 left"
    assert progress([*cells, cell("pending"), cell("queued")]).endswith("about 0:06:40 left")
    assert progress(cells[:3]) == "2 of 3 done, 1 failed" and progress(cells[3:]) == "0 of 2 done"


def test_a_log_has_a_line_about_the_rest_once_in_a_while(batch, monkeypatch):
    monkeypatch.setattr("lm_eval_ext.batch.view.LOG_EVERY_S", 0)
    work = batch("models: [a/good, a/other]\ntasks: [t1]", chosen=["good/t1"])
    work.run()
    assert said(work).count("0 of 1 done\n") == 1 and "of 2 done" not in said(work)


def states(batch):
    return {cell.record.folder: cell.record.state for cell in batch.cells}


def test_a_failed_cell_is_tried_again_and_stops_no_other(batch):
    work = batch("models: [a/dies, a/once, a/good]\ntasks: [t1]")
    work.run()
    assert states(work) == {"dies/t1": "failed", "once/t1": "done", "good/t1": "done"}
    assert calls(work) == {"dies/t1": 2, "once/t1": 2, "good/t1": 1}
    assert not work.is_done()
    (line,) = [line for line in work.summary() if line.startswith("failed")]
    assert line.endswith("dies/t1/log.txt") and "no such model" in work.cells[0].log.read_text()
    assert "tried again: once | t1: exit code 1: Error: no such model" in said(work)
    written = record.read(work.out)
    assert [cell.attempts for cell in written.cells] == [2, 2, 1]
    assert written.cells[0].error == "exit code 1: Error: no such model" and not written.cells[1].error


@pytest.mark.alone
@pytest.mark.full
def test_what_is_done_is_not_run_again_unless_its_settings_change(batch):
    text = "models: [a/m1, a/m2]\ntasks: [t1, {name: t2, tasks: [t2, t3], limit: %s}]"
    first = batch(text % 3)
    first.run()
    table = (first.out / TABLE).read_text()
    again = batch(text % 3)
    again.run()
    assert again.is_done() and set(calls(again).values()) == {1}
    assert (again.out / TABLE).read_text() == table and table.count("\n") == 1 + 2 * 3
    changed = batch(text % 4)
    changed.run()
    assert calls(changed) == {"m1/t1": 1, "m1/t2": 2, "m2/t1": 1, "m2/t2": 2}
    assert len(list((changed.out / "m1/t2").rglob("results_*.json"))) == 1, "the new results replace the old"


@pytest.mark.alone
@pytest.mark.full
def test_a_model_that_was_trained_again_is_evaluated_again(batch, tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    text = f"models: [{model}]\ntasks: [t]"
    batch(text).run()
    (model / "config.json").write_text('{"other": 1}')
    work = batch(text)
    work.run()
    assert calls(work) == {"model/t": 2}


@pytest.mark.alone
@pytest.mark.full
def test_results_that_are_gone_are_made_again(batch):
    work = batch("models: [a/m]\ntasks: [t]")
    work.run()
    next(work.out.rglob("results_*.json")).unlink()
    again = batch("models: [a/m]\ntasks: [t]")
    again.run()
    assert calls(again) == {"m/t": 2} and again.is_done()


def test_only_the_chosen_cells_run_and_all_are_recorded(batch):
    work = batch("models: [a/m1, a/m2]\ntasks: [t]", chosen={"m2/t"})
    work.run()
    assert states(work) == {"m1/t": "pending", "m2/t": "done"} and work.is_done()
    assert len(record.read(work.out).cells) == 2


def test_the_best_is_chosen_by_score_then_ties_then_step(batch, tmp_path):
    from lm_eval_ext.batch.plan import Select
    from lm_eval_ext.batch.record import CellRecord, Score
    from lm_eval_ext.batch.scores import best

    def cell(step, evaluation, value):
        return CellRecord(
            model=f"m-checkpoint-{step}", series="m", step=step, path="", labels={}, evaluation=evaluation,
            settings={}, folder="", scores={"task": Score(metric="acc", values={"acc": value, "f1": -value})},
        )  # fmt: skip

    rows = [(10, 0.5, 0.1), (20, 0.5, 0.3), (30, 0.4, 0.9), (40, 0.5, 0.3)]
    cells = [cell(s, name, v) for s, a, b in rows for name, v in (("val", a), ("second", b))]
    assert best(cells, Select(task="val")).step == 10
    found = best(cells, Select(task="val", ties="second"))
    assert (found.step, found.score, found.tie_score, found.candidates) == (20, 0.5, 0.3, 4)
    assert best(cells, Select(task="val", metric="f1")).step == 30
    assert best(cells, Select(task="other")) is None


def test_a_second_batch_in_the_same_folder_is_refused(batch):
    work = batch("models: [a/m]\ntasks: [t]")
    work.out.mkdir()
    code = (
        "import sys; from pathlib import Path; from lm_eval_ext.resume import locked\n"
        f"with locked(Path({str(work.out / 'batch.lock')!r}), Path('x')):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ResumeError, match=f"out is in use by process {other.pid}"):
            work.run()
        other.stdin.close()
    work.run()
    assert work.is_done()


RUN = """
import sys
from lm_eval_ext.batch import job
job.LAUNCHER = (sys.executable, "-m", "tests.batch.fake_launcher")
from lm_eval_ext.cli import app
app(["batch", *sys.argv[1:]])
"""


def program(tmp_path, *options):
    """`lm-eval-ext batch` with the stand-in for `lm-eval-ext run`."""
    words = [sys.executable, "-c", RUN, str(tmp_path / "plan.yaml"), "--out", str(tmp_path / "out"), *options]
    return subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, preexec_fn=in_background
    )


def in_background():
    """A shell's `program &` ignores SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.mark.alone
@pytest.mark.full
@pytest.mark.parametrize(
    "how, where",
    [
        (signal.SIGTERM, ()),
        (signal.SIGINT, ()),
        (signal.SIGKILL, ()),
        (signal.SIGTERM, ("--on", "slurm", "--executor", "local")),
    ],
    ids=["terminated", "interrupted", "killed", "submitit"],
)
def test_killed_in_the_middle_only_what_is_missing_runs(how, where, tmp_path):
    if where:
        pytest.importorskip("submitit")
    (tmp_path / "plan.yaml").write_text("models: [a/good, a/hangs]\ntasks: [mathnet]")
    started = program(tmp_path, "--cores", "1", *where)
    calls = tmp_path / "out" / "hangs" / "mathnet" / "calls.txt"
    deadline = time.monotonic() + 60
    while (
        not (calls.exists() and calls.read_text()) or not (tmp_path / "out/good/mathnet/done.json").exists()
    ):
        assert time.monotonic() < deadline and started.poll() is None, started.communicate()
        time.sleep(0.05)
    started.send_signal(how)
    out, err = started.communicate(timeout=30)
    assert started.returncode == (130 if how != signal.SIGKILL else -9), err
    pid = int(calls.read_text().split()[0])
    while is_alive(pid):
        assert time.monotonic() < deadline, "the job outlived the batch"
        time.sleep(0.05)
    if how != signal.SIGKILL:
        assert "rerun the same command to resume" in err
        assert [c.state for c in record.read(tmp_path / "out").cells] == ["done", "pending"]
    again = program(tmp_path, "--cores", "1")
    out, err = again.communicate(timeout=60)
    assert again.returncode == 0, out + err
    assert len(calls.read_text().splitlines()) == 2
    assert len((tmp_path / "out/good/mathnet/calls.txt").read_text().splitlines()) == 1


def test_dry_run_prints_commands_and_runs_nothing(tmp_path):
    (tmp_path / "plan.yaml").write_text("models: [a/good]\ntasks: [mathnet]")
    out, err = program(tmp_path, "--dry-run").communicate(timeout=60)
    assert out.splitlines()[0] == "to run: good | mathnet", err
    assert "lm-eval-ext run --resume" in out and not (tmp_path / "out").exists()


def test_options_of_another_place_are_refused(tmp_path):
    (tmp_path / "plan.yaml").write_text("models: [a/good]\ntasks: [mathnet]")
    started = program(tmp_path, "--partition", "gpu")
    _, err = started.communicate(timeout=60)
    assert started.returncode == 1
    assert err == "Error: the options of --on slurm with --on local: leave them out, or change --on\n"


def test_a_task_that_does_not_exist_is_said_before_any_job_starts(tmp_path):
    (tmp_path / "plan.yaml").write_text("models: [a/good]\ntasks: [mathnet, mathnett]")
    started = program(tmp_path)
    _, err = started.communicate(timeout=60)
    assert started.returncode == 1 and "no task 'mathnett'; close to it: mathnet" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.alone
@pytest.mark.full
def test_jobs_get_their_cores_and_nothing_else(batch):
    cores = sorted(os.sched_getaffinity(0))
    work = batch("models: [a/slow1, a/slow2, a/slow3]\ntasks: [t]", LocalExecutor(cores=1))
    work.run()
    used = {
        json.loads(f.read_text().split(" ", 1)[1].split("]")[0] + "]")[0] for f in work.out.rglob("calls.txt")
    }
    assert used == set(cores[: min(3, len(cores))])
    with pytest.raises(UserError, match="--cores 4096: this process may use"):
        LocalExecutor(cores=4096)


SMI = """#!/bin/sh
case $1 in *compute-apps*) echo 'GPU-a, 4711, python'; exit;; esac
echo '0, GPU-a, 70000, 80000, 0'
echo '1, GPU-b, 10, 80000, 0'
echo '2, GPU-c, %s, 80000, 93'
"""


@pytest.mark.parametrize(
    "visible, used, free", [(None, 5, ["1", "2"]), ("0,1", 5, ["1"]), ("GPU-c", 5, ["2"]), ("0", 5, None)]
)
def test_free_gpus_are_those_whose_memory_is_unused(visible, used, free, tmp_path, monkeypatch):
    (tmp_path / "nvidia-smi").write_text(SMI % used)
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    if free is None:
        with pytest.raises(UserError, match=r"GPU 0: 70000 of 80000 MiB, 0% busy, pid 4711 python"):
            local.free_gpus()
    else:
        assert local.free_gpus() == free


@pytest.mark.alone
@pytest.mark.full
def test_named_gpus_are_one_slot_each(batch):
    executor = LocalExecutor(["6", "7"])
    assert executor.slots == 2 and Slot(gpu="6").environment == {"CUDA_VISIBLE_DEVICES": "6"}
    work = batch("models: [a/slow1, a/slow2]\ntasks: [t]", executor)
    work.run()
    assert {file.read_text().split()[-1] for file in work.out.rglob("calls.txt")} == {"6", "7"}


def test_a_folder_without_a_batch_is_one_line(tmp_path):
    with pytest.raises(DataError, match="is no folder of a batch"):
        record.read(tmp_path)
