"""The numbers over which the parameters of two families run."""

from __future__ import annotations

from lm_eval_ext.grading.answers.comparison.conditions import is_loose, renamed, unsaid
from lm_eval_ext.grading.answers.comparison.expressions import identical
from lm_eval_ext.grading.answers.comparison.points import sample_points, shown
from lm_eval_ext.grading.answers.comparison.relations import same_relation
from lm_eval_ext.grading.answers.errors import AnswerError, Undefined
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.numeric.predicates import holds
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.semantics.conditions import IT, declared, is_domain
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Condition,
    Group,
    Node,
    Property,
    Relation,
    Symbol,
    symbols,
)
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

_COUNTING = frozenset("ijklmn")
_COUNTING_WORDS = frozenset(["integer", "natural", "positive"])
_COUNTING_SETS = frozenset(["Z", "N", "Z>0"])
_WORDS = _COUNTING_WORDS | {"real", "complex", "rational"}
_SETS = _COUNTING_SETS | {"R", "C", "Q"}


@rule("undecided.conditions")
def range_difference(
    given: Solution, wanted: Solution, renaming: dict[str, Node], evaluator: Evaluator
) -> Outcome | None:
    """How the numbers over which the parameters of two families run differ; None where they do not.

    Where one side is silent, the other may say that the parameter is real, or a (positive) integer, and over
    what domain the argument of a function runs ("for all x > 0"); not that a parameter is at least 2.
    """
    mine = [renamed(condition, renaming) for condition in _ranges(given, evaluator)]
    theirs = _ranges(wanted, evaluator)
    if set(mine) == set(theirs):
        return None
    if (stray := _stray_letters(given)) and not stray & _letters(wanted):
        return Outcome(None, "undecided.conditions", f"{min(stray)} is in no value")
    loose_mine, loose_theirs = (list(filter(is_loose, side)) for side in (mine, theirs))
    if not _same_relations(loose_mine, loose_theirs, evaluator):
        return Outcome(None, "undecided.conditions", "conditions that cannot be compared")
    mine, theirs = ([c for c in side if not is_loose(c)] for side in (mine, theirs))
    for letter in sorted(declared(mine) | declared(theirs)):
        here, there = ([c for c in side if letter in declared([c])] for side in (mine, theirs))
        difference = _letter_difference(letter, here, there, given, wanted, evaluator)
        if difference is not None:
            return difference
    return None


def _stray_letters(solution: Solution) -> set[str]:
    """Letters that its conditions limit, and that are nowhere else: "f(x) = x for all real w"."""
    return declared(solution.conditions) - _letters(solution) - {IT, "R", "Z", "N", "Q", "C"}


def _letters(solution: Solution) -> frozenset[str]:
    return solution.letters | set(solution.arguments) | {name for name, _ in solution.values}


def _letter_difference(
    letter: str,
    here: list[Condition],
    there: list[Condition],
    given: Solution,
    wanted: Solution,
    evaluator: Evaluator,
) -> Outcome | None:
    """How the conditions of the two sides on one parameter differ."""
    if set(here) == set(there) or _same_relations(here, there, evaluator):
        return None
    if here and there:
        return _compared(here, there, letter, evaluator)
    return _one_silent(here or there, letter, given, wanted)


def _ranges(solution: Solution, evaluator: Evaluator) -> list[Condition]:
    """Its conditions that limit something."""
    return [c for c in solution.conditions if not _is_pole(c, solution, evaluator)]


def _is_pole(condition: Condition, solution: Solution, evaluator: Evaluator) -> bool:
    """x != 1 of f(x) = 1/(x - 1), which has no value there anyway."""
    if not isinstance(condition, Relation) or condition.signs != ("!=",):
        return False
    letter, pole = condition.terms
    if not isinstance(letter, Symbol) or letter.name not in solution.arguments or symbols(pole):
        return False
    try:
        at = {letter.name: evaluator.value(pole)}
        for _, node in solution.values:
            evaluator.value(node, at)
    except Undefined:
        return True
    except AnswerError:
        return False
    return False


def _one_silent(
    conditions: list[Condition], letter: str, given: Solution, wanted: Solution
) -> Outcome | None:
    arguments = given.arguments + wanted.arguments
    counting = letter in _COUNTING and not arguments and len(wanted.values) == 1
    return _one_sided(conditions, letter, letter in arguments, counting)


def _same_relations(mine: list[Condition], theirs: list[Condition], evaluator: Evaluator) -> bool:
    left = list(mine)
    for wanted in theirs:
        match = next((i for i, c in enumerate(left) if _same_condition(c, wanted, evaluator)), None)
        if match is None:
            return False
        left.pop(match)
    return not left


def _same_condition(mine: Condition, theirs: Condition, evaluator: Evaluator) -> bool:
    if mine == theirs or isinstance(mine, Property) or isinstance(theirs, Property):
        return mine == theirs
    if mine.signs == theirs.signs == ("in",):
        return mine.terms[0] == theirs.terms[0] and _same_region(mine.terms[1], theirs.terms[1], evaluator)
    return bool(same_relation(mine, theirs, evaluator).equal)


def _same_region(mine: Node, theirs: Node, evaluator: Evaluator) -> bool:
    """Intervals with letters in their ends, part by part."""
    if isinstance(mine, Group) and isinstance(theirs, Group):
        if (mine.open, mine.close, len(mine.items)) != (theirs.open, theirs.close, len(theirs.items)):
            return False
        return all(_same_region(a, b, evaluator) for a, b in zip(mine.items, theirs.items, strict=True))
    if isinstance(mine, Call) and isinstance(theirs, Call) and mine.name == theirs.name == "union":
        return all(_same_region(a, b, evaluator) for a, b in zip(mine.args, theirs.args, strict=True))
    if any(isinstance(n, (Group, Relation)) for n in (mine, theirs)):
        return False
    return bool(identical(mine, theirs, evaluator).equal)


@rule("ranges.limited-by-one-side")
def _one_sided(conditions: list[Condition], letter: str, argument: bool, counting: bool) -> Outcome | None:
    if all(_is_usual(c, counting) or (argument and is_domain(c)) for c in conditions):
        return None
    return Outcome(False, "ranges.limited-by-one-side", f"only one side limits {letter}")


def _is_usual(condition: Condition, counting: bool) -> bool:
    """What goes without saying: that the k of 3k + 1 is an integer, that c is a real number."""
    if isinstance(condition, Property):
        return condition.holds and condition.name in (_COUNTING_WORDS if counting else _WORDS)
    region = condition.terms[1]
    if condition.signs != ("in",) or not isinstance(region, Symbol):
        return False
    return region.name in (_COUNTING_SETS if counting else _SETS)


@rule("ranges.differ", "undecided.range")
def _compared(
    mine: list[Condition], theirs: list[Condition], letter: str, evaluator: Evaluator
) -> Outcome | None:
    mine, theirs = mine + unsaid(mine, theirs), theirs + unsaid(theirs, mine)
    try:
        for point in sample_points(mine, theirs, evaluator):
            at = {letter: point}
            here = all(holds(c, at, evaluator) for c in mine)
            if here != all(holds(c, at, evaluator) for c in theirs):
                side = "answer" if here else "gold"
                return Outcome(
                    False, "ranges.differ", f"{letter} = {shown(point)} belongs to the {side} only"
                )
    except AnswerError as error:
        return Outcome(None, "undecided.range", str(error))
    return None
