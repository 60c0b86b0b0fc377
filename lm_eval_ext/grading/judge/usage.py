"""What a judge was asked, what it said and what that cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Kind = Literal["yes", "no", "malformed", "unreachable", "rejected", "over_budget"]

UNREACHABLE, OVER_BUDGET = "judge unreachable: ", "judge: budget reached"
"""How the reason begins where a judge was to be asked and could not be: another run asks again."""


@dataclass(frozen=True)
class Judgment:
    """What came of one question.

    Attributes:
        kind: what the judge said, or why it did not say anything.
        text: its reply, or the reason.
        calls: requests that this took, those that failed and the second one after a malformed reply included.
        prompt_tokens: of these calls.
        completion_tokens: of these calls.
        cost_usd: of these calls; None where the price is not known.
        cut: the reply ran into max_tokens.
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
        """Whether the judge was asked and replied."""
        return self.kind in ("yes", "no", "malformed")


@dataclass(frozen=True)
class JudgeUsage:
    """What a judge was asked, and what that cost; `asdict` of it is JSON.

    Attributes:
        asked: distinct questions that the judge replied to.
        cached: questions whose reply was known, from an earlier run or from this one.
        yes, no, malformed: what the replies were, cached ones included.
        unreachable: questions that found no judge (no connection, timeouts, 429 or 5xx to the last retry).
        rejected: questions that the judge would not take (too long, say, or filtered), and all that it was
            not asked because it refuses to be asked at all.
        over_budget: questions that the budget did not allow.
        audited: of all these, questions about what the layers had decided and that stands.
        disagreed: questions on which the layers had decided one way and the judge the other.
        calls: requests made, with retries.
        prompt_tokens, completion_tokens: of the replies; 0 for cached ones.
        cost_usd: of the replies, 0 for cached ones; None where the price is not known.
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
        """A few lines for people."""
        cost = "cost unknown (--judge-price sets it)" if self.cost_usd is None else f"${self.cost_usd:.4f}"
        names = ("yes", "no", "malformed", "unreachable", "rejected", "over_budget", "audited", "disagreed")
        counts = "  ".join(f"{name.replace('_', ' ')} {getattr(self, name)}" for name in names)
        return (
            f"judge: {self.asked} asked, {self.cached} cached, {self.calls} calls, "
            f"{self.prompt_tokens} + {self.completion_tokens} tokens, {cost}\n  {counts}"
        )


def usage_of(judgment: Judgment, *, known: bool) -> JudgeUsage:
    """The usage that one question makes; one whose reply was known costs nothing."""
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
