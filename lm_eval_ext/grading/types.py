"""The words every part of the package shares: what is graded, and the verdict on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple, get_args

from lm_eval_ext.grading.tolerance import Tolerance

Layer = Literal["exact", "normalized", "symbolic", "judge", "none"]
LAYERS: tuple[Layer, ...] = get_args(Layer)

VALUES_DIFFER = "values.differ"
"""The rule of two closed values that differ: arithmetic has decided, and no judge is asked."""
UNREAD = "undecided.not-a-formula"
"""The rule of answers that the last step before the judge cannot read."""


class Outcome(NamedTuple):
    """What a step decides of an answer.

    Attributes:
        equal: None where it cannot tell.
        rule: id of the rule that decided, such as "sets.same-members"; see `rule` in `rulebook`.
        detail: the reason in words.
    """

    equal: bool | None
    rule: str
    detail: str = ""


class Letter(NamedTuple):
    """A gold that is a letter of choice: as it is written ("(C)"), its letter, what the problem lists."""

    stated: str
    letter: str
    options: Mapping[str, str]


class Context(NamedTuple):
    """What a step may use besides an answer and its gold.

    Attributes:
        letter: the letter of choice that the gold states; steps get the text of its option as their gold.
        tolerance: how far numbers may be from the gold.
        workers: compares an answer with its gold by computer algebra, in a process that can be killed.
        judge: asks the judge whether an answer is equal to its gold.
    """

    letter: Letter | None = None
    tolerance: Tolerance | None = None
    workers: Callable[[str, str], Outcome] | None = None
    judge: Callable[[str, str], Outcome] | None = None


@dataclass(frozen=True)
class Item:
    """One thing to grade.

    Attributes:
        response: all that the model wrote.
        gold: the reference answer: text, a number, a solution that ends in a box or in `#### 7`, or a list of
            acceptable answers; see `lm_eval_ext.grading.golds`.
        problem: the problem text, for the values of a multiple choice and for the judge.
        tolerance: how far numbers may be from the gold; None: as the grader is configured.
    """

    response: str
    gold: str | float | Sequence[str | float]
    problem: str | None = None
    tolerance: Tolerance | None = None


@dataclass(frozen=True)
class Verdict:
    """The outcome for one response; `str()` of it is JSON, so that it reads well in sample logs.

    Attributes:
        correct: True equal, False different (or no answer given), None undecided.
        layer: what decided: "exact", "normalized", "symbolic", "judge"; "none" where there is no
            answer (`correct=False`) or nothing could decide (`correct=None`).
        answer: what was extracted from the response, None if it commits to nothing.
        reason: why the two are equal, what differs, or why it stayed undecided.
        rule: id of the rule that decided; `lm_eval_ext/grading/rules.yaml` documents it.
        extraction: what in the response was taken for the answer ("box", "announcement", "conclusion", ...);
            None where there was no response or its extractor does not say.
    """

    correct: bool | None
    layer: Layer
    answer: str | None
    reason: str | None = None
    rule: str | None = None
    extraction: str | None = None

    def __post_init__(self) -> None:
        assert not (fault := self._fault()), fault

    def _fault(self) -> str | None:
        if self.correct is not None and not isinstance(self.correct, bool):
            return f"correct is {self.correct!r}; it must be true, false or null"
        for name, value in vars(self).items():
            if name != "correct" and value is not None and not isinstance(value, str):
                return f"{name} is {value!r}; it must be text or null"
        if self.layer not in LAYERS:
            return f"layer is {self.layer!r}; it must be one of {LAYERS}"
        if self.correct is None and self.layer != "none":
            return "undecided verdicts have layer 'none'"
        return "a right verdict needs an answer" if self.correct and self.answer is None else None

    def __str__(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def of(cls, outcome: Outcome, layer: Layer, answer: str | None) -> Verdict:
        """The verdict of a step of `layer`, whose outcome for `answer` this is."""
        equal, rule, detail = outcome
        return cls(equal, "none" if equal is None else layer, answer, detail, rule)

    @classmethod
    def from_json(cls, text: str) -> Verdict:
        """The verdict whose `str()` was `text`. Raises ValueError if it is no verdict."""
        try:
            verdict = cls(**json.loads(text))
            fault = verdict._fault()  # assertions may be off
        except (ValueError, TypeError, AssertionError) as error:
            fault = str(error)
        if fault:
            raise ValueError(f"not a verdict: {text[:200]!r} ({fault})")
        return verdict
