"""The rows: a number, a name, a severity and one small function each, which looks at a `Subject`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from .subject import Subject

T = TypeVar("T")
Severity = Literal["error", "warn"]
Verdict = Literal["passed", "broken", "not checked", "does not apply"]


@dataclass(frozen=True)
class Outcome:
    """What a check found: its verdict, and one sentence of what was seen and which setting mends it.

    `severity` is another than the row's where this finding weighs more or less; None: the row's.
    """

    verdict: Verdict
    seen: str
    severity: Severity | None = None


Check = Callable[["Subject"], Outcome]


class NotAtHand(Exception):
    """Tokenizer, model configuration or data cannot be had here: the row is neither passed nor failed."""


def once(make: Callable[[Any], T]) -> cached_property[T]:
    """A cached property that also remembers NotAtHand: a Hub out of reach is tried for 20 s each time."""

    @wraps(make)
    def remembered(self: Any) -> T:
        missing: dict[str, NotAtHand] = self.__dict__.setdefault("not_at_hand", {})
        if make.__name__ in missing:
            raise missing[make.__name__]
        try:
            return make(self)
        except NotAtHand as error:
            missing[make.__name__] = error
            raise

    return cached_property(remembered)


@dataclass(frozen=True)
class Row:
    """One pitfall.

    Attributes:
        number: in the list of pitfalls.
        name: in a few words.
        severity: "error" stops the run, "warn" is printed and recorded.
        check: looks at settings, data and tokenizer; None: there is nothing to see without the model.
        deep: looks at the model itself; None: nothing more.
    """

    number: int
    name: str
    severity: Severity
    check: Check | None = None
    deep: Check | None = None


ROWS: dict[int, Row] = {}


def row(number: int, name: str, severity: Severity, *, deep: bool = False) -> Callable[[Check], Check]:
    """Registers a check under its row; `deep` ones need the model. A row may have one of each."""

    def register(check: Check) -> Check:
        known = ROWS.get(number) or Row(number, name, severity)
        assert (known.name, known.severity) == (name, severity), (
            f"row {number} has two names: {known}, {name}"
        )
        assert (known.deep if deep else known.check) is None, f"row {number} has two checks of one kind"
        kept = {"check": known.check, "deep": known.deep, "deep" if deep else "check": check}
        ROWS[number] = Row(number, name, severity, **kept)
        return check

    return register


def passed(seen: str) -> Outcome:
    """The pitfall is avoided."""
    return Outcome("passed", seen)


def broken(seen: str) -> Outcome:
    """The pitfall is hit: what was seen, and the setting that mends it."""
    return Outcome("broken", seen)


def judged(holds: bool, seen: str, mend: str) -> Outcome:
    """Passed if it holds; else broken, and the sentence goes on with what mends it."""
    return passed(seen) if holds else broken(f"{seen}; {mend}")


def inapplicable(why: str) -> Outcome:
    """The pitfall cannot be met by this recipe."""
    return Outcome("does not apply", why)
