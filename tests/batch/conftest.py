"""Batches of a stand-in for `lm-eval-ext`; see `fake_launcher.py`."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from lm_eval_ext.batch import plan as plans
from lm_eval_ext.batch import scheduler
from lm_eval_ext.batch.cells import cells_of
from lm_eval_ext.batch.executors.local import LocalExecutor
from lm_eval_ext.batch.plan import Plan
from lm_eval_ext.batch.record import BatchRecord
from lm_eval_ext.batch.scheduler import Batch
from lm_eval_ext.batch.view import BatchView

LAUNCHER = (sys.executable, "-m", "tests.batch.fake_launcher")


@pytest.fixture
def plan(tmp_path) -> Callable[..., Plan]:
    """A plan from the text of its file."""

    def read(text: str, watched: bool = False) -> Plan:
        file = tmp_path / "plan.yaml"
        file.write_text(text)
        return plans.read(file, watched)

    return read


@pytest.fixture
def batch(tmp_path, plan, monkeypatch) -> Callable[..., Batch]:
    """A batch of a plan in `tmp_path/out`, one core per job unless another executor is given."""
    monkeypatch.setattr(scheduler, "_PAUSE_S", 0.02)

    def made(text: str, executor=None, out: Path = tmp_path / "out", watched=False, **more) -> Batch:
        read = plan(text, watched)
        cells = cells_of(read, out, LAUNCHER)
        executor = executor or LocalExecutor(cores=1)
        record = BatchRecord(plan="plan.yaml", on=executor.name, cells=[cell.record for cell in cells])
        view = BatchView(record, more.get("chosen"), Console(file=io.StringIO(), width=200))
        return Batch(out, record, cells, executor, view, select=read.select, **more)

    return made


def calls(batch: Batch) -> dict[str, int]:
    """How often each cell's evaluation was started."""
    files = {cell.record.folder: cell.folder / "calls.txt" for cell in batch.cells}
    return {name: len(file.read_text().splitlines()) if file.exists() else 0 for name, file in files.items()}


def said(batch: Batch) -> str:
    """What the batch printed."""
    return batch.view._console.file.getvalue()


def is_alive(pid: int | str) -> bool:
    """Whether a process runs."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
