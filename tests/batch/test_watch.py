"""Checkpoints are evaluated as they become complete, in order, each once."""

from __future__ import annotations

import json
import threading
import time

import pytest

from lm_eval_ext.batch import record
from lm_eval_ext.batch.watch import Watch
from lm_eval_ext.errors import UserError
from tests.batch.conftest import LAUNCHER

pytestmark = pytest.mark.unit

PLAN = """
tasks: [{name: val, tasks: t1}, t2]
select: {task: val, ties: t2}
defaults: {model_args: {dtype: float32}}
"""


def write(folder, complete=True, adapter=False):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    if adapter:
        (folder / "adapter_config.json").write_text(
            json.dumps({"base_model_name_or_path": "org/base", "r": 8})
        )
    if complete:
        (folder / "trainer_state.json").write_text("{}")


class Clock:
    """Seconds, set by `at`."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def watch(plan, tmp_path):
    """A watch of `tmp_path/runs` by a clock of its own."""

    def made(**options):
        pattern = f"{tmp_path}/runs/*/checkpoint-*"
        return Watch(plan(PLAN, True), pattern, tmp_path / "out", launcher=LAUNCHER, clock=Clock(), **options)

    return made


def steps(cells):
    return [(cell.record.series, cell.record.step, cell.record.evaluation) for cell in cells]


def at(watch, now, idle=True):
    watch.clock.now = now
    return watch(idle)


def test_a_checkpoint_is_evaluated_when_it_is_complete_and_still(watch, tmp_path):
    folder = tmp_path / "runs" / "a" / "checkpoint-10"
    write(folder, complete=False)
    look = watch(poll_s=30)
    assert at(look, 0) == [] and at(look, 10) == []
    write(folder)
    assert at(look, 11) == [], "its size is new"
    (folder / "model.safetensors").write_bytes(b"more weights")
    assert at(look, 13.5) == [], "its size changed"
    assert at(look, 14) == []
    assert steps(at(look, 16)) == [("a", 10, "val"), ("a", 10, "t2")]
    assert at(look, 18) == [], "each once"
    write(tmp_path / "runs" / "a" / "checkpoint-20")
    assert at(look, 29) == [], "the next look is after 30 s"
    assert at(look, 31) == [] and len(at(look, 34)) == 2


def test_checkpoints_are_evaluated_by_step(watch, tmp_path):
    for step in (100, 5, 20):
        write(tmp_path / "runs" / "a" / f"checkpoint-{step}")
    look = watch()
    at(look, 0)
    cells = at(look, 3)
    assert [cell.record.step for cell in cells] == [5, 5, 20, 20, 100, 100]
    assert cells[0].job.model_args == {"seed": 42, "dtype": "float32"}, "the plan's defaults"


def test_a_watch_ends_after_its_last_step_or_when_idle(watch, tmp_path):
    write(tmp_path / "runs" / "a" / "checkpoint-50")
    look = watch(until_step=50)
    assert at(look, 0) == [] and len(at(look, 3)) == 2
    assert at(look, 4, idle=False) == [], "it is still evaluated"
    assert at(look, 5) is None
    look = watch(idle_s=60)
    at(look, 0)
    assert len(at(look, 3)) == 2 and at(look, 50, idle=False) == []
    assert at(look, 109) == [] and at(look, 110) is None


def test_a_pattern_that_is_none_is_refused(plan, tmp_path):
    for pattern in ("runs/checkpoint-10", "s3://bucket/checkpoint-*"):
        with pytest.raises(UserError, match="expected a local pattern"):
            Watch(plan(PLAN, True), pattern, tmp_path)


@pytest.mark.full
def test_beside_a_training_every_checkpoint_is_evaluated_and_the_best_named(batch, plan, tmp_path):
    def train():
        for step in (10, 20, 30):
            write(tmp_path / "runs" / "sft" / f"checkpoint-{step}", adapter=True)
            time.sleep(1.5)

    work = batch(PLAN, watched=True)
    look = Watch(
        plan(PLAN, True), f"{tmp_path}/runs/*/checkpoint-*", work.out, 0.3, until_step=30, launcher=LAUNCHER
    )
    training = threading.Thread(target=train)
    training.start()
    work.run(look)
    training.join()
    written = record.read(work.out)
    assert [(c.step, c.evaluation, c.state) for c in written.cells] == [
        (step, name, "done") for step in (10, 20, 30) for name in ("val", "t2")
    ]
    scores = {(cell.step, cell.evaluation): next(iter(cell.scores.values())).value for cell in written.cells}
    expected = max((10, 20, 30), key=lambda step: (scores[step, "val"], scores[step, "t2"], -step))
    assert written.best.step == expected and written.best.candidates == 3
    assert any(line.startswith(f"best of 3: sft-checkpoint-{expected}") for line in work.summary())
    assert (work.out / "merged" / "sft-checkpoint-10" / "config.json").exists(), "adapters are merged first"
    again = batch(PLAN, watched=True)
    look = Watch(
        plan(PLAN, True), f"{tmp_path}/runs/*/checkpoint-*", work.out, 0.3, idle_s=1, launcher=LAUNCHER
    )
    again.run(look)
    assert [cell.attempts for cell in record.read(work.out).cells] == [1] * 6, (
        "a new watch takes what is done"
    )
