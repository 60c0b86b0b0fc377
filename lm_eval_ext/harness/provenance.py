"""Where a score comes from: model, documents, prompts, hardware, commit, date."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from lm_eval.api.instance import Instance

from lm_eval_ext.harness.hardware import hardware
from lm_eval_ext.harness.weights import digest, hash_files

PLACES = ("pretrained", "peft", "delta", "lora_local_path", "tokenizer", "gguf_file")
REVISION_OF = {"pretrained": "revision", "tokenizer": "tokenizer_revision"}


def of_run(model_args: Mapping[str, Any]) -> dict[str, Any]:
    """What all tasks of a run share."""
    names = [name for name in PLACES[:4] if name in model_args]
    model = {name: str(model_args[name]) for name in ("model", *names) if name in model_args}
    return {
        "model": model | {f"{name}_identity": str(identity(name, model_args)) for name in names},
        "hardware": hardware(),
        "commit": package_commit(),
        "date": now(),
    }


def of_requests(instances: Iterable[Instance]) -> dict[str, Any]:
    """What the requests of one task were made of.

    `documents_sha256` covers the documents used, in order; `prompts_sha256` the prompts as the model gets
    them, exemplars and chat template included; `stops` are the strings that end a response.
    """
    instances = list(instances)
    documents = {instance.doc_id: instance.doc for instance in instances}
    stops = next((i.args[1].get("until") for i in instances if i.request_type == "generate_until"), None)
    return {
        "documents": len(documents),
        "documents_sha256": digest(list(documents.values())),
        "prompts_sha256": digest([str(instance.args[0]) for instance in instances]),
        "stops": stops or [],
    }


def identity(name: str, model_args: Mapping[str, Any]) -> Any:
    """A model argument, with content in place of location.

    A local folder or file becomes "sha256:...", a name on the Hub "name@commit"; anything else stays.
    """
    value = model_args[name]
    if name not in PLACES or not isinstance(value, str):
        return value
    if (path := Path(value).expanduser()).exists():
        return f"sha256:{hash_files(path)}"
    if name in REVISION_OF:
        return f"{value}@{hub_commit(value, model_args.get(REVISION_OF[name]))}"
    return value


@lru_cache(maxsize=64)
def hub_commit(repository: str, revision: str | None) -> str:
    """The current commit of a revision on the Hub; without a network, that of the cached copy.

    The revision as given if neither is known.
    """
    from huggingface_hub import HfApi, try_to_load_from_cache

    try:
        found = HfApi().model_info(repository, revision=revision, timeout=5).sha
    except Exception:  # any failure of network or name: the engine reports it if it matters
        found = None
    if found:
        return str(found)
    try:
        cached = try_to_load_from_cache(repository, "config.json", revision=revision or "main")
    except ValueError:  # not a valid name on the Hub
        cached = None
    return Path(cached).parent.name if isinstance(cached, str) else (revision or "main")


def now() -> str:
    """The current time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@lru_cache(maxsize=1)
def package_commit() -> str | None:
    """The commit of the checkout this package runs from, marked if it has changes; None if installed."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return f"{commit} with changes" if _git(root, "status", "--porcelain", "-uno") else commit
    except (OSError, subprocess.SubprocessError):
        return None


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
