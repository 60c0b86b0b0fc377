"""The settings that all chunks of a run share; a run reuses only chunks made under equal settings."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lm_eval_ext.harness.provenance import identity
from lm_eval_ext.harness.weights import digest
from lm_eval_ext.redaction import is_secret, redacted
from lm_eval_ext.versions import versions_of

ENGINE_PACKAGES = {
    "vllm": ("lm_eval", "vllm", "torch", "transformers"),
    "hf": ("lm_eval", "torch", "transformers", "peft", "bitsandbytes"),
}
ENGINE_VARIABLES = ("VLLM_BATCH_INVARIANT", "VLLM_ATTENTION_BACKEND", "VLLM_ENABLE_V1_MULTIPROCESSING")
CONNECTION = frozenset(
    "base_url num_concurrent max_retries timeout verify_certificate ca_cert_path download_dir".split()
)
"""Model arguments that, like keys and headers, say how a model is reached and not what it answers."""


@dataclass(frozen=True)
class Settings:
    """Settings as JSON values; two runs with an equal `fingerprint` share their chunks."""

    values: Mapping[str, Any]

    def __post_init__(self) -> None:
        size = self.values.get("chunk_size")
        if not isinstance(size, int) or size <= 0:
            raise ValueError(f"chunk_size must be a positive number, got {size!r}")

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all settings."""
        return digest(dict(self.values))


def settings_of(
    backend: str,
    model_args: Mapping[str, Any],
    *,
    chunk_size: int,
    seed: int | None,
    batch_size: int | str,
    max_batch_size: int | None = None,
    device: str | None = None,
) -> Settings:
    """The settings of a run.

    All model arguments count, except CONNECTION and secrets: most change outputs (dtype, quantization,
    adapters), and those that change how requests are scheduled may. A folder counts by its content, a name on
    the Hub by its commit.
    """
    counted = [name for name in model_args if name not in CONNECTION and not is_secret(name)]
    packages = ENGINE_PACKAGES.get(backend.partition("-")[0], ("lm_eval",))
    arguments = {f"model_args.{name}": identity(name, model_args) for name in counted}
    values = {
        "backend": backend,
        "chunk_size": chunk_size,
        "seed": seed,
        "batch_size": str(batch_size),
        "max_batch_size": max_batch_size,
        "device": device,
        **redacted(json.loads(json.dumps(arguments, default=str))),
        **{f"environment.{n}": os.environ[n] for n in ENGINE_VARIABLES if n in os.environ},
        **{f"versions.{n}": version for n, version in versions_of(packages).items()},
    }
    return Settings(values)
