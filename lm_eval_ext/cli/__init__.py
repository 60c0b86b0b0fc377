"""The command line, one module per command, in the order of `--help`."""

from lm_eval_ext.cli import (
    baseline,
    batch,
    compare,
    doctor,
    explain,
    grade,
    regrade,
    report,
    run,
    serve,
    train,
)  # isort: skip
from lm_eval_ext.cli.app import app

__all__ = [
    "app",
    "baseline",
    "batch",
    "compare",
    "doctor",
    "explain",
    "grade",
    "regrade",
    "report",
    "run",
    "serve",
    "train",
]
