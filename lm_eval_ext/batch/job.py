"""`python -m lm_eval_ext.batch.job FOLDER`: the process of one cell, on whichever machine it runs.

It copies a remote model, merges an adapter, runs `lm-eval-ext run --resume FOLDER`, and records the outcome.
Files of a cell: `cell.json` is the job, `state.json` who runs it, `done.json` its scores.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from lm_eval_ext import remote
from lm_eval_ext.batch.scores import scores_in
from lm_eval_ext.errors import UserError
from lm_eval_ext.harness.weights import here, stamp
from lm_eval_ext.resume import locked_when_free, read_json, write_json

JOB, STATE, DONE = "cell.json", "state.json", "done.json"
LAUNCHER = (sys.executable, "-m", "lm_eval_ext.cli")
QUIET = {"VLLM_LOGGING_LEVEL": "ERROR", "TOKENIZERS_PARALLELISM": "false", "LM_EVAL_EXT_PART": "1"}
"""Environment of a command that is a part of another."""
LORA_RANKS = (16, 32, 64, 128, 256, 320, 512)
"""What vLLM takes as `max_lora_rank`."""
BRIEF = ("--prompts", "4", "--no-vllm")
"""The proof of a merge, made short: the evaluation loads the model in its engine anyway."""
_PR_SET_PDEATHSIG = 1
Launcher = tuple[str, ...]


class Job(BaseModel):
    """What a cell's process needs to know.

    Attributes:
        path: of the model: a local folder, a name, or a remote path.
        weights: changes with the files of a local folder.
        merged: folder for the merged model, if the model is an adapter to be merged.
        arguments: options of `lm-eval-ext run`, without model and folder.
        data: LM_EVAL_EXT_DATA.
        output: remote folder to which the finished cell is copied.
        launcher: the program `lm-eval-ext`.
    """

    model_config = ConfigDict(protected_namespaces=())

    path: str
    weights: str | None
    model: str
    model_args: dict[str, Any]
    adapter: str
    merged: str
    arguments: list[str]
    data: str | None
    output: str | None = None
    launcher: Launcher = LAUNCHER

    @property
    def settings(self) -> dict[str, Any]:
        """What a cell must share with an earlier run to count as done."""
        return dict(json.loads(self.model_dump_json(exclude={"launcher", "output", "merged"})))

    @property
    def named(self) -> dict[str, Any]:
        """The model argument with the path as given."""
        return {"pretrained" if self.model.startswith(("vllm", "hf")) else "model": self.path}

    def options(self, model: dict[str, Any]) -> list[str]:
        """Options of `lm-eval-ext run`, given the arguments that say where the model is."""
        arguments = json.dumps({**self.model_args, **model})
        return ["--model", self.model, "--model_args", arguments, *self.arguments]


def outcome(job: Job, folder: Path) -> dict[str, Any] | None:
    """`done.json` of a cell that is finished under the settings of this job, with its results there."""
    done = read_json(folder / DONE)
    if done is None or done["settings"] != job.settings or not (folder / done["results"]).is_file():
        return None
    return done


def started(folder: Path) -> dict[str, Any]:
    """`state.json`: host, process, time of the last start, and the number of starts."""
    return read_json(folder / STATE) or {"attempts": 0}


def run(folder: Path) -> int:
    """Runs the job in a cell's folder; returns the launcher's exit code.

    Waits while another process runs the same cell, such as an attempt on a node that was given up, and
    returns at once if that one has finished it.
    """
    job = Job.model_validate_json((folder / JOB).read_bytes())
    with locked_when_free(folder / "lock", folder):
        if outcome(job, folder):
            return 0
        host, attempts = socket.gethostname(), started(folder)["attempts"] + 1
        state = {"host": host, "process": os.getpid(), "began": time.time(), "attempts": attempts}
        write_json(folder / STATE, state)
        code = _child(command(job, folder), {**QUIET, **({"LM_EVAL_EXT_DATA": job.data} if job.data else {})})
        if code == 0:
            _finish(job, folder, {"host": host, "seconds": round(time.time() - state["began"], 1)})
        return code


def command(job: Job, folder: Path) -> list[str]:
    """The call of `lm-eval-ext run`; makes the model available first."""
    return [*job.launcher, "run", "--resume", str(folder), *job.options(_located(job))]


def _located(job: Job) -> dict[str, Any]:
    """The model arguments that say where the model is; makes it available there."""
    if "pretrained" not in job.named:
        return job.named
    path = str(here(job.path)) if remote.is_remote(job.path) else job.path
    config = read_json(Path(path) / "adapter_config.json")
    if config is None:
        return {"pretrained": path}
    if job.adapter == "merge":
        return {"pretrained": str(_merged(Path(path), Path(job.merged), job.launcher))}
    base = str(config["base_model_name_or_path"])
    tokenizer = {"tokenizer": path} if (Path(path) / "tokenizer_config.json").is_file() else {}
    if job.model.startswith("hf"):
        return {"pretrained": base, "peft": path, **tokenizer}
    rank = next((known for known in LORA_RANKS if known >= int(config.get("r", 16))), None)
    if rank is None:
        raise UserError(
            f"{path}: rank {config['r']} is above vLLM's largest, {LORA_RANKS[-1]}; use adapter: merge"
        )
    return {"pretrained": base, "lora_local_path": path, "max_lora_rank": rank, **tokenizer}


def _merged(adapter: Path, target: Path, launcher: Launcher) -> Path:
    """The merged model; the first cell that needs it merges, the others wait."""
    record = target.with_name(f"{target.name}.json")
    now = {"adapter": str(adapter), "weights": stamp(adapter)}
    with locked_when_free(target.with_name(f"{target.name}.lock"), target):
        if target.is_dir() and read_json(record) == now:
            return target
        shutil.rmtree(target, ignore_errors=True)
        code = _child([*launcher, "train", "merge", str(adapter), "--out", str(target), *BRIEF], QUIET)
        if code not in (0, 3):
            raise UserError(f"{adapter} cannot be merged (exit code {code}): see above, or use adapter: lora")
        write_json(record, now)
    return target


def _child(call: Sequence[str], environment: dict[str, str]) -> int:
    print("$", " ".join(call), flush=True)
    env = {**environment, **os.environ}
    return subprocess.run(call, env=env, preexec_fn=end_with_parent, check=False).returncode


def _finish(job: Job, folder: Path, about: dict[str, Any]) -> None:
    """Records the newest results; removes older ones, of other settings or of a killed run."""
    results, scores = scores_in(folder)
    for old in folder.rglob("results_*.json"):
        if old != results:
            date = old.stem.removeprefix("results_")
            for file in (*old.parent.glob(f"samples_*_{date}.jsonl"), old):
                file.unlink()
    if job.output:  # a failure is tried again: nothing says yet that the cell is done
        remote.copy_out(folder, job.output)
    done = {**about, "settings": job.settings, "results": str(results.relative_to(folder))}
    dumped = {name: score.model_dump() for name, score in scores.items()}
    write_json(folder / DONE, {**done, "scores": dumped})


def end_with_parent() -> None:
    """Has Linux send this process SIGTERM when its parent ends, however it ends."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    end_with_parent()
    sys.exit(run(Path(sys.argv[1])))
