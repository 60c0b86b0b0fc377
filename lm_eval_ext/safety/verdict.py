"""What a safeguard says of one response."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class SafetyVerdict:
    """The outcome for one response; `str()` of it is JSON, for the samples file.

    Attributes:
        safe: None if undecided.
        categories: of harm, as the safeguard names them.
        reply: the safeguard's reply as received; a classifier's probabilities as JSON.
        reason: why it is undecided.
    """

    safe: bool | None
    categories: tuple[str, ...] = ()
    reply: str | None = None
    reason: str | None = None

    def __str__(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)
