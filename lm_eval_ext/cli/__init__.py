"""The command line, one module per command, in the order of `--help`: that of their use."""

# isort: off
from lm_eval_ext.cli import (
    run,
    grade,
    report,
    compare,
    view,
    explain,
    regrade,
    batch,
    baseline,
    train,
    serve,
    doctor,
)
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
    "view",
]
