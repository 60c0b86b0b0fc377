"""The command line, one module per command, in the order of `--help`."""

from lm_eval_ext.cli.app import app

from lm_eval_ext.cli import run, batch, grade, explain, regrade, compare, report, baseline, doctor, train  # isort: skip

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
    "train",
]
