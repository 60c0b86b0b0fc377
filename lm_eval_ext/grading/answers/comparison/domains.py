"""The numbers that letters run over: the same on both sides, whatever words say it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from lm_eval_ext.grading.answers.comparison.expressions import identical, same_relation
from lm_eval_ext.grading.answers.comparison.outcome import Comparison
from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.numeric.evaluate import value
from lm_eval_ext.grading.answers.numeric.numbers import TooLarge, Undefined, Value, mp, nearest
from lm_eval_ext.grading.answers.numeric.predicates import holds
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.semantics.conditions import declared, is_domain
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Condition,
    Group,
    Node,
    Property,
    Quantity,
    Relation,
    Symbol,
    children,
    substitute,
    symbols,
)

_COUNTING = frozenset("ijklmn")
_USUAL = frozenset("real complex rational integer natural positive".split())
_INTEGER_WORDS = frozenset(
    "integer natural even odd prime composite multiple divisor divides power square cube squarefree "
    "primepower perfectpower coprime ≡".split()
)


def renamed(condition: Condition, renaming: dict[str, Node]) -> Condition:
    if isinstance(condition, Property):
        return Property(
            condition.name,
            substitute(condition.subject, renaming),
            tuple(substitute(a, renaming) for a in condition.args),
            condition.holds,
        )
    return Relation(tuple(substitute(t, renaming) for t in condition.terms), condition.signs)


def same_ranges(given: Solution, wanted: Solution, renaming: dict[str, Node]) -> Comparison:
    """Whether the parameters of two families run over the same numbers.

    Where one side is silent, the other may say that the parameter is real, or a (positive) integer, and over
    what domain the argument of a function runs ("for all x > 0"); not that a parameter is at least 2.
    """
    if not given.conditions and not wanted.conditions:
        return True, ""
    mine = _relevant([renamed(c, renaming) for c in given.conditions])
    theirs = _relevant(list(wanted.conditions))
    if set(mine) == set(theirs):
        return True, ""
    loose_mine, loose_theirs = ([c for c in side if _is_loose(c)] for side in (mine, theirs))
    mine, theirs = ([c for c in side if not _is_loose(c)] for side in (mine, theirs))
    if not _same_relations(loose_mine, loose_theirs):
        return None, "conditions that cannot be compared"
    letters = declared(mine) | declared(theirs)
    for letter in sorted(letters):
        functions = given.arguments + wanted.arguments
        counting = letter in _COUNTING and not functions and len(wanted.values) == 1
        outcome = _same_range(_on(mine, letter), _on(theirs, letter), letter, letter in functions, counting)
        if not outcome[0]:
            return outcome
    return True, ""


def _is_loose(condition: Condition) -> bool:
    """No limit on one letter, but an equation between several: "x + y = z"."""
    if isinstance(condition, Property):
        return not isinstance(condition.subject, Symbol)
    if condition.signs[-1] in ("in", "notin"):
        return not isinstance(condition.terms[0], Symbol)
    letters = frozenset[str]().union(*(symbols(t) for t in condition.terms))
    return len(letters) != 1 or not any(isinstance(t, Symbol) for t in condition.terms)


def _same_relations(mine: list[Condition], theirs: list[Condition]) -> bool:
    left = list(mine)
    for wanted in theirs:
        match = next((i for i, c in enumerate(left) if _same_condition(c, wanted)), None)
        if match is None:
            return False
        left.pop(match)
    return not left


def _same_condition(mine: Condition, theirs: Condition) -> bool:
    if isinstance(mine, Relation) and isinstance(theirs, Relation) and mine != theirs:
        if mine.signs == theirs.signs == ("in",):
            return mine.terms[0] == theirs.terms[0] and _same_region(mine.terms[1], theirs.terms[1])
        return bool(same_relation(mine, theirs)[0])
    return mine == theirs


def _same_region(mine: Node, theirs: Node) -> bool:
    """Intervals with letters in their ends, part by part."""
    if isinstance(mine, Group) and isinstance(theirs, Group):
        alike = (mine.open, mine.close, len(mine.items)) == (theirs.open, theirs.close, len(theirs.items))
        return alike and all(_same_region(a, b) for a, b in zip(mine.items, theirs.items, strict=True))
    if isinstance(mine, Call) and isinstance(theirs, Call) and mine.name == theirs.name == "union":
        return all(_same_region(a, b) for a, b in zip(mine.args, theirs.args, strict=True))
    return (
        not isinstance(mine, (Group, Relation))
        and not isinstance(theirs, (Group, Relation))
        and bool(identical(mine, theirs)[0])
    )


def _relevant(conditions: list[Condition]) -> list[Condition]:
    return [c for c in conditions if not _defines(c)]


def _defines(condition: Condition) -> bool:
    """ "where F_0 = 0 and F_1 = 1": says which well-known sequence F is, Fibonacci's."""
    if not isinstance(condition, Relation) or set(condition.signs) != {"="}:
        return False
    fibonacci = {"F_0": 0, "F_1": 1, "F_2": 1, "F_3": 2}
    last = condition.terms[-1]
    named = [t.name for t in condition.terms[:-1] if isinstance(t, Symbol)]
    return bool(named) and all(
        n in fibonacci and not symbols(last) and value(last) == fibonacci[n] for n in named
    )


def _on(conditions: list[Condition], letter: str) -> list[Condition]:
    return [c for c in conditions if letter in declared([c])]


def _same_range(
    mine: list[Condition], theirs: list[Condition], letter: str, argument: bool, counting: bool
) -> Comparison:
    if set(mine) == set(theirs) or _same_relations(mine, theirs):
        return True, ""
    for some, other in ((mine, theirs), (theirs, mine)):
        if not some:
            usual = all(_is_usual(c, counting) or (argument and is_domain(c)) for c in other)
            return usual, f"nothing limits {letter}" if usual else f"only one side limits {letter}"
    mine, theirs = harmonised(mine, theirs)
    try:
        for point in sample_points(mine, theirs):
            here = all(holds(c, {letter: point}) for c in mine)
            if here != all(holds(c, {letter: point}) for c in theirs):
                return False, f"{letter} = {shown(point)} belongs to the {'answer' if here else 'gold'} only"
    except (Undefined, TooLarge, Unreadable) as error:
        return None, str(error)
    return True, "the same range"


def _is_usual(condition: Condition, counting: bool) -> bool:
    """What goes without saying: that the k of 3k + 1 is an integer, that c is a real number."""
    usual = _USUAL - {"real", "complex", "rational"} if counting else _USUAL
    if isinstance(condition, Property):
        return condition.name in usual and condition.holds
    domains = ("Z", "N", "Z>0") if counting else ("R", "C", "Z", "Q", "N", "Z>0")
    return (
        condition.signs == ("in",)
        and isinstance(condition.terms[1], Symbol)
        and condition.terms[1].name in domains
    )


_KINDS = frozenset(["integer", "real", "rational", "complex"])
_SIGNS = frozenset(["positive", "nonnegative", "natural"])


def harmonised(mine: list[Condition], theirs: list[Condition]) -> tuple[list[Condition], list[Condition]]:
    """Where only one side says what numbers are meant, that holds for both.

    "n = 0 (mod 4)" beside "all positive multiples of 4" speaks of positive integers; "n > -5" beside "all
    positive integers" of integers, but it says itself where these begin.
    """
    return mine + _silent(mine, theirs), theirs + _silent(theirs, mine)


def _silent(side: list[Condition], other: list[Condition]) -> list[Condition]:
    """What `other` says of the kind of numbers and `side` does not."""
    if any(is_domain(c) for c in side if not _is_order(c)):
        return []
    said = [c for c in other if isinstance(c, Property) and c.holds]
    found: list[Condition] = [c for c in said if c.name in _KINDS]
    found += [
        c for c in other if isinstance(c, Relation) and c.signs == ("in",) and isinstance(c.terms[1], Symbol)
    ]
    if not any(_is_order(c) for c in side):
        found += [c for c in said if c.name in _SIGNS]
    elif any(c.name == "natural" for c in said):
        found += [replace(c, name="integer") for c in said if c.name == "natural"]
    return found


def _is_order(condition: Condition) -> bool:
    if isinstance(condition, Property):
        return condition.name in ("<", ">", "<=", ">=")
    return bool({"<", ">", "<=", ">="} & set(condition.signs)) or (
        condition.signs[-1] == "in" and not isinstance(condition.terms[-1], Symbol)
    )


def is_integral(conditions: Iterable[Condition]) -> bool:
    """Whether some condition speaks of integers."""
    for c in conditions:
        if isinstance(c, Property) and c.name in _INTEGER_WORDS:
            return True
        if isinstance(c, Relation) and (
            {"≡", "≢", "|", "notdivides"} & set(c.signs)
            or any(
                isinstance(t, Symbol) and t.name[0] in "ZN" and s in ("in", "notin")
                for s, t in zip(c.signs, c.terms[1:], strict=True)
            )
        ):
            return True
    return False


def sample_points(mine: list[Condition], theirs: list[Condition]) -> list[Value]:
    """Where two ranges are compared: all numbers named in them, what lies between and around these.

    Conditions on integers are compared on a stretch of integers as well, longer than their moduli; fractions
    and irrational numbers are among the points unless both sides speak of integers.
    """
    conditions = [*mine, *theirs]
    exact = [v for condition in conditions for v in _irrational(condition)]
    said = {c for condition in conditions for c in _constants(condition)}
    if any(map(_is_loose, conditions)):  # x^2 > 9 changes at -3 as well
        said |= {-c for c in said}
    named = sorted(said)
    points: set[Fraction] = {Fraction(n) for n in (-1, 0, 1)} | set(named)
    points |= {c + d for c in named for d in (-1, 1)}
    points |= {nearest(v) + d for v in exact for d in range(-2, 3)}
    if is_integral(conditions):
        reach = 130 + 4 * int(max((abs(c) for c in named if abs(c) < 200), default=0))
        points |= {Fraction(n) for n in range(-20, reach)}
        points |= {Fraction(int(c) + d) for c in named for d in range(-3, 14)}
        points |= {
            Fraction(int(a) + int(b) * k) for a in named[:12] for b in named[:12] for k in range(-2, 4)
        }
    if any(_is_natural(c) for c in conditions):
        points.discard(Fraction(0))  # some count zero among the natural numbers, some do not
    if is_integral(mine) and is_integral(theirs):
        return sorted(p for p in points if p.denominator == 1 or p in named)
    points |= {(low + high) / 2 for low, high in pairwise(named)} | {c + Fraction(1, 7) for c in named}
    points |= {Fraction(n, 2) for n in (-1, 1, 13, -15, 2001, -2001)}
    return [
        *sorted(points),
        *exact,
        *(v + mp.mpf(d) / 1000 for v in exact for d in (-1, 1)),
        mp.sqrt(2),
        -mp.sqrt(3),
    ]


def _is_natural(condition: Condition) -> bool:
    if isinstance(condition, Property):
        return condition.name == "natural"
    return any(isinstance(t, Symbol) and t.name == "N" for t in condition.terms)


_NO_NUMBERS = frozenset("oo union minus intersection residues".split())


def _closed_values(condition: Condition) -> Iterable[Value]:
    nodes = list(condition.args) if isinstance(condition, Property) else list(condition.terms)
    while nodes:
        node = nodes.pop()
        no_number = isinstance(node, Call) and node.name in _NO_NUMBERS
        if isinstance(node, (Call, Quantity)) and not no_number and not symbols(node):
            try:
                yield value(node)
                continue
            except (Undefined, TooLarge, Unreadable):
                pass
        elif not children(node) and not isinstance(node, (Symbol, Call)):
            yield value(node)
        nodes.extend(children(node))


def _constants(condition: Condition) -> set[Fraction]:
    return {v for v in _closed_values(condition) if isinstance(v, Fraction)}


def _irrational(condition: Condition) -> list[Value]:
    return [
        v
        for v in _closed_values(condition)
        if not isinstance(v, Fraction) and not mp.isinf(v) and v == v.real
    ]


def shown(point: Value) -> str:
    return str(point) if isinstance(point, Fraction) else str(mp.nstr(point, 8))
