"""A stage: a command whose outputs are files, skipped when it was run before with the same inputs."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lm_eval_ext.batch.job import QUIET, end_with_parent
from lm_eval_ext.harness.errors import UserError
from lm_eval_ext.redaction import redacted_url
from lm_eval_ext.resume import read_json, require_same, write_json

from ..evaluation import Evaluation

CPU_TRAINING = {"MALLOC_TRIM_THRESHOLD_": "100000000000", "MALLOC_MMAP_THRESHOLD_": "100000000000"}
"""Makes training on a CPU twice as fast: glibc keeps the memory of large tensors instead of returning it and
asking for it again at every operation (mallopt(3))."""


@dataclass(frozen=True)
class Stage:
    """One command of a pipeline.

    Attributes:
        name: unique in the pipeline.
        module: run as `python -m MODULE ARGUMENTS`.
        output: removed before the stage is run again; None: the command resumes by itself.
        ok: exit codes that are no failure.
    """

    name: str
    module: str
    arguments: Sequence[str]
    output: Path | None = None
    ok: Sequence[int] = (0,)

    @property
    def command(self) -> str:
        """As recorded; `python` stands for this interpreter."""
        return redacted_url(f"python -m {self.module} {shlex.join(self.arguments)}")


def evaluation_stage(
    name: str, settings: Evaluation, model: str, out: Path, task: str | None = None, limit: int | None = None
) -> Stage:
    """Evaluates a model into the folder `out`; for `task` and `limit` see `Evaluation.arguments`."""
    arguments = ["run", *settings.arguments(model, str(out), task, limit)]
    return Stage(name, "lm_eval_ext.cli", arguments, output=out)


def record(out: Path) -> dict[str, Any]:
    """`steps.json`: name -> command and seconds of each finished stage."""
    return read_json(out / "steps.json") or {}


def run(
    stage: Stage, out: Path, log: Path | None = None, environment: Mapping[str, str] | None = None
) -> None:
    """Runs a stage of the pipeline in `out`, unless it is recorded; its output goes to `log`, if given.

    Raises UserError if it fails, or was run before with another command.
    """
    done = record(out)
    if before := done.get(stage.name):
        advice = "Give the same settings to resume, or another --out"
        require_same({"command": stage.command}, {"command": before["command"]}, out / stage.name, advice)
        print(f"{stage.name}: done before, {before['seconds']:.0f} s", file=sys.stderr)
        return
    if stage.output is not None and stage.output.exists():
        shutil.rmtree(stage.output)
    print(f"\n{stage.name}\n$ {stage.command}{f' > {log}' if log else ''}", file=sys.stderr, flush=True)
    start = time.monotonic()
    command = [sys.executable, "-m", stage.module, *stage.arguments]
    more = {**CPU_TRAINING, **QUIET, **os.environ, **(environment or {})}
    with log.open("ab") if log else nullcontext() as output:
        ended = subprocess.run(
            command, env=more, stdout=output, stderr=output, preexec_fn=end_with_parent, check=False
        )
    code = ended.returncode
    if code not in stage.ok:
        raise UserError(
            f"{stage.name} ended with exit code {code}. Progress is saved; rerun the same command to resume. "
            f"This stage alone: {stage.command}"
        )
    seconds = round(time.monotonic() - start, 1)
    write_json(out / "steps.json", {**done, stage.name: {"command": stage.command, "seconds": seconds}})
