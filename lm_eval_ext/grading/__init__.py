"""Strings in, verdicts out. Imports neither lm_eval nor torch, transformers, trl, sympy or math_verify."""

from lm_eval_ext.grading.config import GraderConfig, Judge
from lm_eval_ext.grading.extraction import EXTRACTORS, Extractor, extract
from lm_eval_ext.grading.grader import Grader, grade_one, shared_grader
from lm_eval_ext.grading.tolerance import Tolerance
from lm_eval_ext.grading.types import Item, Verdict

__all__ = [
    "EXTRACTORS",
    "Extractor",
    "Grader",
    "GraderConfig",
    "Item",
    "Judge",
    "Tolerance",
    "Verdict",
    "extract",
    "grade_one",
    "shared_grader",
]
