"""The strict launcher: validate the command line, then let `lm_eval run` do the rest."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lm_eval_ext.harness import engines, secrecy, validation
from lm_eval_ext.harness.errors import ProtocolError, UserError
from lm_eval_ext.redaction import redacted_settings


def tasks_path() -> Path:
    """The folder for `--include_path`."""
    return shipped("tasks_yaml")


def shipped(name: str) -> Path:
    """A folder shipped with the package: inside it when installed, at the top of a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / name
    return installed if installed.is_dir() else package.parent / name


def run(arguments: Sequence[str], resume: Path | None = None, chunk_size: int | None = None) -> None:
    """`lm_eval run` with these arguments; without `--include_path` it finds this package's tasks.

    `resume` is a folder with a store, see `lm_eval_ext.harness.store`; `chunk_size` is the number of requests
    that are generated together and stored.

    Raises UserError before any model is loaded.
    """
    engines.settle_on_cpu()
    from lm_eval._cli.harness import HarnessCLI

    import lm_eval_ext.harness.filters  # noqa: F401  for YAMLs that name grade_math and no class

    if resume is None and chunk_size is not None:
        raise ProtocolError(f"--chunk-size {chunk_size} without --resume DIR: only a store has chunks")
    sys.argv = ["lm-eval", "run", *with_include_path(arguments)]
    cli = HarnessCLI()
    try:
        namespace = cli.parse_args()
    except ValueError as error:
        raise UserError(redacted_settings(f"lm-eval run: {error}")) from None
    settings = secrecy.user_settings(namespace)
    output = resume or settings.get("output_path")
    try:
        with secrecy.kept_secret(settings, Path(output) if output else None):
            _execute(cli, namespace, resume, chunk_size)
    finally:
        engines.end_at_exit()  # lm-eval's own tasks do not


def _execute(cli: Any, namespace: Namespace, resume: Path | None, chunk_size: int | None) -> None:
    from lm_eval_ext.harness.loading import prepared

    if getattr(namespace, "confirm_run_unsafe_code", False):
        os.environ.setdefault("HF_ALLOW_CODE_EVAL", "1")  # asked for by `evaluate`, the same question
    if resume is None:
        config = validation.check(namespace)
        with prepared(config.gen_kwargs):
            cli.execute(namespace)
        return
    from lm_eval_ext.harness.store import run as stored

    stored.prepare(namespace, resume, stored.CHUNK_SIZE if chunk_size is None else chunk_size)
    config = validation.check(namespace)
    with prepared(config.gen_kwargs):
        stored.run(namespace, config, resume, cli.execute)


def with_include_path(arguments: Sequence[str]) -> list[str]:
    """The arguments, with this package's tasks unless they name a folder."""
    named = any(a.split("=")[0] == "--include_path" for a in arguments)
    return [*arguments] if named else [*arguments, "--include_path", str(tasks_path())]
