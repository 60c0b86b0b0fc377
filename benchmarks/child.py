"""One grader over one data set, in a process of its own: `python -m benchmarks.child JOB RESULT`.

A process each, so that memory is a grader's own, its timeouts have the main thread's SIGALRM, nothing is
cached by another one, and a crash ends nothing but itself.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.peers import PEERS

WARM_UP = (r"Final answer: $\boxed{\frac{6}{8}}$", "0.75")
OURS = "this grader"


@dataclass(frozen=True)
class Job:
    """What a child is to do.

    Attributes:
        grader: `OURS` or a key of `PEERS`.
        rows: (response, gold, problem); peers get no problem.
        workers: symbolic workers of this grader; peers have none.
        one_by_one: whether this grader gets its items one at a time, for their latency.
    """

    grader: str
    rows: list[tuple[str, str, str | None]]
    workers: int = 1
    one_by_one: bool = False


@dataclass(frozen=True)
class Result:
    """What came of it.

    Attributes:
        start_s: seconds from the child's first line to its first verdict, on a made-up pair.
        wall_s: seconds for all rows after that.
        verdicts: per pair whether it is accepted, None for undecided.
        latencies_ms: per pair, where they were graded one at a time.
        details: per pair (layer, answer, reason); this grader only.
        errors: pairs at which a peer raised; they count as not accepted.
        not_installed: why it did not run, if so.
    """

    start_s: float = 0.0
    wall_s: float = 0.0
    verdicts: list[bool | None] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    details: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    errors: int = 0
    not_installed: str | None = None


def run(job: Job) -> Result:
    """Does the job in this process."""
    if job.grader != OURS:
        return _run_peer(job)
    return _run_ours_one_by_one(job) if job.one_by_one else _run_ours(job)


def _run_peer(job: Job) -> Result:
    started = time.perf_counter()
    try:
        accepts = PEERS[job.grader]()
        accepts(*WARM_UP)
    except (ImportError, AssertionError) as error:
        return Result(not_installed=f"{type(error).__name__}: {error}")
    ready = time.perf_counter()
    verdicts: list[bool | None] = []
    latencies: list[float] = []
    errors = 0
    for response, gold, _ in _bar(job):
        before = time.perf_counter()
        try:
            verdicts.append(accepts(response, gold))
        except Exception:  # a peer that raises does not accept; how often is reported
            verdicts.append(False)
            errors += 1
        latencies.append(1000 * (time.perf_counter() - before))
    return Result(ready - started, time.perf_counter() - ready, verdicts, latencies, errors=errors)


def _run_ours(job: Job) -> Result:
    started = time.perf_counter()
    with _our_grader(job.workers) as grader:
        grader.grade(_items([WARM_UP]))
        items = _items(job.rows)
        ready = time.perf_counter()
        verdicts = grader.grade(items, progress=f"{OURS}, {job.workers} workers")
        ended = time.perf_counter()
    return Result(ready - started, ended - ready, _decisions(verdicts), details=_details(verdicts))


def _run_ours_one_by_one(job: Job) -> Result:
    started = time.perf_counter()
    verdicts: list[Any] = []
    latencies: list[float] = []
    with _our_grader(job.workers) as grader:
        grader.grade(_items([WARM_UP]))
        ready = time.perf_counter()
        for row in _bar(job):
            before = time.perf_counter()
            verdicts += grader.grade(_items([row]))
            latencies.append(1000 * (time.perf_counter() - before))
        ended = time.perf_counter()
    return Result(ready - started, ended - ready, _decisions(verdicts), latencies, _details(verdicts))


def _our_grader(workers: int) -> Any:
    from lm_eval_ext.grading import Grader, GraderConfig

    return Grader(GraderConfig(workers=workers))


def _items(rows: Sequence[Sequence[str | None]]) -> list[Any]:
    from lm_eval_ext.grading import Item

    return [Item(*row) for row in rows]  # type: ignore[arg-type]


def _decisions(verdicts: Sequence[Any]) -> list[bool | None]:
    return [verdict.correct for verdict in verdicts]


def _details(verdicts: Sequence[Any]) -> list[tuple[str, str | None, str | None]]:
    return [(verdict.layer, verdict.answer, verdict.reason) for verdict in verdicts]


def _bar(job: Job) -> Any:
    label = f"{job.grader}, one by one" if job.grader == OURS else job.grader
    return tqdm(job.rows, desc=label, unit="answer", leave=False)


def main() -> None:
    """Reads the job from the first argument's file, writes the result into the second's."""
    logging.disable(logging.CRITICAL)  # peers log every timeout and every text they cannot read
    job = Job(**json.loads(Path(sys.argv[1]).read_text("utf-8")))
    Path(sys.argv[2]).write_text(json.dumps(asdict(run(job))), "utf-8")


if __name__ == "__main__":
    main()
