"""`lm-eval-ext run --resume`: lm-eval's own run, with a model that asks the store first."""

from __future__ import annotations

import json
import logging
import os
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lm_eval.config.evaluate_config import EvaluatorConfig

from lm_eval_ext import atomic
from lm_eval_ext.harness import protocol, provenance
from lm_eval_ext.harness.errors import ProtocolError
from lm_eval_ext.harness.store.engines import engine_class
from lm_eval_ext.harness.store.folder import Store
from lm_eval_ext.harness.store.model import StoredModel
from lm_eval_ext.harness.store.settings import Settings, settings_of
from lm_eval_ext.redaction import redacted, redacted_settings

log = logging.getLogger(f"lm_eval.{__name__}")
CHUNK_SIZE = 64
MANIFEST = "manifest.json"


def say(text: str) -> None:
    """Prints a message, apart from the results on standard output."""
    print(text, file=sys.stderr, flush=True)


def prepare(namespace: Namespace, directory: Path, chunk_size: int) -> None:
    """Sets what `--resume` implies: output folder, samples, the chunk size for the record.

    Raises ProtocolError for an option that cannot be combined with it.
    """
    if getattr(namespace, "use_cache", None):
        raise ProtocolError("--use_cache with --resume: the store keeps the responses; leave --use_cache out")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ProtocolError(
            f"WORLD_SIZE={os.environ['WORLD_SIZE']} with --resume: a store has one writer; start one process "
            "per GPU, each with its own tasks and DIR"
        )
    file = getattr(namespace, "config", None)  # options override its entries, and these are options now
    given = EvaluatorConfig.load_yaml_config(file) if file else {}
    metadata = getattr(namespace, "metadata", None) or given.get("metadata") or {}
    namespace.output_path = namespace.output_path or given.get("output_path") or str(directory)
    namespace.log_samples = True
    namespace.metadata = {**metadata, "chunk_size": chunk_size}


def run(
    namespace: Namespace, config: EvaluatorConfig, directory: Path, execute: Callable[[Namespace], None]
) -> None:
    """Lets lm-eval `execute` a prepared command line, with a model that reuses the responses in `directory`.

    Raises ProtocolError for --batch_size auto, ResumeError if the folder is in use or cannot be written.
    """
    if str(config.model) in ("hf", "hf-auto", "huggingface") and "auto" in str(config.batch_size):
        raise ProtocolError(
            f"--batch_size {config.batch_size} with --model hf and --resume: the size found depends on free "
            "memory, and outputs depend on the size; give a number, --batch_size 16"
        )
    if str(config.model).startswith("vllm"):
        # In a separate process the engine starts on whichever request reaches it first.
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
        manifest = Manifest(directory, settings, config)
        model = stored_model(config, store, manifest)
        manifest.write(model, "running")
        try:
            recorded = redacted(config.model_args)  # the model has the true ones
            execute(Namespace(**{**vars(namespace), "model": model, "model_args": recorded}))
        except BaseException as error:
            manifest.write(model, "interrupted")
            if isinstance(error, KeyboardInterrupt):
                say(f"{directory}: interrupted. Progress is saved; rerun the same command to resume.")
            raise
        manifest.write(model, "finished")
        say(summary(directory, model))


def stored_model(config: EvaluatorConfig, store: Store, manifest: Manifest) -> StoredModel:
    """The model for lm-eval, which records a model object by the name of its class: the backend's."""
    backend = str(config.model)
    extra = {n: getattr(config, n) for n in ("batch_size", "max_batch_size", "device")}

    def build() -> Any:
        log.info("starting %s", backend)
        return engine_class(backend).create_from_arg_obj(dict(config.model_args), extra)

    named = type(backend, (StoredModel,), {})
    model: StoredModel = named(backend, build, store, manifest.of_chunk, manifest.write)
    return model


def summary(directory: Path, model: StoredModel) -> str:
    """One line: what was reused, what was generated."""
    total = totals(model)
    rest = f" in {total['seconds']:.1f} s" if total["generated"] else "; the engine was not needed"
    return (
        f"{directory}: {total['reused']} responses reused, {total['generated']} generated{rest} ({MANIFEST})"
    )


def totals(model: StoredModel) -> dict[str, Any]:
    """The counts over all tasks."""
    return {
        name: sum(getattr(counts, name) for counts in model.counts.values())
        for name in ("reused", "generated", "seconds")
    }


class Manifest:
    """`DIR/manifest.json`: where the results in DIR come from."""

    def __init__(self, directory: Path, settings: Settings, config: EvaluatorConfig) -> None:
        self._path = directory / MANIFEST
        self._fixed = {
            **provenance.of_run(config.model_args),
            "command": ["lm-eval-ext", *map(redacted_settings, sys.argv[1:]), "--resume", str(directory)],
            "settings": dict(settings.values),
            "fingerprint": settings.fingerprint,
            "versions": protocol.versions(),
        }

    def of_chunk(self) -> dict[str, Any]:
        """What a chunk records about the run that made it: chunks of one store may come from two machines."""
        machine = self._fixed["hardware"]
        return {"made": provenance.now(), "on": [machine["cpu"], *machine["gpus"]]}

    def write(self, model: StoredModel, state: str = "running") -> None:
        """Writes the manifest as of now."""
        counts = {"responses": totals(model), "tasks": model.record()}
        manifest = redacted({"state": state, "written": provenance.now(), **self._fixed, **counts})
        atomic.write_text(self._path, json.dumps(manifest, indent=2, default=str) + "\n")
