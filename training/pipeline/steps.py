"""Steps of a pipeline: commands, each done once and recorded, so that a stopped run goes on."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from lm_eval_ext.atomic import write_text
from lm_eval_ext.harness.errors import UserError

RECORD = "steps.json"
QUIET = {"VLLM_LOGGING_LEVEL": "ERROR", "TOKENIZERS_PARALLELISM": "false"}


@dataclass(frozen=True)
class Done:
    """A step that is finished.

    Attributes:
        command: what was run, `python` for this interpreter.
        seconds: of wall time.
    """

    command: str
    seconds: float


CPU_TRAINING = {"MALLOC_TRIM_THRESHOLD_": "100000000000", "MALLOC_MMAP_THRESHOLD_": "100000000000"}
"""Environment under which training on a CPU is twice as fast: glibc keeps the large tensors' memory, which is
else returned and asked for again at every operation (mallopt(3))."""


class Steps:
    """The steps of the pipeline in a folder, recorded in `steps.json`: name -> command and seconds.

    A step in the record is not done again. Raises UserError where it was done with another command.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / RECORD
        known = json.loads(self.file.read_text("utf-8")) if self.file.is_file() else {}
        self.done = {name: Done(**step) for name, step in known.items()}

    def run(
        self,
        name: str,
        module: str,
        arguments: Sequence[str],
        *,
        anew: Path | None = None,
        ok: Collection[int] = (0,),
    ) -> None:
        """Runs `python -m module arguments`, unless it is recorded.

        Args:
            anew: what it makes: half of it, of a run that was stopped, is removed before. None: the command
                goes on by itself.
            ok: exit codes that are no failure.

        Raises UserError on other exit codes, and on a record with another command.
        """
        command = f"python -m {module} {shlex.join(arguments)}"
        if name in self.done:
            self._same(name, command)
            print(f"{name}: done before, {self.done[name].seconds:.0f} s", file=sys.stderr)
            return
        if anew is not None and anew.exists():
            shutil.rmtree(anew)
        print(f"\n{name}\n$ {command}", file=sys.stderr, flush=True)
        start = time.monotonic()
        code = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env={**CPU_TRAINING, **QUIET, **os.environ},
            check=False,
        ).returncode
        if code not in ok:
            raise UserError(
                f"{name} ended with exit code {code}. What is finished is kept: give the same command again "
                f"to go on. The step alone: {command}"
            )
        self.done[name] = Done(command, round(time.monotonic() - start, 1))
        self._write()

    def _same(self, name: str, command: str) -> None:
        if (before := self.done[name].command) != command:
            raise UserError(
                f"{self.file}: {name} was done by\n  {before}\nand now it would be\n  {command}\n"
                "Give the same settings to go on, or another --out"
            )

    def _write(self) -> None:
        record = {name: vars(step) for name, step in self.done.items()}
        write_text(self.file, json.dumps(record, indent=1, ensure_ascii=False))
