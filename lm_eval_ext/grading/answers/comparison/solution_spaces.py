"""General solutions: arbitrary constants may be renamed, exchanged, rescaled and recombined.

A value that is affine in its constants describes an affine space of functions. Sampled at points, two such
spaces are equal if their directions have the same rank alone and together, and hold the difference of two
members. Points of a line or plane with real parameters are the case without variables.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence, Set
from contextlib import suppress
from fractions import Fraction

from lm_eval_ext.grading.answers.comparison.expressions import identical
from lm_eval_ext.grading.answers.errors import AnswerError, Undefined
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.numeric.numbers import Value, as_real, is_real, mp
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.semantics.conditions import declared
from lm_eval_ext.grading.answers.syntax.nodes import (
    ONE,
    Call,
    Condition,
    Group,
    Node,
    Property,
    Relation,
    Symbol,
    children,
    substitute,
    symbols,
    walk,
)
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

Vector = list[Value]
Pairs = Sequence[tuple[Node, Node]]

_NUMBERED = re.compile(r"[cC]_\d+")
_SINGLE = frozenset(["C", "c", "K"])
_VARIABLES = frozenset("x y z t s u v w theta r tau".split())
_PARAMETERS = frozenset("s t r u v p q a b c k lambda mu alpha beta tau z".split())
_MOST_CONSTANTS = 5
_CANDIDATES = 40
_DIGITS = 20
"""Known to 60 digits, numbers that differ by less than this are equal."""


def same_space(given: Solution, wanted: Solution, pairs: Pairs, evaluator: Evaluator) -> Outcome | None:
    """Whether two general solutions, antiderivatives or parametrised points are the same; None for others."""
    entries = list(_flat(pairs))
    if any(isinstance(n, (Relation, Group)) for pair in entries for n in pair):
        return None
    constants = arbitrary_constants(wanted, [g for _, g in entries], given)
    if not constants or len(constants) > _MOST_CONSTANTS or not _are_free(wanted, given):
        return None
    mine, theirs = (frozenset[str]().union(*(symbols(p[side]) for p in entries)) for side in (0, 1))
    variables = theirs - constants
    own = mine - variables
    if not variables <= mine or len(own) > _MOST_CONSTANTS:
        return None  # constants alone are no functions of x
    if variables:
        fits = not own & _VARIABLES - _PARAMETERS
    else:
        fits = _may_be_points(given, wanted, own, constants, entries)
    return _same_family(entries, variables, own, constants, evaluator) if fits else None


def _same_family(
    entries: Pairs,
    variables: frozenset[str],
    own: frozenset[str],
    constants: frozenset[str],
    evaluator: Evaluator,
) -> Outcome | None:
    """Values in the same variables, one side with its own constants, the other with `constants`."""
    single = len(own) == len(constants) == 1
    if variables and single and _is_renamed(entries, min(own), min(constants), evaluator):
        return _verdict(True, "the same family, its constant renamed")
    try:
        sampler = _Sampler(sorted(variables), 2 * len(constants) + 3, evaluator)
        return _compared(sampler, entries, sorted(own), sorted(constants))
    except AnswerError:
        return None


def _is_renamed(entries: Pairs, mine: str, theirs: str, evaluator: Evaluator) -> bool:
    """K = C, K = -C or K = 1/C makes them the same expressions."""
    constant = Symbol(theirs)
    return any(
        all(identical(substitute(a, {mine: form}), g, evaluator).equal for a, g in entries)
        for form in (constant, Call("neg", (constant,)), Call("div", (ONE, constant)))
    )


def _compared(sampler: _Sampler, entries: Pairs, own: list[str], constants: list[str]) -> Outcome | None:
    theirs = sampler.affine([g for _, g in entries], constants)
    if theirs is None:
        return None
    start, directions = theirs
    mine = sampler.affine([a for a, _ in entries], own) or sampler.spanned([a for a, _ in entries], own)
    if mine is None:
        return None
    other_start, other_directions = mine
    ranks = rank(directions), rank(other_directions)
    gap = [_minus(a, b) for a, b in zip(other_start, start, strict=True)]
    joint = rank([*directions, *other_directions, gap])
    if not own and joint == ranks[0] and all(_is_added(g, constants[0]) for _, g in entries):
        return _verdict(None, "one antiderivative, the gold has all")
    if ranks[0] == ranks[1] == joint:
        return _verdict(True, f"the same family in {joint} arbitrary constants")
    return _verdict(False, "families of other functions")


@rule("spaces.same", "spaces.differ", "undecided.no-constant")
def _verdict(equal: bool | None, detail: str) -> Outcome:
    if equal is None:
        return Outcome(None, "undecided.no-constant", detail)
    return Outcome(equal, "spaces.same" if equal else "spaces.differ", detail)


def arbitrary_constants(
    wanted: Solution, values: Sequence[Node], given: Solution | None = None
) -> frozenset[str]:
    """The letters of the gold that stand for any number: c_1, C_2, + C, the C of y = Ce^x, "t real".

    The answer, too, may name the function: y = Ce^x for ce^x.
    """
    letters = frozenset[str]().union(*map(symbols, values)) - set(wanted.arguments)
    named = {c for c in declared(wanted.conditions) if c in letters}
    constants: Set[str] = {c for c in letters if _NUMBERED.fullmatch(c)} | named
    is_named = any(name for s in (wanted, given or wanted) for name, _ in s.values)
    constants = constants or _lone_constant(letters, values, is_named)
    return letters if not constants and len(values) > 1 and letters <= _PARAMETERS else frozenset(constants)


def _lone_constant(letters: frozenset[str], values: Sequence[Node], is_named: bool) -> Set[str]:
    """The C of y = Ce^x, beside variables of a function that has a name, or of x^2 + C."""
    single = letters & _SINGLE
    if len(single) == 1 and ((is_named and letters - single <= _VARIABLES) or _are_added(values, *single)):
        return single
    return frozenset()


def _are_added(values: Sequence[Node], letter: str) -> bool:
    return all(_is_added(v, letter) for v in values)


def _is_added(node: Node, letter: str) -> bool:
    """x^2 + C."""
    if not isinstance(node, Call) or node.name != "add":
        return False
    return Symbol(letter) in node.args and sum(letter in symbols(term) for term in node.args) == 1


def _are_free(*sides: Solution) -> bool:
    """Whether no condition says more than that a letter is real or complex."""
    return all(_is_free(c) for side in sides for c in side.conditions)


def _is_free(condition: Condition) -> bool:
    if isinstance(condition, Property):
        return condition.holds and condition.name in ("real", "complex")
    return condition.signs == ("in",) and condition.terms[1] in (Symbol("R"), Symbol("C"))


def _may_be_points(
    given: Solution, wanted: Solution, own: frozenset[str], constants: frozenset[str], entries: Pairs
) -> bool:
    """Points with parameters: with other letters, or with some that are said to be any numbers."""
    said = declared(given.conditions) | declared(wanted.conditions)
    if len(entries) < 2 or (not own <= _PARAMETERS | said and not constants <= said):
        return False
    return not own & constants or bool(said)


def _flat(pairs: Pairs) -> Iterator[tuple[Node, Node]]:
    for mine, theirs in pairs:
        grouped = isinstance(theirs, Group) and (isinstance(mine, Group) or _is_vector(mine))
        if grouped and len(children(mine)) == len(children(theirs)):
            yield from _flat(list(zip(children(mine), children(theirs), strict=True)))
        else:
            yield mine, theirs


def _is_vector(node: Node) -> bool:
    return isinstance(node, Call) and node.name == "vector"


class _Sampler:
    """Values of expressions at `count` points where all are defined, and real if possible."""

    def __init__(self, variables: list[str], count: int, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.count = count if variables else 1
        self.chance = random.Random(7)
        self.points = [
            {v: Fraction(self.chance.randint(20, 150 if i % 2 else 600), 71) for v in variables}
            for i in range(_CANDIDATES if variables else 1)
        ]
        self.chosen: list[dict[str, Fraction]] = []

    def affine(self, values: Sequence[Node], constants: list[str]) -> tuple[Vector, list[Vector]] | None:
        """A member and the directions, None if the values are not affine in the constants."""
        at = self._constants(constants)
        start = self._vector(values, at)
        steps = {c: Fraction(self.chance.randint(2, 9), 7) for c in constants}
        directions = [
            [_minus(b, a) for a, b in zip(start, self._vector(values, {**at, c: at[c] + d}), strict=True)]
            for c, d in steps.items()
        ]
        beyond = self._vector(values, {c: at[c] + 3 * d for c, d in steps.items()})
        for i, (first, last) in enumerate(zip(start, beyond, strict=True)):
            expected = as_real(first) + 3 * sum(as_real(d[i]) for d in directions)
            if abs(as_real(last) - expected) > mp.mpf(10) ** -_DIGITS * (1 + abs(expected)):
                return None
        return start, directions

    def spanned(self, values: Sequence[Node], constants: list[str]) -> tuple[Vector, list[Vector]] | None:
        """For an amplitude and a phase, A cos(x - phi): members, whose differences span the space."""
        if not any(_is_wave(n, constants) for v in values for n in walk(v)):
            return None
        members = [self._vector(values, self._constants(constants)) for _ in range(2 * len(constants) + 2)]
        spans = [[_minus(b, a) for a, b in zip(members[0], m, strict=True)] for m in members[1:]]
        return (members[0], spans) if rank(spans) == len(constants) else None

    def _constants(self, names: list[str]) -> dict[str, Fraction]:
        return {name: Fraction(self.chance.randint(5, 40), 11) for name in names}

    def _vector(self, values: Sequence[Node], constants: dict[str, Fraction]) -> Vector:
        if not self.chosen:
            self._choose(values, constants)
        return [self.evaluator.value(v, {**constants, **p}) for p in self.chosen for v in values]

    def _choose(self, values: Sequence[Node], constants: dict[str, Fraction]) -> None:
        real, other = list[dict[str, Fraction]](), list[dict[str, Fraction]]()
        for point in self.points:
            with suppress(AnswerError):
                found = [self.evaluator.value(v, {**constants, **point}) for v in values]
                (real if all(map(is_real, found)) else other).append(point)
            if len(real) == self.count:
                break
        self.chosen = [*real, *other][: self.count]
        if len(self.chosen) < self.count:
            raise Undefined("too few points")


def _is_wave(node: Node, constants: list[str]) -> bool:
    return isinstance(node, Call) and node.name in ("sin", "cos") and bool(symbols(node) & set(constants))


def _minus(a: Value, b: Value) -> Value:
    return a - b if isinstance(a, Fraction) and isinstance(b, Fraction) else as_real(a) - as_real(b)


def rank(vectors: Sequence[Vector]) -> int:
    """The dimension of what they span, by elimination."""
    basis: list[tuple[int, list[Value]]] = []
    for vector in vectors:
        size = max((abs(as_real(v)) for v in vector), default=mp.mpf(0))
        if size == 0:
            continue
        rest = [as_real(v) / size for v in vector]
        for pivot, row in basis:
            factor = rest[pivot] / row[pivot]
            rest = [a - factor * b for a, b in zip(rest, row, strict=True)]
        pivot = max(range(len(rest)), key=lambda i: abs(rest[i]))
        if abs(rest[pivot]) > mp.mpf(10) ** -_DIGITS:
            basis.append((pivot, rest))
    return len(basis)
