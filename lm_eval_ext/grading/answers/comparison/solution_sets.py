"""Two lists of solutions, matched one by one."""

from __future__ import annotations

from dataclasses import replace

from lm_eval_ext.grading.answers.comparison.canonical import (
    expanded,
    listed,
    opened,
    unnumbered,
    without_start,
)
from lm_eval_ext.grading.answers.comparison.families import same_cases, same_family
from lm_eval_ext.grading.answers.comparison.number_sets import same_region
from lm_eval_ext.grading.answers.comparison.outcome import Comparison
from lm_eval_ext.grading.answers.comparison.solution import may_be_equal, same_item, show_item
from lm_eval_ext.grading.answers.comparison.values import same_value
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.syntax.nodes import Group, Symbol, tuple_items

MAX_SOLUTIONS = 150


def same_solutions(given: tuple[Solution, ...], wanted: tuple[Solution, ...]) -> Comparison:
    """Whether two lists of solutions are the same set."""
    if (outcome := _as_multisets(given, wanted)) is not None:
        return outcome
    if (outcome := _set_by_set(given, wanted)) is not None:
        return outcome
    given, wanted = _in_all_orders(given, wanted), _in_all_orders(wanted, given) if len(given) > 1 else wanted
    given, wanted = opened(given, wanted), opened(wanted, given)
    given, wanted = unnumbered(given, wanted), unnumbered(wanted, given)
    given, wanted = (listed(expanded(without_start(side))) for side in (given, wanted))
    if max(len(given), len(wanted)) > MAX_SOLUTIONS:
        return None, "too many solutions to match"
    outcome = _matched(given, wanted)
    if outcome[0] is False and any(v == Symbol("...") for i in (*given, *wanted) for _, v in i.values):
        outcome = None, "a list with an ellipsis"
    for rule in (same_region, same_cases, same_family):
        if outcome[0] is not True and (other := rule(given, wanted))[0] is not None:
            return other
    return outcome


def _set_by_set(given: tuple[Solution, ...], wanted: tuple[Solution, ...]) -> Comparison | None:
    """{x : x > 3}, {x : x > 0} are two sets, and "x > 3, y > 0" speaks of two letters: nothing is united."""
    if {i.braced for i in (*given, *wanted)} == {True} and max(len(given), len(wanted)) > 1:
        if len(given) != len(wanted):
            return False, f"{len(given)} sets, the gold has {len(wanted)}"
        pairs = [((a,), (g,)) for a, g in zip(given, wanted, strict=True)]
    else:
        mine, theirs = _by_letter(given), _by_letter(wanted)
        if mine is None or theirs is None or mine.keys() != theirs.keys():
            return None
        pairs = [((mine[letter],), (theirs[letter],)) for letter in mine]
    outcomes = [same_solutions(a, g) for a, g in pairs]
    return next((o for o in outcomes if o[0] is not True), outcomes[0])


def _by_letter(items: tuple[Solution, ...]) -> dict[str, Solution] | None:
    """The range of each of several letters; None for anything else."""
    found = {v.name: i for i in items for _, v in i.values if isinstance(v, Symbol) and i.conditions}
    return found if 1 < len(found) == len(items) else None


def _in_all_orders(items: tuple[Solution, ...], other: tuple[Solution, ...]) -> tuple[Solution, ...]:
    """{3, 5} beside (3, 5), (5, 3) stands for both orders."""
    sets = [v for i in items for _, v in i.values if isinstance(v, Group)]
    nested = any(isinstance(e, Group) for v in sets for e in v.items)
    tuples = all(tuple_items(i.values[0][1]) for i in other) and len(other) > len(items)
    if not _are_unordered(items) or nested or not tuples:
        return items
    return tuple(
        replace(i, values=((n, Group("(", ")", v.items)),), order="permutations")
        for i in items
        for n, v in i.values
        if isinstance(v, Group)
    )


def _as_multisets(given: tuple[Solution, ...], wanted: tuple[Solution, ...]) -> Comparison | None:
    """{1, 2, 3} for "the permutations of (1, 2, 3)"."""
    for one, other in ((given, wanted), (wanted, given)):
        if len(one) == len(other) == 1 and one[0].order == "permutations" and _are_unordered(other):
            values = tuple(v for _, v in one[0].values)
            if len(values) == 1 and isinstance(values[0], Group):
                values = values[0].items
            as_set = replace(one[0], values=(("", Group("{", "}", values)),), order="")
            return same_item(as_set, wanted[0]) if one is given else same_item(given[0], as_set)
    return None


def _matched(given: tuple[Solution, ...], wanted: tuple[Solution, ...]) -> Comparison:
    if _are_unordered(wanted):
        given = tuple(_unordered(i) for i in given)
    if len(given) != len(wanted) and (outcome := _as_one_tuple(given, wanted)) is not None and outcome[0]:
        return outcome
    once = _distinct(given), _distinct(wanted)
    listed = all(i.in_order for i in (*given, *wanted)) and len(given) == len(wanted)
    if not listed or len(once[0]) == len(given) or len(once[1]) == len(wanted):
        given, wanted = once  # else both sides repeat some: 2, 2, 3 is not 2, 3, 3
    if len(given) != len(wanted):
        sides = [", ".join(map(show_item, side))[:60] for side in (given, wanted)]
        return False, f"{len(given)} solutions, the gold has {len(wanted)}: {sides[0]}; {sides[1]}"
    left = list(given)
    unknown: Comparison | None = None
    missing: list[tuple[Solution, str]] = []
    reason = ""
    for item in wanted:
        match, outcome = _first_equal(left, item)
        if match is not None:
            reason = outcome[1]
            left.pop(match)
        elif outcome[0] is None:
            unknown = outcome
        else:
            missing.append((item, outcome[1]))
    if missing:
        item, reason = missing[0]
        return False, reason or f"{show_item(left[0])} and {show_item(item)} differ"
    return unknown or (True, reason if len(wanted) == 1 else f"the same {len(wanted)} solutions")


def _first_equal(given: list[Solution], wanted: Solution) -> tuple[int | None, Comparison]:
    """(index of the first equal one, outcome); without one, what is known of the difference."""
    outcomes: list[Comparison] = []
    for i, item in enumerate(given):
        outcome = same_item(item, wanted) if may_be_equal(item, wanted) else _APART
        if outcome[0]:
            return i, outcome
        outcomes.append(outcome)
    undecided = next((o for o in outcomes if o[0] is None), None)
    return None, undecided or (outcomes[0] if len(outcomes) == 1 else _APART)


_APART: Comparison = (False, "")


def _as_one_tuple(given: tuple[Solution, ...], wanted: tuple[Solution, ...]) -> Comparison | None:
    """ "1, 2" for (m, n) = (1, 2): the values in the order of the names.

    [1, 2, 3] may list a set: of a gold {1, 2, 3} in any order, else in the order of the gold.
    """
    for one, several in ((given, wanted), (wanted, given)):
        if len(one) != 1 or len(several) < 2 or any(len(i.values) != 1 for i in several):
            continue
        values = one[0].values
        entries = [v for _, v in values] if len(values) > 1 else list(tuple_items(values[0][1]))
        if len(entries) != len(several) or (len(values) == 1 and len(entries) < 3):
            continue
        listed = [i.values[0][1] for i in several]
        if all(i.in_order and not i.values[0][0] for i in several):
            plain = Solution(tuple(("", v) for v in listed))
            return same_item(plain, wanted[0]) if one is wanted else same_item(given[0], plain)
        if isinstance(bracket := values[0][1], Group) and bracket.open == "[":
            brackets = ("[", "]") if one is wanted else ("{", "}")
            sides = Group(*brackets, tuple(entries)), Group(*brackets, tuple(listed))
            return same_value(*(sides if one is given else sides[::-1]))
    return None


def _distinct(items: tuple[Solution, ...]) -> tuple[Solution, ...]:
    """Without repetitions: {1, 1, 2} is {1, 2}."""
    kept: list[Solution] = []
    for item in items:
        if item not in kept and not (
            not item.conditions and any(may_be_equal(item, k) and same_item(item, k)[0] for k in kept)
        ):
            kept.append(item)
    return tuple(kept)


def _are_unordered(items: tuple[Solution, ...]) -> bool:
    return all(
        len(i.values) == 1 and isinstance(v := i.values[0][1], Group) and v.open == "{" and len(v.items) > 1
        for i in items
    )


def _unordered(item: Solution) -> Solution:
    name, node = item.values[0]
    if len(item.values) == 1 and (entries := tuple_items(node)):
        return Solution(((name, Group("{", "}", entries)),), item.conditions)
    return item
