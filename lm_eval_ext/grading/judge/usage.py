"""Judgments, and counts of questions, replies and cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Kind = Literal["yes", "no", "malformed", "unreachable", "rejected", "over_budget"]

UNREACHABLE, OVER_BUDGET = "judge unreachable: ", "judge: budget reached"
"""Prefixes of the reason if the judge could not be asked; a resumed run asks again."""


@dataclass(frozen=True)
class Judgment:
    """The result of one question.

    Attributes:
        kind: the reply, or why there is none.
        text: the reply's text, or the reason.
        calls: requests made, including failed ones and the second one after a malformed reply.
        prompt_tokens, completion_tokens: total over these calls.
        cost_usd: total over these calls; None if the price is unknown.
        cut: the reply reached max_tokens.
    """

    kind: Kind
    text: str
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0
    cut: bool = False

    @property
    def equal(self) -> bool | None:
        return {"yes": True, "no": False}.get(self.kind)

    @property
    def replied(self) -> bool:
        """Whether the judge replied, in whatever form."""
        return self.kind in ("yes", "no", "malformed")


@dataclass(frozen=True)
class JudgeUsage:
    """Counts of questions, replies and cost.

    Attributes:
        asked: distinct questions that the judge replied to.
        cached: questions answered from the cache.
        yes, no, malformed: replies by kind, including cached ones.
        unreachable: questions without a reply (no connection, timeout, 429 or 5xx up to the last retry).
        rejected: questions that the judge rejected (too long or filtered, for example), and those not asked
            because it refuses every question.
        over_budget: questions not asked because of the budget.
        audited: of all these, questions about a verdict of the layers that stands.
        disagreed: questions that the layers and the judge decided differently.
        calls: requests made, including retries.
        prompt_tokens, completion_tokens: total over the replies; 0 for cached ones.
        cost_usd: total over the replies, 0 for cached ones; None if the price is unknown.
    """

    asked: int = 0
    cached: int = 0
    yes: int = 0
    no: int = 0
    malformed: int = 0
    unreachable: int = 0
    rejected: int = 0
    over_budget: int = 0
    audited: int = 0
    disagreed: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0

    def __add__(self, other: JudgeUsage) -> JudgeUsage:
        return self._with(other, 1)

    def __sub__(self, other: JudgeUsage) -> JudgeUsage:
        return self._with(other, -1)

    def _with(self, other: JudgeUsage, sign: int) -> JudgeUsage:
        values: dict[str, Any] = {}
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            values[field.name] = None if mine is None or theirs is None else mine + sign * theirs
        return JudgeUsage(**values)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        """A summary of two lines."""
        cost = "cost unknown (--judge-price sets it)" if self.cost_usd is None else f"${self.cost_usd:.4f}"
        names = ("yes", "no", "malformed", "unreachable", "rejected", "over_budget", "audited", "disagreed")
        counts = "  ".join(f"{name.replace('_', ' ')} {getattr(self, name)}" for name in names)
        return (
            f"judge: {self.asked} asked, {self.cached} cached, {self.calls} calls, "
            f"{self.prompt_tokens} + {self.completion_tokens} tokens, {cost}\n  {counts}"
        )


def usage_of(judgment: Judgment, *, known: bool) -> JudgeUsage:
    """The usage of one question; a cached reply costs nothing."""
    said: dict[str, Any] = {judgment.kind: 1}
    if known:
        return JudgeUsage(cached=int(judgment.replied), **said)
    return JudgeUsage(
        asked=int(judgment.replied),
        calls=judgment.calls,
        prompt_tokens=judgment.prompt_tokens,
        completion_tokens=judgment.completion_tokens,
        cost_usd=judgment.cost_usd,
        **said,
    )
