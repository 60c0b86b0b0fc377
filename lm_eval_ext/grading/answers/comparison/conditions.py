"""Questions about conditions: their letters, whether they speak of integers, what goes without saying."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lm_eval_ext.grading.answers.semantics.conditions import is_domain
from lm_eval_ext.grading.answers.syntax.nodes import (
    Condition,
    Node,
    Property,
    Relation,
    Symbol,
    substitute,
    symbols,
)

_ORDER = frozenset(["<", ">", "<=", ">="])
_INTEGER_WORDS = frozenset(
    "integer natural even odd prime composite multiple divisor divides power square cube squarefree "
    "primepower perfectpower coprime ≡".split()
)
_INTEGER_SIGNS = frozenset(["≡", "≢", "|", "notdivides"])
_KINDS = frozenset(["integer", "real", "rational", "complex", "in"])
_SIGNS = frozenset(["positive", "nonnegative", "natural"])


def renamed(condition: Condition, renaming: dict[str, Node]) -> Condition:
    """The condition with its letters replaced."""
    new = [substitute(n, renaming) for n in _nodes(condition)]
    if isinstance(condition, Property):
        return replace(condition, subject=new[0], args=tuple(new[1:]))
    return replace(condition, terms=tuple(new))


def _nodes(condition: Condition) -> tuple[Node, ...]:
    return (condition.subject, *condition.args) if isinstance(condition, Property) else condition.terms


def letters_of(condition: Condition) -> frozenset[str]:
    """Its symbols, without the name of a set after "in"."""
    found = frozenset[str]().union(*map(symbols, _nodes(condition)))
    if isinstance(condition, Relation) and condition.signs[-1] in ("in", "notin"):
        last = condition.terms[-1]
        return found - {last.name} if isinstance(last, Symbol) else found
    return found


def is_loose(condition: Condition) -> bool:
    """No limit on one letter, but an equation between several: "x + y = z"."""
    if isinstance(condition, Property):
        return not isinstance(condition.subject, Symbol)
    if condition.signs[-1] in ("in", "notin"):
        return not isinstance(condition.terms[0], Symbol)
    letters = frozenset[str]().union(*map(symbols, condition.terms))
    return len(letters) != 1 or not any(isinstance(t, Symbol) for t in condition.terms)


def is_integral(conditions: Iterable[Condition]) -> bool:
    """Whether some condition speaks of integers."""
    return any(
        c.name in _INTEGER_WORDS
        if isinstance(c, Property)
        else not _INTEGER_SIGNS.isdisjoint(c.signs) or any(name[0] in "ZN" for name in _sets(c))
        for c in conditions
    )


def is_natural(condition: Condition) -> bool:
    if isinstance(condition, Property):
        return condition.name == "natural"
    return any(isinstance(t, Symbol) and t.name == "N" for t in condition.terms)


def _sets(relation: Relation) -> Iterable[str]:
    """The names of sets in "x in Z"."""
    for sign, term in zip(relation.signs, relation.terms[1:], strict=True):
        if sign in ("in", "notin") and isinstance(term, Symbol):
            yield term.name


def _is_order(condition: Condition) -> bool:
    """A bound, or membership in an interval."""
    if isinstance(condition, Property):
        return condition.name in _ORDER
    bounded = condition.signs[-1] == "in" and not isinstance(condition.terms[-1], Symbol)
    return bounded or not _ORDER.isdisjoint(condition.signs)


def unsaid(side: list[Condition], other: list[Condition]) -> list[Condition]:
    """What `other` says of the kind of numbers and `side` does not: it holds for both.

    "n = 0 (mod 4)" beside "all positive multiples of 4" speaks of positive integers; "n > -5" beside "all
    positive integers" of integers, but it says itself where these begin.
    """
    if any(is_domain(c) for c in side if not _is_order(c)):
        return []
    found = [c for c in other if _kind(c) in _KINDS]
    if not any(map(_is_order, side)):
        return found + [c for c in other if _kind(c) in _SIGNS]
    integers = [c for c in other if _kind(c) == "natural"]
    return found + [replace(c, name="integer") for c in integers if isinstance(c, Property)]


def _kind(condition: Condition) -> str:
    """The word that says which numbers are meant, "in" for a set with a name, else empty."""
    if isinstance(condition, Property):
        return condition.name if condition.holds else ""
    return "in" if condition.signs == ("in",) and any(_sets(condition)) else ""
