"""Where a score comes from: model, documents, prompts, versions, hardware, commit, date."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

from lm_eval.api.instance import Instance

from lm_eval_ext.harness import identity
from lm_eval_ext.harness.hardware import hardware


def of_run(model_args: Mapping[str, Any]) -> dict[str, Any]:
    """What holds for all tasks of a run."""
    return {
        "model": identity.of_model(model_args),
        "hardware": hardware(),
        "commit": package_commit(),
        "date": now(),
    }


def of_requests(instances: Iterable[Instance]) -> dict[str, Any]:
    """What the requests of one task were made of.

    `documents_sha256` is over the documents used, in order; `prompts_sha256` over the prompts as the model
    gets them, exemplars and chat template included; `stops` are the strings that end a response.
    """
    instances = list(instances)
    documents = {instance.doc_id: instance.doc for instance in instances}
    stops = next((i.args[1].get("until") for i in instances if i.request_type == "generate_until"), None)
    return {
        "documents": len(documents),
        "documents_sha256": identity.digest(list(documents.values())),
        "prompts_sha256": identity.digest([str(instance.args[0]) for instance in instances]),
        "stops": stops or [],
    }


def now() -> str:
    """The time of day in UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


@lru_cache(maxsize=1)
def package_commit() -> str | None:
    """The commit of the checkout this package runs from, marked where it has changes; None if installed."""
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
