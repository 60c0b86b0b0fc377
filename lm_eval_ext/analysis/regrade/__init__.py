"""Responses graded again, without a model: logged runs, and plain files of responses.

`run` grades what `analysis.adapters` finds, `diff` compares old scores with new ones, `metadata` records
the grading in the results file, `responses` reads plain files, `importing` grades them, `tables` prints.
"""

from lm_eval_ext.analysis.regrade.diff import RegradeDiff, VerdictChange
from lm_eval_ext.analysis.regrade.importing import ImportedRun, import_responses
from lm_eval_ext.analysis.regrade.responses import DatasetJoin, ResponseFields
from lm_eval_ext.analysis.regrade.run import RegradedRun, RegradeOptions, regrade, regrade_all

__all__ = [
    "DatasetJoin",
    "ImportedRun",
    "RegradeDiff",
    "RegradeOptions",
    "RegradedRun",
    "ResponseFields",
    "VerdictChange",
    "import_responses",
    "regrade",
    "regrade_all",
]
