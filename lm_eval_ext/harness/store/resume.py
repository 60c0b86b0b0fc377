"""`lm-eval-ext run --resume`: lm-eval's own run, with a model that asks the store first."""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lm_eval.config.evaluate_config import EvaluatorConfig

from lm_eval_ext import atomic
from lm_eval_ext.harness import manifest, protocol
from lm_eval_ext.harness.errors import ProtocolError
from lm_eval_ext.harness.store.folder import Store
from lm_eval_ext.harness.store.model import StoredModel, backend_class
from lm_eval_ext.harness.store.settings import Settings, settings_of
from lm_eval_ext.redaction import redacted, redacted_settings

CHUNK_SIZE = 64
MANIFEST = "manifest.json"


def say(text: str) -> None:
    """A line for the user, apart from the results on standard output."""
    print(text, file=sys.stderr, flush=True)


def prepare(namespace: Namespace, directory: Path, chunk_size: int) -> None:
    """Fills in what `--resume` stands for: output folder, samples, the chunk size for the record.

    Raises:
        ProtocolError: an option that does not go with it, and what to do.
    """
    if getattr(namespace, "use_cache", None):
        raise ProtocolError("--use_cache with --resume: the store keeps the responses; leave --use_cache out")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ProtocolError(
            f"WORLD_SIZE={os.environ['WORLD_SIZE']} with --resume: a store has one writer; start one process "
            "per GPU, each with tasks and a DIR of its own"
        )
    file = getattr(namespace, "config", None)  # its entries yield to options, and these are options now
    given = EvaluatorConfig.load_yaml_config(file) if file else {}
    metadata = getattr(namespace, "metadata", None) or given.get("metadata") or {}
    namespace.output_path = namespace.output_path or given.get("output_path") or str(directory)
    namespace.log_samples = True
    namespace.metadata = {**metadata, "chunk_size": chunk_size}


def check(config: EvaluatorConfig) -> None:
    """Refuses what would make chunks depend on more than the settings.

    Raises:
        ProtocolError: which option, and what to set instead.
    """
    if str(config.model) in ("hf", "hf-auto", "huggingface") and "auto" in str(config.batch_size):
        raise ProtocolError(
            f"--batch_size {config.batch_size} with --model hf and --resume: it is found by the memory that "
            "happens to be free, and outputs depend on it; give a number, --batch_size 16"
        )


def run(
    namespace: Namespace, config: EvaluatorConfig, directory: Path, execute: Callable[[Namespace], None]
) -> None:
    """Executes an evaluation that takes from the store in `directory` what is there.

    Args:
        namespace: lm-eval's parsed command line, after `prepare`.
        config: lm-eval's `EvaluatorConfig` of it.
        execute: lm-eval's own run.

    Raises:
        StoreError: the folder is in use or cannot be written.
    """
    check(config)
    if str(config.model).startswith("vllm"):
        # In a process of its own the engine starts on the first request that happens to reach it.
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    settings = settings_of(
        str(config.model),
        config.model_args,
        chunk_size=config.metadata["chunk_size"],
        seed=config.seed[2] if config.seed else None,
        batch_size=config.batch_size,
        max_batch_size=config.max_batch_size,
        device=config.device,
    )
    with Store(directory, settings, say) as store:
        record = Record(directory, settings, config)
        model = stored_model(config, store, record)
        record.write(model, "running")
        try:
            recorded = redacted(config.model_args)  # the model has the true ones
            execute(Namespace(**{**vars(namespace), "model": model, "model_args": recorded}))
        except BaseException as error:
            record.write(model, "interrupted")
            if isinstance(error, KeyboardInterrupt):
                say(f"{directory}: interrupted; the same command goes on from here")
            raise
        record.write(model, "finished")
        say(summary(directory, model))


def stored_model(config: EvaluatorConfig, store: Store, record: Record) -> StoredModel:
    """The model for lm-eval, which records a model object under the name of its class: the backend's."""
    backend = str(config.model)
    extra = {n: getattr(config, n) for n in ("batch_size", "max_batch_size", "device")}

    def build() -> Any:
        return backend_class(backend).create_from_arg_obj(dict(config.model_args), extra)

    named = type(backend, (StoredModel,), {})
    model: StoredModel = named(backend, build, store, record.of_chunk)
    return model


def summary(directory: Path, model: StoredModel) -> str:
    """One line: what was reused, what was generated."""
    reused = sum(tally.reused for tally in model.tallies.values())
    generated = sum(tally.generated for tally in model.tallies.values())
    seconds = sum(tally.seconds for tally in model.tallies.values())
    return (
        f"{directory}: {reused} responses reused, {generated} generated"
        + (f" in {seconds:.1f} s" if generated else "; the engine was not needed")
        + f" ({MANIFEST})"
    )


class Record:
    """`DIR/manifest.json`: where the results in DIR come from."""

    def __init__(self, directory: Path, settings: Settings, config: EvaluatorConfig) -> None:
        self._path = directory / MANIFEST
        self._fixed = {
            **manifest.of_run(config.model_args),
            "command": ["lm-eval-ext", *map(redacted_settings, sys.argv[1:]), "--resume", str(directory)],
            "settings": dict(settings.values),
            "fingerprint": settings.fingerprint,
            "versions": protocol.versions(),
        }

    def of_chunk(self) -> dict[str, Any]:
        """What a chunk says of the run that made it: chunks of one store may come from two machines."""
        machine = self._fixed["hardware"]
        return {"made": manifest.now(), "on": [machine["cpu"], *machine["gpus"]]}

    def write(self, model: StoredModel, state: str) -> None:
        """The manifest as of now."""
        tasks = model.counts()
        total = {n: sum(task[n] for task in tasks.values()) for n in ("reused", "generated", "seconds")}
        text = json.dumps(
            redacted(
                {"state": state, "written": manifest.now(), **self._fixed, "responses": total, "tasks": tasks}
            ),
            indent=2,
            default=str,
        )
        atomic.write_text(self._path, text + "\n")
