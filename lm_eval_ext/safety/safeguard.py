"""What every safeguard has: its interface and its counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from lm_eval_ext.grading.judge.usage import Usage
from lm_eval_ext.safety.config import SafeguardConfig
from lm_eval_ext.safety.verdict import SafetyVerdict

Exchange = tuple[str, str]
"""A request and the response to it."""


@dataclass(frozen=True)
class SafetyUsage(Usage):
    """Usage of the safeguard.

    Attributes:
        safe, unsafe, controversial: replies by kind, including cached ones.
    """

    safe: int = 0
    unsafe: int = 0
    controversial: int = 0

    of: ClassVar = SafeguardConfig
    shown: ClassVar[tuple[str, ...]] = ("safe", "unsafe", "controversial", *Usage.shown)


class Safeguard(Protocol):
    """What says whether responses are safe."""

    @property
    def config(self) -> SafeguardConfig: ...

    @property
    def usage(self) -> SafetyUsage:
        """Exchanges read so far, and their cost."""

    def probe(self) -> str | None:
        """None if it can be asked, else why not now. Raises JudgeError if it never can."""

    def review(self, exchanges: Sequence[Exchange]) -> list[SafetyVerdict]:
        """One verdict per exchange, undecided where the safeguard could not be asked or understood."""

    def record(self, usage: SafetyUsage | None = None) -> dict[str, Any]:
        """Model, settings and usage as JSON, for the results file."""
