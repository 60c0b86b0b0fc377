"""What a comparison of two parts of an answer returns."""

from __future__ import annotations

Comparison = tuple[bool | None, str]
"""(equal, reason); equal is None where it cannot tell."""
