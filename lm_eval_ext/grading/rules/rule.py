"""What a rule is."""

from __future__ import annotations

from dataclasses import dataclass

Pair = tuple[str, str]
"""An answer, or in the area "extraction" a whole response, and its gold."""

AREAS = (
    "extraction",
    "notation",
    "numbers",
    "lists, sets and tuples",
    "unknowns by name",
    "intervals and inequalities",
    "functions and sequences",
    "formulas in letters",
    "families with parameters",
    "conditions in words",
    "cases",
    "parts",
    "decisions",
    "choice and winners",
    "restatements and remarks",
    "answers written to please the grader",
    "bounds",
    "asymmetric rules",
)


@dataclass(frozen=True)
class Rule:
    """One rule of mathematics or notation, with examples that the tests grade.

    Attributes:
        area: one of `AREAS`.
        says: the rule, in one line.
        yes: pairs that are accepted.
        no: near misses: graded different or undecided, never right.
    """

    area: str
    says: str
    yes: tuple[Pair, ...]
    no: tuple[Pair, ...]

    def __post_init__(self) -> None:
        assert self.area in AREAS, f"area is {self.area!r}; it must be one of {AREAS}"
        assert self.says and self.yes and self.no, (
            f"a rule needs a sentence and examples of both kinds: {self}"
        )
