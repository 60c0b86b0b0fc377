"""From a response to the answer it commits to: `extract(response)` returns the text of the answer, or None.

In the order in which a response passes through them, each in linear time:

thinking     the visible response: without thinking, up to the end of its turn
tags         `<answer>x</answer>`
boxed        `\\boxed{}`; several side by side, or with labels, form one answer
statements   `Final answer: x`, `The answer is x`, `#### x`, `A: x`
conclusions  without an announcement: a last sentence that concludes, a response that is an answer
sentences    a response of one or two short sentences, which says its answer
extractors   which of these count, and in what order, by name
values       what they all ask: what may be a value, what is denied, doubted or a bound

>>> extract("So x = 2. Final answer: $\\\\boxed{2}$")
'2'
"""

from lm_eval_ext.grading.extraction.boxed import boxes
from lm_eval_ext.grading.extraction.extractors import EXTRACTORS, Extractor, extract
from lm_eval_ext.grading.extraction.thinking import Formats, formats, visible
from lm_eval_ext.grading.extraction.values import Span

__all__ = ["EXTRACTORS", "Extractor", "Formats", "Span", "boxes", "extract", "formats", "visible"]
