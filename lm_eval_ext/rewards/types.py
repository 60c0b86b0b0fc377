"""The contract of verifiers, and the verifiers by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pkgutil import resolve_name
from typing import Any, Protocol


@dataclass(frozen=True)
class Score:
    """What a verifier says of one response.

    Attributes:
        value: from 0 to 1, with partial credit where the verifier gives it; None: undecided.
        correct: whether the response fulfils all that its row asks for; None: undecided.
        answer: what was verified, such as the extracted answer or code; None: the response has none.
        reason: in words.
        rule: id of the rule that decided.
    """

    value: float | None
    correct: bool | None
    answer: str | None = None
    reason: str | None = None
    rule: str | None = None

    def __post_init__(self) -> None:
        assert self.value is None or 0 <= self.value <= 1, f"value is {self.value!r}, not in [0, 1]"

    def __str__(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)  # as it is logged with samples

    @classmethod
    def of(cls, correct: bool | None, **details: str | None) -> Score:
        """A score without partial credit."""
        return cls(None if correct is None else float(correct), correct, **details)


class Verifier(Protocol):
    """Scores responses by the rows (problems) that they answer, one score per response, in order."""

    def __call__(self, responses: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[Score]:
        """Raises ValueError if a row lacks what the verifier reads."""
        ...


VERIFIERS = {
    "math": "lm_eval_ext.rewards.accuracy:math",
    "ifeval": "lm_eval_ext.rewards.instructions:Instructions",
    "ifbench": "lm_eval_ext.rewards.instructions:instructions_of_ifbench",
    "code": "lm_eval_ext.rewards.code:Code",
    "judge": "lm_eval_ext.rewards.judge:JudgeVerifier",
    "format": "lm_eval_ext.rewards.formats:Format",
}
"""Name -> `module:attribute` of a class or function that takes settings and returns a verifier."""


def verifier(name: str, **settings: Any) -> Verifier:
    """The verifier of this name in `VERIFIERS`, or at this `module:attribute`, with these settings.

    Raises ValueError for an unknown name; TypeError or ValueError for settings that the verifier refuses.
    """
    target = VERIFIERS.get(name, name)
    if ":" not in target:
        raise ValueError(f"verifier {name!r} is unknown: use {', '.join(VERIFIERS)}, or module:attribute")
    try:
        factory = resolve_name(target)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"verifier {name!r}: {error}") from error
    verifies: Verifier = factory(**settings)
    return verifies
