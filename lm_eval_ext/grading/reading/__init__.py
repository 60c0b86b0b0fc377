"""Our own reading of answers: cheap, exact, bounded; decides most pairs before computer algebra is asked."""

from __future__ import annotations

from lm_eval_ext.grading.reading.compare import compare

__all__ = ["compare"]
