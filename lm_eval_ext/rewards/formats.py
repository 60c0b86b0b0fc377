"""Whether a response has a form: a bonus for models that seldom commit to an answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lm_eval_ext.grading import EXTRACTORS
from lm_eval_ext.grading.extraction.boxed import last_boxed
from lm_eval_ext.grading.extraction.extractors import Extractor
from lm_eval_ext.rewards.types import Score

_R1 = re.compile(
    r"\s*<think>(?:(?!</?think>).)+</think>\s*<answer>((?:(?!</?answer>).)+)</answer>\s*", re.DOTALL
)


def _r1(response: str) -> str | None:
    """The answer of DeepSeek-R1's template (arXiv 2501.12948, table 1), which the response must be."""
    found = _R1.fullmatch(response)
    return found[1].strip() or None if found else None


FORMS: dict[str, Callable[[str], str | None]] = {
    "any": EXTRACTORS["statement"],
    "boxed": Extractor(last_boxed),
    "answer_is": EXTRACTORS["strict"],
    "r1": _r1,
}
"""Any statement of an answer; `\\boxed{N}`; `The answer is N`; `<think>...</think><answer>N</answer>`."""


class Format:
    """1 for a response of this form, whether its answer is right or not, else 0.

    Args:
        form: one of FORMS.

    Raises ValueError for another form.

    >>> [score.value for score in Format("boxed")([r"So \\boxed{4}.", "The answer is 4"], [{}, {}])]
    [1.0, 0.0]
    """

    def __init__(self, form: str = "any") -> None:
        if form not in FORMS:
            raise ValueError(f"format: form is {form!r}; it must be one of {', '.join(FORMS)}")
        self.form = form

    def __call__(self, responses: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[Score]:
        """One score per response; reads nothing of the rows."""
        answers = map(FORMS[self.form], responses)
        return [Score.of(answer is not None, answer=answer) for answer in answers]
