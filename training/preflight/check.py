"""A check is a function with an id, a title, a severity and a fix; it looks at a `PreflightContext`.

@check(11, "stop strings with masked truncation", "error", fix="set mask_truncated_completions: false")
def masked_stops(context: PreflightContext) -> Outcome:
    return passed_if(not (stops and masked), f"stop strings {stops}, masked {masked}")
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from .context import Kind, PreflightContext, Unavailable

Severity = Literal["error", "warn"]
Verdict = Literal["passed", "failed", "not checked", "does not apply"]


@dataclass(frozen=True)
class Outcome:
    """What a check found: a verdict, and in one sentence why; where it failed, what fixes it."""

    verdict: Verdict
    seen: str
    fix: str = ""
    severity: Severity | None = None


@dataclass(frozen=True)
class Check:
    """One known pitfall.

    Attributes:
        id: of the pitfall. Two checks may share one: settings first, then the model.
        title: in a few words.
        severity: "error" stops the run, "warn" is shown and recorded; an outcome may say otherwise.
        run: looks for the pitfall.
        fix: which setting avoids it; an outcome may name a better one.
        only: the one trainer that can have the pitfall.
        deep: whether it needs the model itself.
    """

    id: int
    title: str
    severity: Severity
    run: Callable[[PreflightContext], Outcome]
    fix: str = ""
    only: Kind | None = None
    deep: bool = False

    def __call__(self, context: PreflightContext) -> Outcome:
        """The outcome of `run`, the fix added to what was seen."""
        if self.only not in (None, context.kind):
            return does_not_apply(f"only {self.only} has this pitfall")
        try:
            found = self.run(context)
        except Unavailable as error:
            return Outcome("not checked", str(error))
        fix = found.fix or self.fix
        return replace(found, seen=f"{found.seen}; {fix}") if found.verdict == "failed" and fix else found


def check(
    id: int, title: str, severity: Severity, *, fix: str = "", only: Kind | None = None, deep: bool = False
) -> Callable[[Callable[[PreflightContext], Outcome]], Check]:
    """Makes a function a check; for the arguments see `Check`."""
    return lambda run: Check(id, title, severity, run, fix, only, deep)


def passed(seen: str) -> Outcome:
    """The recipe avoids the pitfall."""
    return Outcome("passed", seen)


def failed(seen: str, fix: str = "") -> Outcome:
    """The recipe has the pitfall."""
    return Outcome("failed", seen, fix)


def passed_if(holds: bool, seen: str, fix: str = "") -> Outcome:
    """Passed if it holds, else failed."""
    return passed(seen) if holds else failed(seen, fix)


def does_not_apply(why: str) -> Outcome:
    """This recipe cannot have the pitfall."""
    return Outcome("does not apply", why)
