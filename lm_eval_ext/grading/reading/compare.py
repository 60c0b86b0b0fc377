"""Whether two answers say the same, and why: the answers read, matched solution by solution.

What counts as equal, in the order of the rules below:

- words: yes, no, no solution; a letter of choice, with or without its value; the name of who wins;
- parts in their order; several values as a set, whatever their order; solutions by the names of the
  unknowns, or in their order where one side has no names; unordered pairs under any order;
- values: expressions as functions of their letters, with units and percents read, ratios, regions;
- families: parameters may be renamed, and must run over the same numbers.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise, permutations

from lm_eval_ext.grading.reading.arithmetic import TooLarge, Undefined, allow
from lm_eval_ext.grading.reading.conditions import IT
from lm_eval_ext.grading.reading.families import same_cases, same_family, same_region
from lm_eval_ext.grading.reading.identity import identical
from lm_eval_ext.grading.reading.phrases import read
from lm_eval_ext.grading.reading.tree import (
    ONE,
    Answer,
    Call,
    Condition,
    Group,
    Item,
    Node,
    Num,
    Property,
    Relation,
    Sym,
    Unreadable,
    walk,
)
from lm_eval_ext.grading.reading.values import may_be_equal, same_item, show_item
from lm_eval_ext.grading.verdict import Outcome

MAX_SOLUTIONS = 150
MAX_STEPS = 20_000
"""Operations evaluated for one comparison; each takes some microseconds."""
_EQUALITY = re.compile(r"[\s\S]*\bequality\b(?:\s+(?:holds|occurs))?", re.IGNORECASE)
"""Where the gold is a case of equality, the answer is what follows that word."""


def compare(answer: str, gold: str) -> Outcome:
    """(equal, reason); equal is None where this reading cannot tell and computer algebra may be asked."""
    allow(MAX_STEPS)
    try:
        wanted = read(gold)
    except Unreadable as error:
        return None, f"the gold is not read: {error}"
    except RecursionError:
        return None, "the gold is nested too deeply"
    try:
        given = read(answer)
    except Unreadable as error:
        return None, f"the answer is not read: {error}"
    except RecursionError:
        return None, "the answer is nested too deeply"
    try:
        outcome = _parts(given, wanted)
        if not outcome[0] and _EQUALITY.match(gold) and (case := _EQUALITY.split(answer)[-1]) != answer:
            return _parts(read(case), read(_EQUALITY.split(gold)[-1]))
    except (Unreadable, Undefined) as error:
        return None, str(error)
    except TooLarge:
        return None, "too much to evaluate"
    except RecursionError:
        return None, "nested too deeply"
    except (
        ArithmeticError,
        ValueError,
    ) as error:  # a number that cannot be: computer algebra may know better
        return None, f"not evaluated: {error}"[:200]
    return outcome


def _parts(given: tuple[Answer, ...], wanted: tuple[Answer, ...]) -> Outcome:
    if len(given) == len(wanted):
        return _all_of([_answers(a, g) for a, g in zip(given, wanted, strict=True)])
    for few, many in ((given, wanted), (wanted, given)):
        if len(few) == 1 and len(few[0].items) == 1 and len(values := few[0].items[0].values) == len(many):
            single = [Answer(items=(replace(few[0].items[0], values=(v,)),)) for v in values]
            pairs = zip(single, many, strict=True) if few is given else zip(many, single, strict=True)
            return _all_of([_answers(a, g) for a, g in pairs])
    if len(given) == 1 and len(given[0].items) == len(wanted):
        return _all_of([_answers(Answer(items=(i,)), g) for i, g in zip(given[0].items, wanted, strict=True)])
    if len(wanted) == 1 and len(wanted[0].items) == len(given):
        return _all_of([_answers(a, Answer(items=(i,))) for a, i in zip(given, wanted[0].items, strict=True)])
    return None, f"{len(given)} parts, the gold has {len(wanted)}"


def _all_of(outcomes: list[Outcome]) -> Outcome:
    """False if one is, None if one is not known, else True."""
    for wanted in (False, None):
        for equal, reason in outcomes:
            if equal is wanted:
                return equal, reason
    return outcomes[0]


def _answers(given: Answer, wanted: Answer) -> Outcome:
    """The answer and its restatements: one must be equal, none may differ."""
    outcomes = [_some_of([_single(a, g) for g in (wanted, *wanted.again)]) for a in (given, *given.again)]
    if given.again and any(i.conditions for i in given.items) and outcomes[0][0] is None:
        outcomes = outcomes[1:]  # a description, then the list: the list counts
    decided = [o for o in outcomes if o[0] is not None]
    return next((o for o in decided if o[0] is False), decided[0]) if decided else outcomes[0]


def _some_of(outcomes: list[Outcome]) -> Outcome:
    for wanted in (True, None):
        for equal, reason in outcomes:
            if equal is wanted:
                return equal, reason
    return outcomes[0]


def _single(given: Answer, wanted: Answer) -> Outcome:
    if given.word or wanted.word:
        negative = {given.word, wanted.word} <= {"no", "none"}
        equal = given.word == wanted.word or negative
        return equal, f"{given.word or 'a value'} and {wanted.word or 'a value'}"
    if given.choice and wanted.choice:
        equal = given.choice.casefold() == wanted.choice.casefold()
        if equal and given.items and wanted.items and same_solutions(given.items, wanted.items)[0] is False:
            return None, f"choice {given.choice} with another value"
        return equal, f"choice {given.choice} and {wanted.choice}"
    if (given.choice or wanted.choice) and not (given.items and wanted.items):
        return False, "a choice on one side, a value on the other"
    return same_solutions(given.items, wanted.items)


def same_solutions(given: tuple[Item, ...], wanted: tuple[Item, ...]) -> Outcome:
    """Whether two lists of solutions are the same set."""
    if (outcome := _as_multisets(given, wanted)) is not None:
        return outcome
    given, wanted = _unnumbered(given, wanted), _unnumbered(wanted, given)
    given, wanted = (_listed(_expanded(_started(side))) for side in (given, wanted))
    if max(len(given), len(wanted)) > MAX_SOLUTIONS:
        return None, "too many solutions to match"
    outcome = _matched(given, wanted)
    for rule in (same_region, same_cases, same_family):
        if outcome[0] is not True and (other := rule(given, wanted))[0] is not None:
            return other
    return outcome


_NUMBERED = re.compile(r"(\w+)_(\d+)")


def _unnumbered(items: tuple[Item, ...], other: tuple[Item, ...]) -> tuple[Item, ...]:
    """x_1 = 3, x_2 = 5 numbers the solutions of one unknown, where the other side lists values of one."""
    if len(items) != 1 or len(other) < 2 or any(len(i.values) > 1 for i in other):
        return items
    names = [_NUMBERED.fullmatch(n) for n, _ in items[0].values]
    if len(names) < 2 or len({n[1] if n else "" for n in names}) != 1 or not all(names):
        return items
    return tuple(
        replace(items[0], values=((n[1] if n else "", v),))
        for n, (_, v) in zip(names, items[0].values, strict=True)
    )


def _started(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """Without "for n >= 2" behind the only formula for a_n: it says where n starts, and is no case."""
    if len(items) != 1 or not items[0].arguments:
        return items
    kept = tuple(c for c in items[0].conditions if not _is_start(c, items[0].arguments))
    return (replace(items[0], conditions=kept),)


_LATEST_START = 5


def _is_start(condition: Condition, arguments: tuple[str, ...]) -> bool:
    if not isinstance(condition, Relation) or condition.signs not in ((">=",), (">",)):
        return False
    letter, start = condition.terms
    whole_number = isinstance(start, Num) and start.value.denominator == 1 and start.value <= _LATEST_START
    return isinstance(letter, Sym) and letter.name in arguments and letter.name in "ijklmn" and whole_number


def _listed(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """1, 2, ..., m are all the integers from 1 to m."""
    values = [i.values[0][1] for i in items if len(i.values) == 1 and not i.conditions]
    dots = Sym("...")
    if len(values) != len(items) or values.count(dots) != 1 or len(values) < 3:
        return items
    at = values.index(dots)
    before, after = values[:at], values[at + 1 :]
    steps = [identical(Call("add", (a, ONE)), b)[0] for a, b in pairwise(before)]
    if len(before) < 2 or len(after) > 1 or not all(steps):
        return items
    it = Sym(IT)
    terms, signs = (before[0], it, *after), ("<=",) * (1 + len(after))
    return (Item((("", it),), (Property("integer", it), Relation(terms, signs))),)


def _as_multisets(given: tuple[Item, ...], wanted: tuple[Item, ...]) -> Outcome | None:
    """{1, 2, 3} for "the permutations of (1, 2, 3)"."""
    for one, other in ((given, wanted), (wanted, given)):
        if len(one) == len(other) == 1 and one[0].order == "permutations" and _are_unordered(other):
            values = tuple(v for _, v in one[0].values)
            if len(values) == 1 and isinstance(values[0], Group):
                values = values[0].items
            as_set = replace(one[0], values=(("", Group("{", "}", values)),), order="")
            return same_item(as_set, wanted[0]) if one is given else same_item(given[0], as_set)
    return None


def _matched(given: tuple[Item, ...], wanted: tuple[Item, ...]) -> Outcome:
    if _are_unordered(wanted):
        given = tuple(_unordered(i) for i in given)
    if len(given) != len(wanted) and (outcome := _as_one_tuple(given, wanted)) is not None and outcome[0]:
        return outcome
    given, wanted = _distinct(given), _distinct(wanted)
    if len(given) != len(wanted):
        return (False, f"{len(given)} solutions, the gold has {len(wanted)}")
    left = list(given)
    unknown: Outcome | None = None
    reason = ""
    for item in wanted:
        match, outcome = _first_equal(left, item)
        if match is not None:
            reason = outcome[1]
            left.pop(match)
        elif outcome[0] is None:
            unknown = outcome
        else:
            return outcome
    return unknown or (True, reason if len(wanted) == 1 else f"the same {len(wanted)} solutions")


def _first_equal(given: list[Item], wanted: Item) -> tuple[int | None, Outcome]:
    """(index of the first equal one, outcome); without one, what is known of the difference."""
    outcomes: list[Outcome] = []
    for i, item in enumerate(given):
        outcome = same_item(item, wanted) if may_be_equal(item, wanted) else _APART
        if outcome[0]:
            return i, outcome
        outcomes.append(outcome)
    undecided = next((o for o in outcomes if o[0] is None), None)
    told = next((o for o in outcomes if o is not _APART), (False, f"{show_item(wanted)} is missing"))
    return None, undecided or told


_APART: Outcome = (False, "another number")


def _as_one_tuple(given: tuple[Item, ...], wanted: tuple[Item, ...]) -> Outcome | None:
    """ "1, 2" for (m, n) = (1, 2): the values in the order of the names."""
    for one, several in ((given, wanted), (wanted, given)):
        if (
            len(one) == 1
            and len(several) > 1
            and all(len(i.values) == 1 and not i.values[0][0] and i.in_order for i in several)
        ):
            listed = Item(tuple(("", i.values[0][1]) for i in several))
            values = one[0].values
            width = len(values) if len(values) > 1 else len(_tuple_items(values[0][1]))
            if width == len(several) and width > 2 - (len(values) > 1):
                return same_item(listed, wanted[0]) if one is wanted else same_item(given[0], listed)
    return None


def _tuple_items(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Group) and (node.open, node.close) == ("(", ")") else ()


def _distinct(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """Without repetitions: {1, 1, 2} is {1, 2}."""
    kept: list[Item] = []
    for item in items:
        if item not in kept and not (
            not item.conditions and any(may_be_equal(item, k) and same_item(item, k)[0] for k in kept)
        ):
            kept.append(item)
    return tuple(kept)


def _are_unordered(items: tuple[Item, ...]) -> bool:
    return all(
        len(i.values) == 1 and isinstance(v := i.values[0][1], Group) and v.open == "{" and len(v.items) > 1
        for i in items
    )


def _unordered(item: Item) -> Item:
    name, node = item.values[0]
    if len(item.values) == 1 and isinstance(node, Group) and node.open == "(" and node.close == ")":
        return Item(((name, Group("{", "}", node.items)),), item.conditions)
    return item


def _expanded(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """Each solution on its own: sets opened, ± written out, permutations listed."""
    found: list[Item] = []
    opened = len(items) == 1
    for item in items:
        for each in _elements(item, opened):
            for signed in _signs(each):
                found += _reordered(signed)
    return tuple(found)


def _elements(item: Item, alone: bool) -> list[Item]:
    """x in {1, 2} is x = 1 or x = 2; one set of several values is several solutions."""
    if len(item.values) != 1 or item.order:
        return [item]
    name, node = item.values[0]
    if isinstance(node, Group) and ((node.open == "{" and alone) or _is_list(node)):
        elements = [
            Group("(", ")", e.items) if node.open == "[" and isinstance(e, Group) else e for e in node.items
        ]
        return [Item(((name, each),), item.conditions, arguments=item.arguments) for each in elements]
    if (
        isinstance(node, Call)
        and node.name == "union"
        and all(isinstance(a, Group) and a.open == "{" for a in node.args)
    ):
        return [
            Item(((name, each),), item.conditions)
            for a in node.args
            if isinstance(a, Group)
            for each in a.items
        ]
    return [item]


def _is_list(node: Group) -> bool:
    """[1, 2, 3] and [[1, 2], [3, 4]] list values; [1, 2] alone is an interval."""
    return (node.open, node.close) == ("[", "]") and (
        len(node.items) != 2 or any(isinstance(i, Group) for i in node.items)
    )


def _signs(item: Item) -> list[Item]:
    """± and ∓ with the upper signs together, then the lower ones."""
    if not any(isinstance(n, Call) and n.name in ("pm", "mp") for _, v in item.values for n in walk(v)):
        return [item]
    return [
        Item(
            tuple((n, _with_sign(v, upper)) for n, v in item.values),
            item.conditions,
            item.order,
            item.arguments,
        )
        for upper in (True, False)
    ]


def _with_sign(node: Node, upper: bool) -> Node:
    if isinstance(node, Call):
        args = tuple(_with_sign(a, upper) for a in node.args)
        if node.name in ("pm", "mp"):
            return args[0] if upper == (node.name == "pm") else Call("neg", args)
        return Call(node.name, args)
    return (
        Group(node.open, node.close, tuple(_with_sign(i, upper) for i in node.items))
        if isinstance(node, Group)
        else node
    )


def _reordered(item: Item) -> list[Item]:
    """All permutations, or the cyclic ones, of a tuple so announced."""
    if not item.order:
        return [item]
    names, values = zip(*item.values, strict=True)
    if len(values) == 1 and isinstance(values[0], Group):
        values = values[0].items
        names = ("",) * len(values)
    if len(values) > 5:
        raise Unreadable("permutations of so many")
    orders = (
        [values[i:] + values[:i] for i in range(len(values))]
        if item.order == "cyclic"
        else list(permutations(values))
    )
    unique = list(dict.fromkeys(orders))
    return [Item(tuple(zip(names, o, strict=True)), item.conditions) for o in unique]


__all__ = ["compare", "same_solutions"]
