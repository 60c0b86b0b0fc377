"""Keeps keys out of what lm-eval itself prints and writes: its results file has all of `--model_args`."""

from __future__ import annotations

import json
import logging
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from lm_eval_ext import atomic
from lm_eval_ext.redaction import is_secret, redacted, redacted_results, secret_texts, without

log = logging.getLogger(f"lm_eval.{__name__}")
_warned: set[str] = set()


@contextmanager
def kept_secret(settings: Mapping[str, Any], output: Path | None) -> Iterator[None]:
    """Hides the secrets in a user's settings from what is printed meanwhile, and from files in `output`."""
    if redacted(settings) == settings:
        yield
        return
    for given in settings.values():
        warn(given)
    secrets = secret_texts(settings)
    began, streams = time.time(), (sys.stdout, sys.stderr)
    sys.stdout, sys.stderr = (_RedactingStream(stream, secrets) for stream in streams)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams
        if output is not None:
            _hide_in_files(output, secrets, began - 2)


def user_settings(namespace: Namespace) -> dict[str, Any]:
    """The settings of a command line of lm-eval and of its `--config` file."""
    from lm_eval.config.evaluate_config import EvaluatorConfig

    file = getattr(namespace, "config", None)
    given = EvaluatorConfig.load_yaml_config(file) if file else {}
    return {**given, **{k: v for k, v in vars(namespace).items() if v is not None}}


def hide_in_record() -> None:
    """Redacts, in place, the settings that the running `simple_evaluate` will record.

    For a task, which is called when the model is built and has what it needs. lm-eval has no hook for what it
    records, so the dictionaries are looked up in its stack frame.
    """
    frame = sys._getframe(1)
    while frame.f_code.co_name != "simple_evaluate":
        if frame.f_back is None:
            return
        frame = frame.f_back
    for name in ("model_args", "gen_kwargs", "metadata"):
        held = frame.f_locals.get(name)
        if isinstance(held, dict) and (hidden := redacted(held)) != held:
            warn(held)
            held.update(hidden)


def warn(given: Any) -> None:
    """Warns once per secret name that an environment variable is safer than the command line."""
    names = [name for name in given if is_secret(name)] if isinstance(given, Mapping) else []
    if new := [name for name in names if name not in _warned]:
        _warned.update(new)
        log.warning(
            "%s on the command line: lm-eval records it in its results file, where it is replaced by ***; an "
            "environment variable (OPENAI_API_KEY, HF_TOKEN) keeps it out of process lists too",
            ", ".join(new),
        )


class _RedactingStream:
    """A text stream that hides secrets in what is written to it."""

    def __init__(self, stream: TextIO, secrets: set[str]) -> None:
        self._stream = stream
        self._secrets = secrets

    def write(self, text: str) -> int:
        self._stream.write(without(text, self._secrets))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _hide_in_files(output: Path, secrets: set[str], since: float) -> None:
    """Rewrites results and samples written since then."""
    folder = output.parent if output.suffix == ".json" else output
    written = secrets | {json.dumps(secret, ensure_ascii=False)[1:-1] for secret in secrets}
    for file in (*folder.rglob("*.json"), *folder.rglob("samples_*.jsonl")):
        if file.stat().st_mtime < since:
            continue
        text = file.read_text("utf-8", errors="surrogateescape")
        is_results = "_20" in file.name and file.suffix == ".json"
        hidden = without(_redacted_file(text) if is_results else text, written)
        if hidden != text:
            atomic.write_bytes(file, hidden.encode("utf-8", "surrogateescape"))


def _redacted_file(text: str) -> str:
    """A results file with its settings redacted, in lm-eval's layout."""
    results = json.loads(text)
    hidden = redacted_results(results)
    return text if hidden == results else json.dumps(hidden, indent=2, ensure_ascii=False)
