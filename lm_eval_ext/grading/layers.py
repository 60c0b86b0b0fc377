"""The layers that need no computer algebra. Each one looks at (answer, gold) and decides or passes on.

The first layer that returns a verdict wins; None passes to the next. These run in the caller, in linear
time, on texts of any origin.
"""

from __future__ import annotations

from collections.abc import Callable

from lm_eval_ext.grading.normalization import normalize, without_name
from lm_eval_ext.grading.types import Verdict

MAX_LENGTH_RATIO = 50
"""An answer longer than this many golds (and than `MAX_SHORT_ANSWER`) is no spelling of the gold."""
MAX_SHORT_ANSWER = 1_000

Decision = Verdict | None


def exact(answer: str, gold: str) -> Decision:
    """Equal as strings, but for white space around them."""
    if answer.strip() == gold.strip():
        return Verdict(True, "exact", answer, "the strings are equal")
    return None


def oversized(answer: str, gold: str) -> Decision:
    """An answer absurdly larger than its gold is a different one, and nothing reads it further."""
    limit = max(MAX_SHORT_ANSWER, MAX_LENGTH_RATIO * len(gold))
    if len(answer) > limit:
        return Verdict(False, "normalized", answer, f"{len(answer)} characters, the gold has {len(gold)}")
    return None


def normalized(answer: str, gold: str) -> Decision:
    """Equal once the notation is taken off: `$x = \\dfrac12$` and `x=\\frac{1}{2}`."""
    left, right = normalize(answer), normalize(gold)
    if left == right and left:
        return Verdict(True, "normalized", answer, f"both are {left!r} once normalized")
    bare = without_name(left)
    named = ("=" in left) != ("=" in right) and f"{bare}={bare}" not in (left, right)  # x = x names nothing
    if named and bare == without_name(right) and bare:
        return Verdict(True, "normalized", answer, f"both are {bare!r} without the name")
    return None


LAYERS: tuple[Callable[[str, str], Decision], ...] = (exact, oversized, normalized)


def decide(answer: str, gold: str) -> Decision:
    """The verdict of the first layer that has one, None if all pass."""
    return next((verdict for layer in LAYERS if (verdict := layer(answer, gold)) is not None), None)
