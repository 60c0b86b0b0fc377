"""`python -m lm_eval_ext.cli`: the program `lm-eval-ext`."""

from lm_eval_ext.cli import app

app()
