"""Runs programs with their tests, each in fresh processes, several at a time."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lm_eval_ext.grading.cores import share_of, usable_cores
from lm_eval_ext.rewards.code.sandbox import wire

WALL_PER_CPU = 4
"""Seconds on the clock per second of CPU time: a loaded machine must not decide."""
FILE_MB = 16
_GRACE_S = 5.0
LATE = "the tests ran out of time"
_COMMAND = (
    f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from sandbox.main import main; main()"
)
_ENVIRONMENT = {"LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/dev/urandom")


@dataclass(frozen=True)
class Limits:
    """Of one program.

    Attributes:
        cpu_s: CPU time in whole seconds.
        memory_mb: address space, in MiB.
    """

    cpu_s: int = 10
    memory_mb: int = 1024


@dataclass(frozen=True)
class Tests:
    """What a program is tested by.

    Attributes:
        tests: statements with asserts.
        setup: statements that run before them.
        reference: the reference solution; its names are the program's where Python has them too (`sum`).
    """

    tests: str
    setup: str = ""
    reference: str = ""


@dataclass(frozen=True)
class Outcome:
    """The results of a program's asserts.

    Attributes:
        held: number of asserts that hold each time that they run.
        total: number of asserts that ran, or that would have run if nothing else had failed.
        failure: the first one; None if all asserts hold.
        undecided: why the tests could not be run.
    """

    held: int = 0
    total: int = 1
    failure: str | None = None
    undecided: str | None = None


def run_all(jobs: Sequence[tuple[str, Tests]], limits: Limits, workers: int | None = None) -> list[Outcome]:
    """The outcomes of (program, tests) in order; `workers` at a time, by default this process's cores."""
    with ThreadPoolExecutor(workers or share_of(usable_cores())) as pool:
        return list(pool.map(lambda job: run(job[0], job[1], limits), jobs))


def run(code: str, tests: Tests, limits: Limits) -> Outcome:
    """Runs one program in an empty temporary folder, which is removed afterwards."""
    folder = os.path.realpath(tempfile.mkdtemp(prefix="lm-eval-ext-code-"))
    try:
        return _outcome(*_output(_messages(code, tests, limits, folder), folder, limits))
    finally:
        _remove(folder)


def _messages(code: str, tests: Tests, limits: Limits, folder: str) -> bytes:
    """What the tests' process reads, see `sandbox.main`."""
    packages = sorted({sysconfig.get_path(name) for name in ("purelib", "platlib")})
    job = {
        "code": code,
        "cpu_s": limits.cpu_s,
        "wall_s": limits.cpu_s * WALL_PER_CPU,
        "memory_mb": limits.memory_mb,
        "file_mb": FILE_MB,
        "folder": folder,
        "packages": packages,
        "readable": [sys.prefix, sys.base_prefix, *packages, *_SYSTEM],
    }
    return wire.framed(job) + wire.framed(vars(tests))


def _output(messages: bytes, folder: str, limits: Limits) -> tuple[bytes, str | None]:
    """What the tests' process writes, and how it ended if not by itself."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _COMMAND],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={**_ENVIRONMENT, "HOME": folder, "TMPDIR": folder},
        start_new_session=True,
    )
    try:
        found, _ = process.communicate(messages, limits.cpu_s * WALL_PER_CPU + _GRACE_S)
    except subprocess.TimeoutExpired:
        return _killed(process), LATE
    except BaseException:
        _killed(process)
        raise
    code = process.returncode
    return found, f"the tests' process ended with exit code {code}" if code else None


def _killed(process: subprocess.Popen[bytes]) -> bytes:
    """Kills a process with its children; what it had written."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()[0]


def _outcome(output: bytes, ended: str | None) -> Outcome:
    """The outcome from what the tests' process wrote; the last line may be half a line."""
    held: dict[int, bool] = {}
    failures: list[str] = []
    asserts = 1
    finished = False
    for word, *content in map(json.loads, output.split(b"\n")[:-1]):
        if word == "broken":
            return Outcome(undecided=content[0])
        if word == "asserts":
            asserts = max(1, *content)
        elif word == "assert":
            number, holds, why = content
            held[number] = holds and held.get(number, True)
            failures += [] if holds else [why]
        else:
            finished = True
            failures += [why for why in content if why is not None]
    if ended != LATE and not finished:
        return Outcome(undecided=ended or "the tests' process ended without a result")
    failures += [ended] if ended == LATE else []
    complete = finished and content == [None]
    return Outcome(sum(held.values()), len(held) if complete else asserts, *failures[:1])


def _remove(folder: str) -> None:
    with suppress(OSError, RecursionError):
        shutil.rmtree(folder)
    if os.path.exists(folder):  # folders nested too deep for shutil
        subprocess.run(["rm", "-rf", "--", folder], check=False)
