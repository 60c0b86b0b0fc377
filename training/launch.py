"""Several processes for one training: `accelerate launch`, and a vLLM server on GPUs of its own.

    lm-eval-ext train grpo --config R                     one process for each free GPU
    lm-eval-ext train grpo --config R --processes 2       on a CPU, too
    lm-eval-ext train grpo --config R --vllm_gpus 2       the last two GPUs sample for the others

TRL's trainers refuse several GPUs in one process. A process that accelerate or torchrun has started trains.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lm_eval_ext.batch.executors.local import free_gpus
from lm_eval_ext.batch.job import QUIET, end_with_parent
from lm_eval_ext.harness.errors import UserError

from .batch import batch_options, whole
from .recipe import read
from .recipe_files import settings_given, settings_in

HOME = __package__
CONFIGS = Path(__file__).resolve().parent / "configs" / "accelerate"
SERVER_STARTS_S = 600.0


@dataclass(frozen=True)
class Launch:
    """The processes of one training.

    Attributes:
        module: that trains, run by each process.
        arguments: its command line.
        settings: those of the recipe and the command line.
        gpus: that train; empty: the CPU.
        server_gpus: that sample, by a vLLM server; empty: no server.
    """

    module: str
    arguments: Sequence[str]
    settings: Mapping[str, Any]
    gpus: Sequence[str]
    server_gpus: Sequence[str]

    @classmethod
    def of(cls, module: str, arguments: Sequence[str], gpus: Sequence[str]) -> Launch:
        """With the free GPUs divided by `vllm_gpus`. Raises UserError if there are too few."""
        settings = settings_given(arguments)
        sampling = whole(settings, "vllm_gpus")
        training = len(gpus) - sampling
        processes = whole(settings, "processes")
        if (sampling and training < 1) or (gpus and processes > training):
            raise UserError(
                f"recipe: {processes or 1} processes and vllm_gpus {sampling} need as many GPUs, and "
                f"{len(gpus)} are free"
            )
        used = gpus[: processes or training]
        return cls(module, arguments, settings, used, gpus[training:] if sampling else [])

    @property
    def processes(self) -> int:
        return whole(self.settings, "processes") or max(1, len(self.gpus))

    @property
    def configuration(self) -> Path:
        """The file for accelerate. Raises UserError if there is none, or its package is missing."""
        name = str(self.settings.get("accelerate") or "ddp")
        file = next((f for f in (CONFIGS / f"{name}.yaml", Path(name)) if f.is_file()), None)
        if file is None:
            known = ", ".join(sorted(path.stem for path in CONFIGS.glob("*.yaml")))
            raise UserError(f"recipe: accelerate is {name!r}; it must be a file, or one of {known}")
        if settings_in(file).get("distributed_type") == "DEEPSPEED" and find_spec("deepspeed") is None:
            raise UserError(
                f"recipe: accelerate: {name} needs deepspeed: pip install 'lm-eval-ext[deepspeed]'"
            )
        return file

    def command(self, more: Sequence[str] = ()) -> list[str]:
        """The command that trains in all processes, with `more` arguments."""
        launcher = ["accelerate.commands.launch", "--config_file", str(self.configuration)]
        launcher += [
            "--num_processes",
            str(self.processes),
            "--num_machines",
            "1",
            "--main_process_port",
            "0",
        ]
        return [sys.executable, "-m", *launcher, "--module", self.module, *self.arguments, *more]

    def serve_command(self, port: int) -> list[str]:
        """vLLM's own server, with what TRL's client needs: a whole model on each of `server_gpus`."""
        model = str(self.settings.get("model_name_or_path"))
        options = {
            "host": "127.0.0.1",
            "port": port,
            "data-parallel-size": len(self.server_gpus),
            "revision": self.settings.get("model_revision"),
            "max-model-len": self.settings.get("vllm_max_model_length"),
            "logprobs-mode": "processed_logprobs",
            "max-logprobs": -1,
            "weight-transfer-config": '{"backend": "nccl"}',
        }
        listed = [part for name, v in options.items() if v is not None for part in (f"--{name}", str(v))]
        return [sys.executable, "-m", "vllm.entrypoints.cli.main", "serve", model, *listed]

    def run(self) -> None:
        """Checks the recipe, then trains. Raises SystemExit with the exit code of what failed."""
        batch_options(self.settings, self.processes)
        self.command()
        if str(self.settings.get("preflight", True)).lower() not in ("false", "no", "0"):
            _run([sys.executable, "-m", f"{HOME}.preflight", *self._checked()], self.gpus[:1], (0, 3), QUIET)
        more = ["--preflight", "false"]
        if not self.server_gpus:
            return _run(self.command(more), self.gpus)
        log = Path(str(self.settings.get("output_dir") or ".")) / "vllm_server.log"
        port, group = _free_port(), _free_port()
        with _served(self.serve_command(port), self.server_gpus, port, log) as url:
            more += ["--use_vllm", "true", "--vllm_mode", "server", "--vllm_server_base_url", url]
            return _run(self.command([*more, "--vllm_group_port", str(group)]), self.gpus)

    def _checked(self) -> list[str]:
        """Arguments of preflight."""
        report = Path(str(self.settings.get("output_dir") or ".")) / "preflight.json"
        return [*self.arguments, "--trainer", self.module.rpartition(".")[2], "--json", str(report)]


def started(kind: str, arguments: Sequence[str] | None) -> bool:
    """Trains in several processes where there are several GPUs, or the recipe asks for them.

    False: this process is to train. Raises SystemExit if a process failed.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not {"-h", "--help"}.isdisjoint(given):
        read(kind, given)  # prints every setting, and exits
    if "RANK" in os.environ or "LOCAL_RANK" in os.environ:
        return False
    named = os.environ.get("CUDA_VISIBLE_DEVICES") if shutil.which("nvidia-smi") else None
    launch = Launch.of(f"{HOME}.{kind}", given, named.split(",") if named else free_gpus())
    if launch.processes > 1 or launch.server_gpus:
        launch.run()
        return True
    if launch.gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = launch.gpus[0]
    return False


def _environment(gpus: Sequence[str]) -> dict[str, str]:
    return {**os.environ, **({"CUDA_VISIBLE_DEVICES": ",".join(gpus)} if gpus else {})}


def _run(
    command: Sequence[str],
    gpus: Sequence[str],
    ok: Sequence[int] = (0,),
    more: Mapping[str, str] = MappingProxyType({}),
) -> None:
    environment = {**more, **_environment(gpus)}
    ended = subprocess.run(command, env=environment, preexec_fn=end_with_parent, check=False)
    if ended.returncode not in ok:
        raise SystemExit(ended.returncode)


@contextmanager
def _served(command: Sequence[str], gpus: Sequence[str], port: int, log: Path) -> Iterator[str]:
    """The address of a server that this command starts; ended afterwards. Raises UserError if it fails."""
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + SERVER_STARTS_S
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**_environment(gpus), "VLLM_SERVER_DEV_MODE": "1"}  # which serves the transfer of weights
    with log.open("ab") as said:
        server = subprocess.Popen(
            command, env=environment, stdout=said, stderr=said, preexec_fn=end_with_parent
        )
        try:
            while not _healthy(url):
                if server.poll() is not None or time.monotonic() > end:
                    raise UserError(f"the vLLM server did not start (exit code {server.poll()}): see {log}")
                time.sleep(0.5)
            yield url
        finally:
            server.terminate()
            with suppress(subprocess.TimeoutExpired):
                server.wait(30)
            server.kill()
            server.wait()


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
