"""Runs graders in child processes and turns what they return into figures."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.child import OURS, Job, Result
from benchmarks.data import ROOT, SEED, Row
from benchmarks.figures import (
    Figures,
    disagreements_with,
    distinct_pairs,
    figures,
    latency,
    layer_shares,
)
from benchmarks.memory import memory

LATENCY_SAMPLE = 500
LIMIT_S = 600.0
"""A peer that has not ended by then hangs in a place that its own timeouts do not reach, in seconds."""
_LOOK_EVERY_S = 0.1


def run_child(job: Job, packages: Path | None = None) -> tuple[Result | str, float]:
    """Does a job in a process of its own.

    Args:
        job: what to do.
        packages: a folder of packages that come before the installed ones.

    Returns:
        The result, or how the child failed; and its peak memory in MiB, workers included, as seen every
        `_LOOK_EVERY_S`.
    """
    with tempfile.TemporaryDirectory() as folder:
        job_file, result_file = Path(folder, "job.json"), Path(folder, "result.json")
        job_file.write_text(json.dumps(asdict(job)), "utf-8")
        files = [str(job_file), str(result_file)]
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.child", *files]
        paths = [str(path) for path in (packages, ROOT) if path] + os.environ.get("PYTHONPATH", "").split(":")
        child = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": ":".join(filter(None, paths))},
        )
        peak, overrun = _watch(child)
        if overrun:
            return f"had not ended after {LIMIT_S:g} s", peak
        if child.returncode:
            return f"crashed (exit code {child.returncode})", peak
        return Result(**json.loads(result_file.read_text("utf-8"))), peak


def _watch(child: subprocess.Popen[bytes]) -> tuple[float, bool]:
    """Waits for the child: (its peak in MiB, whether it had to be killed at `LIMIT_S`)."""
    deadline = time.monotonic() + LIMIT_S
    peak = 0.0
    overrun = False
    while child.poll() is None:
        peak = max(peak, memory(child.pid).total)
        if time.monotonic() > deadline:
            overrun = True
            child.kill()
        time.sleep(_LOOK_EVERY_S)
    return peak, overrun


def ours(rows: Sequence[Row], workers: int) -> tuple[Figures, Result | str]:
    """Figures of this grader with so many workers: all rows at once, then a sample of them one by one."""
    given = _given(rows)
    result, peak = run_child(Job(OURS, given, workers))
    if isinstance(result, str):
        return {"failed": result}, result
    sample = random.Random(SEED).sample(given, min(LATENCY_SAMPLE, len(given)))
    singly, _ = run_child(Job(OURS, sample, workers, one_by_one=True))
    found = {**figures(rows, result, peak), "layers": layer_shares(result)}
    found |= {"failed": singly} if isinstance(singly, str) else latency(singly.latencies_ms)
    return found, result


def _given(rows: Sequence[Row]) -> list[tuple[str, str, str | None]]:
    return [(row.response, row.gold, row.problem) for row in rows]


def peer(name: str, rows: Sequence[Row], packages: Path | None) -> Figures:
    """Figures of a peer, or why there are none."""
    job = Job(name, _given(rows))
    result, peak = run_child(job, packages if "minerva" in name else None)
    if isinstance(result, str):
        return {"failed": result}
    if result.not_installed:
        return {"failed": f"not installed ({result.not_installed})"}
    return figures(rows, result, peak) | latency(result.latencies_ms) | {"errors": result.errors}


def data_set(rows: Sequence[Row], workers: int, peers: Sequence[str], packages: Path | None) -> Figures:
    """Every grader on the same rows, one after another: this one with all workers and with one, the peers."""
    graders: dict[str, Figures] = {}
    graders[our_name(workers)], result = ours(rows, workers)
    if workers > 1:
        graders[our_name(1)] = ours(rows, 1)[0]
    for name in peers:
        graders[name] = peer(name, rows, packages)
    disagreements = [] if isinstance(result, str) else disagreements_with(rows, result)
    distinct = None if isinstance(result, str) else distinct_pairs(rows, result)
    return {
        "n": len(rows),
        "right": sum(row.right for row in rows),
        "distinct": distinct,
        "graders": graders,
        "disagreements": disagreements,
    }


def our_name(workers: int) -> str:
    """The row's name in the tables."""
    return f"{OURS}, {workers} worker{'s' if workers > 1 else ''}"
