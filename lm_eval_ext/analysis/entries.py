"""The responses of a task, each with its outcome, verdict, answer, tokens and failure mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lm_eval_ext.analysis import outcomes
from lm_eval_ext.analysis.runs import Sample, TaskRun
from lm_eval_ext.grading import Verdict, extract
from lm_eval_ext.harness.protocol import TOKEN_BUDGET_NAMES, used_up

if TYPE_CHECKING:
    from lm_eval_ext.analysis.report.tokens import Tokenizer

RIGHT, WRONG, UNDECIDED, NO_ANSWER, ERROR = OUTCOMES = (
    "right", "wrong", "undecided", "no answer", "error",
)  # fmt: skip
OUTPUT_TOKENS, COST = "output_tokens", "cost_usd"
CORRECT = "correct"
COMMITTED = "wrong but committed"
SATURATED_BOXED = "saturated, boxed, wrong"
SATURATED_UNBOXED = "saturated, never boxed"
SHORT = "short and no answer"
WRONG_UNKNOWN = "wrong, length not known"
NONE_UNKNOWN = "no answer, length not known"
MODES = (
    CORRECT, UNDECIDED, COMMITTED, SATURATED_BOXED, SATURATED_UNBOXED, SHORT, WRONG_UNKNOWN, NONE_UNKNOWN,
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One response.

    Attributes:
        sample: the document it answers.
        repeat: its index among the responses to that document.
        text: the model's whole output.
        verdict: None if another grader scored the samples; `outcome` then follows the score.
        outcome: one of OUTCOMES.
        tokens: counted or recorded tokens; None if unknown.
        budget: max_gen_toks; None if unknown.
    """

    sample: Sample
    repeat: int
    text: str
    verdict: Verdict | None
    outcome: str
    tokens: int | None
    budget: int | None

    @cached_property
    def answer(self) -> str | None:
        """The extracted answer, or None."""
        return self.verdict.answer if self.verdict else extract(self.text)

    @property
    def saturated(self) -> bool | None:
        """Whether it used up max_gen_toks (`protocol.used_up`); None if unknown."""
        if self.tokens is None or self.budget is None:
            return None
        return used_up(self.tokens, self.budget)

    @property
    def layer(self) -> str | None:
        return self.verdict.layer if self.verdict else None

    @property
    def accepted(self) -> bool:
        """Whether this package's grader found it right."""
        return self.verdict is not None and self.verdict.correct is True

    @property
    def reason(self) -> str:
        """Why it was refused, or its verdict's reason."""
        return self.sample.error or (self.verdict and self.verdict.reason) or ""

    @property
    def mode(self) -> str:
        """The failure mode, one of MODES.

        "boxed" is any statement that the grader extracts an answer from, boxed or announced. A response is
        saturated if it used up max_gen_toks to within 1% (`protocol.used_up`): counting again may give fewer.
        """
        if self.outcome in (RIGHT, UNDECIDED):
            return CORRECT if self.outcome == RIGHT else UNDECIDED
        answered = self.answer is not None
        if self.saturated is None:
            return WRONG_UNKNOWN if answered else NONE_UNKNOWN
        if self.saturated:
            return SATURATED_BOXED if answered else SATURATED_UNBOXED
        return COMMITTED if answered else SHORT


def entries_of(task: TaskRun, metric: str | None, tokenizer: Tokenizer | None) -> tuple[Entry, ...]:
    """The responses of a task, in document order; an error is one entry with an empty text."""
    limit = _budget(task.protocol, "generation ")
    found = [entry for sample in task.samples for entry in entries_in(sample, metric, limit)]
    if tokenizer is None:
        return tuple(found)
    counts = tokenizer.counts([entry.text for entry in found])
    return tuple(
        entry if entry.outcome == ERROR else replace(entry, tokens=count)
        for entry, count in zip(found, counts, strict=True)
    )


def recorded(sample: Sample, name: str) -> list[float]:
    """Values logged with a sample: one per response, one for all of them, or none."""
    value = sample.scores.get(name, sample.row.get(name))
    values = value if isinstance(value, list) else [value]
    return [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]


def entries_in(sample: Sample, metric: str | None, limit: int | None = None) -> Iterator[Entry]:
    """The responses of one sample; `limit`: max_gen_toks where its request names none."""
    if sample.error is not None:
        yield Entry(sample, 0, "", None, ERROR, None, limit)
        return
    tokens = recorded(sample, OUTPUT_TOKENS)
    limit = _budget(sample.request[1]) or limit
    for i, text in enumerate(sample.responses):
        verdict = sample.verdicts[i] if i < len(sample.verdicts) else None
        known = int(tokens[i]) if len(tokens) == len(sample.responses) else None
        outcome = outcomes.outcome(verdict) if verdict else _scored(sample, metric)
        yield Entry(sample, i, text, verdict, outcome, known, limit)


def _scored(sample: Sample, metric: str | None) -> str:
    """The outcome by score alone. A score averaged over repeats counts as right only if all are right."""
    return RIGHT if metric is not None and sample.scores.get(metric, 0.0) >= 1 else WRONG


def _budget(settings: Mapping[str, Any], prefix: str = "") -> int | None:
    found = (settings.get(prefix + name) for name in TOKEN_BUDGET_NAMES)
    return next((int(value) for value in found if value), None)
