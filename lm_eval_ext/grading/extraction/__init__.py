"""From all that a model wrote to the answer it commits to. Linear time, no evaluation.

thinking     what the response shows: without thinking, up to the end of its turn
boxes        `\\boxed{}`; several in one breath, or with labels, form one answer
tags         `<answer>x</answer>`
statements   `Final answer: x`, `The answer is x`, `#### x`, `A: x`
conclusions  where nothing is announced: a last sentence that concludes, a response that is an answer
values       what may be a value; what is denied, doubted, a bound
extractors   the readings in their order, by name

>>> extract("So x = 2. Final answer: $\\\\boxed{2}$")
'2'
"""

from lm_eval_ext.grading.extraction.boxed import boxes
from lm_eval_ext.grading.extraction.extractors import EXTRACTORS, Extractor, extract
from lm_eval_ext.grading.extraction.thinking import Formats, formats, visible
from lm_eval_ext.grading.extraction.values import Span

__all__ = ["EXTRACTORS", "Extractor", "Formats", "Span", "boxes", "extract", "formats", "visible"]
