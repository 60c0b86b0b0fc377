"""Replies, and counts of questions, replies and cost."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, TypeVar

from lm_eval_ext.grading.judge.config import ClientConfig

UNREACHABLE, OVER_BUDGET = "judge unreachable: ", "judge: budget reached"
"""Prefixes of the reason if the judge could not be asked; a resumed run asks again."""
AnyUsage = TypeVar("AnyUsage", bound="CallUsage")


@dataclass(frozen=True)
class Reply:
    """The result of one question.

    Attributes:
        kind: what the reply says ("yes"), "malformed", or why there is none: a `NoReply.kind`.
        text: the reply's text, or the reason.
        cut: the reply reached max_tokens.
    """

    kind: str
    text: str
    cut: bool = False

    @property
    def replied(self) -> bool:
        """Whether the model replied, in whatever form."""
        return self.kind not in ("unreachable", "rejected", "over_budget")


@dataclass(frozen=True)
class CallUsage:
    """Requests and their cost. A sum has the fields of its left side.

    Attributes:
        calls: requests made, including retries.
        prompt_tokens, completion_tokens: total over the replies.
        cost_usd: total over the replies; None if the price is unknown.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0

    def __add__(self: AnyUsage, other: CallUsage) -> AnyUsage:
        return self._with(other, 1)

    def __sub__(self: AnyUsage, other: CallUsage) -> AnyUsage:
        return self._with(other, -1)

    def _with(self: AnyUsage, other: CallUsage, sign: int) -> AnyUsage:
        values: dict[str, Any] = {}
        for field in fields(other):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            values[field.name] = None if mine is None or theirs is None else mine + sign * theirs
        return replace(self, **values)


@dataclass(frozen=True)
class Usage(CallUsage):
    """Counts of questions by what became of them. A subclass has one more count per kind of reply.

    Attributes:
        asked: distinct questions that the model replied to.
        cached: questions answered from the cache, at no cost.
        malformed: replies that say nothing usable, including cached ones.
        unreachable: questions without a reply (no connection, timeout, 429 or 5xx up to the last retry).
        rejected: questions that the model rejected (too long or filtered, for example), and those not asked
            because it refuses every question.
        over_budget: questions not asked because of the budget.
    """

    asked: int = 0
    cached: int = 0
    malformed: int = 0
    unreachable: int = 0
    rejected: int = 0
    over_budget: int = 0

    of: ClassVar[type[ClientConfig]] = ClientConfig
    shown: ClassVar[tuple[str, ...]] = ("malformed", "unreachable", "rejected", "over_budget")

    def __str__(self) -> str:
        """A summary of two lines."""
        unknown = f"cost unknown ({self.of.option('price')} sets it)"
        cost = unknown if self.cost_usd is None else f"${self.cost_usd:.4f}"
        counts = "  ".join(f"{name.replace('_', ' ')} {getattr(self, name)}" for name in self.shown)
        return (
            f"{self.of.role}: {self.asked} asked, {self.cached} cached, {self.calls} calls, "
            f"{self.prompt_tokens} + {self.completion_tokens} tokens, {cost}\n  {counts}"
        )


@dataclass(frozen=True)
class JudgeUsage(Usage):
    """Usage of the judge of answers.

    Attributes:
        yes, no: replies by kind, including cached ones.
        audited: of all questions, those about a verdict of the layers that stands.
        disagreed: questions that the layers and the judge decided differently.
    """

    yes: int = 0
    no: int = 0
    audited: int = 0
    disagreed: int = 0

    shown: ClassVar[tuple[str, ...]] = ("yes", "no", *Usage.shown, "audited", "disagreed")
