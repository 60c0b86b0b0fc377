"""Prints the rules as Markdown."""

from __future__ import annotations

import sys

from lm_eval_ext.grading.rules import markdown

if __name__ == "__main__":
    sys.stdout.write(markdown())
