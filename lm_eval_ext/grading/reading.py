"""Short pairs compared in the calling process, in milliseconds: most calls with one item need no worker."""

from __future__ import annotations

import sys
import time

from lm_eval_ext.grading import comparison
from lm_eval_ext.grading.answers.limit import within
from lm_eval_ext.grading.types import Outcome

MAX_CHARS = 400
PAIR_S = 0.02
"""A pair that takes longer is compared again in a worker, which can be killed."""
ALONE_S = 0.02
"""A call that has taken longer than this leaves pairs to the workers, if they are ready."""
START_S = 0.1
"""A call that has taken longer than this starts the workers, and goes on until they are ready."""
_FRAMES = 600
"""Stack that a comparison may need, as it has in a worker."""


class Call:
    """One call of a grader.

    Attributes:
        spent_s: time spent on comparisons in this process, in seconds.
    """

    def __init__(self) -> None:
        self.spent_s = 0.0

    def compare(self, answer: str, gold: str) -> Outcome | None:
        """The outcome of a short pair; None leaves it to the workers, as does an error."""
        if len(answer) + len(gold) > MAX_CHARS or not _has_room():
            return None
        start = time.perf_counter()
        try:
            with within(PAIR_S):
                return comparison.compare(answer, gold)
        except Exception:  # OutOfTime, or what a worker reports
            return None
        finally:
            self.spent_s += time.perf_counter() - start


def _has_room() -> bool:
    """Whether the stack has room: where it has not, a verdict would depend on the caller."""
    frame, depth = sys._getframe(), 0
    while (back := frame.f_back) is not None:
        frame, depth = back, depth + 1
    return depth + _FRAMES < sys.getrecursionlimit()
