"""Sequences: listed terms beside a general term, and a parameter that is shifted with its range."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from lm_eval_ext.grading.answers.comparison.canonical import Solutions
from lm_eval_ext.grading.answers.comparison.conditions import is_integral, letters_of
from lm_eval_ext.grading.answers.comparison.expressions import identical
from lm_eval_ext.grading.answers.errors import AnswerError
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.numeric.predicates import holds
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Condition,
    Node,
    Symbol,
    number,
    substitute,
    symbols,
    tuple_items,
)
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

_INDEXED = re.compile(r"([A-Za-z]+)_(\d+)")
_DOTS = Symbol("...")
_NEEDED_TERMS = 3
_SHIFTS = (1, -1, 2, -2, 3, -3)
_TRIED = 40


@rule("sequences.same-terms")
def same_terms(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome | None:
    """a_1 = 2, a_2 = 5, a_3 = 7, ..., a_9 = 19 beside a_1 = 2, a_k = 2k + 1 for 2 <= k <= 9."""
    for one, other in ((given, wanted), (wanted, given)):
        terms = _listed_terms(one)
        if not terms or len(other) != 1 or len(other[0].arguments) != 1:
            continue
        try:
            if _has_terms(other[0], terms, evaluator):
                return Outcome(True, "sequences.same-terms", f"the same {len(terms)} terms")
        except AnswerError:
            return None
    return None


def _listed_terms(solutions: Solutions) -> dict[str, Node]:
    """a_1, a_2, ..., a_n by name; empty where no ellipsis stands before the last of them."""
    pairs = [pair for s in solutions for pair in s.values]
    dots = [i for i, (_, value) in enumerate(pairs) if value == _DOTS]
    if dots != [len(pairs) - 2] or any(s.conditions for s in solutions):
        return {}
    terms = {name: value for name, value in pairs if value != _DOTS}
    letters = {match[1] if (match := _INDEXED.fullmatch(name)) else "" for name in terms}
    return terms if len(letters) == 1 and letters != {""} and len(terms) == len(pairs) - 1 else {}


def _has_terms(solution: Solution, terms: dict[str, Node], evaluator: Evaluator) -> bool:
    """Whether these are its terms: those that it names, and the others by its formula and its range."""
    named, (letter,) = dict(solution.values), solution.arguments
    formula = named.pop(next(iter(terms)).partition("_")[0], None)
    if formula is None or not named.keys() <= terms.keys():
        return False
    by_formula = [name for name in terms if name not in named]
    values = {n: substitute(formula, {letter: number(_index(n))}) for n in by_formula} | named
    ends = min(map(_index, by_formula), default=1) - 1, max(map(_index, terms)) + 1
    ranges = _range(solution.conditions, letter, evaluator)
    in_range = all(map(ranges, [*map(_index, by_formula), ends[1] - 2]))  # which the dots stand for
    in_range = in_range and not (solution.conditions and any(map(ranges, ends)))
    same = all(identical(values[n], terms[n], evaluator).equal for n in terms)
    return len(by_formula) >= _NEEDED_TERMS and in_range and same


def _index(name: str) -> int:
    return int(name.partition("_")[2])


def _range(conditions: Sequence[Condition], letter: str, evaluator: Evaluator) -> Callable[[int], bool]:
    return lambda at: all(holds(c, {letter: Fraction(at)}, evaluator) for c in conditions)


@rule("sequences.all-equal")
def same_constant(given: Solutions, wanted: Solutions, evaluator: Evaluator) -> Outcome | None:
    """x_1 = x_2 = ... = x_n = 1, (1, 1, ..., 1) and "x_i = 1 for all i"."""
    mine, theirs = _constant(given), _constant(wanted)
    if mine is None or theirs is None or not any(v == _DOTS for s in (*given, *wanted) for v in _entries(s)):
        return None
    outcome = identical(mine, theirs, evaluator)
    return outcome._replace(rule="sequences.all-equal") if outcome.equal else outcome


def _entries(solution: Solution) -> tuple[Node, ...]:
    """Its names and its values; those of a tuple one by one."""
    values = [v for _, v in solution.values]
    entries = tuple_items(values[0]) if len(values) == 1 else tuple(values)
    return (*entries, *(Symbol(name) for name, _ in solution.values))


def _constant(solutions: Solutions) -> Node | None:
    """The value that all terms of a sequence have; None for anything else."""
    if len(solutions) != 1 or solutions[0].conditions:
        return None
    values, arguments = solutions[0].values, solutions[0].arguments
    if len(arguments) == len(values) == 1 and not symbols(values[0][1]):
        return values[0][1]
    entries = tuple_items(values[0][1]) if len(values) == 1 else tuple(v for _, v in values)
    terms = {v for v in entries if v != _DOTS}
    dotted = _DOTS in entries or _are_terms([name for name, _ in values])
    return terms.pop() if dotted and len(terms) == 1 else None


def _are_terms(names: Sequence[str]) -> bool:
    """Whether they are x_1, x_2, ..., x_n: of one letter, in order up to the ellipsis."""
    shown = names[: names.index("...")] if "..." in names else []
    found = [match for match in map(_INDEXED.fullmatch, shown) if match]
    first = int(found[0][2]) if found else 0
    letters = {match[1] for match in found} | {re.split(r"[_(]", name)[0] for name in names if name != "..."}
    return (
        len(found) == len(shown) > 0
        and len(letters) == 1
        and [int(m[2]) for m in found] == [*range(first, first + len(found))]
    )


@rule("sequences.shifted-parameter")
def same_shifted(given: Solution, wanted: Solution, evaluator: Evaluator) -> Outcome | None:
    """a_n = n + C for C >= 0 is a_n = n + c - 1 for c >= 1: an integer parameter is shifted."""
    mine, theirs = _parameter(given), _parameter(wanted)
    if mine is None or theirs is None or len(given.arguments) != len(wanted.arguments):
        return None
    if not is_integral(given.conditions + wanted.conditions) or not _limits_only(given, mine):
        return None
    if not _limits_only(wanted, theirs):
        return None
    renaming: dict[str, Node] = {a: Symbol(g) for a, g in zip(given.arguments, wanted.arguments, strict=True)}
    here = _range(given.conditions, mine, evaluator)
    there = _range(wanted.conditions, theirs, evaluator)
    for shift in _SHIFTS:
        moved = {**renaming, mine: Call("add", (Symbol(theirs), number(shift)))}
        if identical(substitute(given.values[0][1], moved), wanted.values[0][1], evaluator).equal:
            if any(here(at + shift) != there(at) for at in range(-_TRIED, _TRIED)):
                return None
            return Outcome(True, "sequences.shifted-parameter", f"{mine} is {theirs} + {shift}")
    return None


def _limits_only(solution: Solution, letter: str) -> bool:
    return all(letters_of(c) <= {letter} for c in solution.conditions)


def _parameter(solution: Solution) -> str | None:
    """The one letter besides the arguments of a sequence, where there is one."""
    if not solution.arguments or len(solution.values) != 1:
        return None
    letters = solution.letters - set(solution.arguments)
    return next(iter(letters)) if len(letters) == 1 else None
