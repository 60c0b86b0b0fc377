"""Two values of any kind: numbers and formulas with their units, ratios, groups, equations for a value."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from lm_eval_ext.grading.answers.comparison.decimals import (
    has_digits_of,
    is_decimal,
    ratio_of_units,
    rounds_to,
)
from lm_eval_ext.grading.answers.comparison.expressions import identical, is_series
from lm_eval_ext.grading.answers.comparison.outcomes import first, first_failure
from lm_eval_ext.grading.answers.comparison.relations import same_relation
from lm_eval_ext.grading.answers.errors import AnswerError
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.numeric.numbers import is_less
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Group,
    Node,
    Number,
    Relation,
    Symbol,
    differ,
    number,
    show,
    symbols,
    walk,
    without_unit,
)
from lm_eval_ext.grading.answers.syntax.vectors import padded
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome


def same_value(given: Node, wanted: Node, evaluator: Evaluator, nested: bool = False) -> Outcome:
    """Two values of any kind; `nested` ones are elements of a group."""
    against: Callable[[Node], Outcome]
    for node, against in (
        (given, lambda form: same_value(form, wanted, evaluator, nested)),
        (wanted, lambda form: same_value(given, form, evaluator, nested)),
    ):
        if isinstance(node, Call) and node.name == "equals":
            return first([against(form) for form in node.args], False, True)
        if isinstance(node, Call) and node.name == "about":
            forms = node.args if is_decimal(without_unit(node.args[1])[0]) else node.args[:1]
            return _not_near(node, evaluator) or first([against(form) for form in forms], True, None)
    return _same_kind(given, wanted, evaluator, nested)


def _same_kind(given: Node, wanted: Node, evaluator: Evaluator, nested: bool) -> Outcome:
    given, wanted = _in_entries(given, wanted), _in_entries(wanted, given)
    if isinstance(given, Group) and isinstance(wanted, Group):
        return _same_group(given, wanted, evaluator, nested)
    if isinstance(given, Relation) and isinstance(wanted, Relation):
        return same_relation(given, wanted, evaluator)
    if isinstance(given, Relation) or isinstance(wanted, Relation):
        return _against_equation(given, wanted, evaluator)
    if isinstance(given, Group) or isinstance(wanted, Group):
        return _different_kinds(given, wanted)
    return _same_scalar(given, wanted, evaluator)


def _in_entries(node: Node, other: Node) -> Node:
    """A vector in unit vectors as a tuple, of as many entries as the other has: 3i - 2j is (3, -2)."""
    if not isinstance(node, Call) or node.name != "vector":
        return node
    return Group("(", ")", tuple(padded(node, other) or node.args))


@rule("approximations.not-near", "undecided.approximation")
def _not_near(node: Call, evaluator: Evaluator) -> Outcome | None:
    r"""\sqrt{2} \approx 1.41: the exact value counts, if the other is near: by a unit of its last decimal
    place, and by 2%."""
    exact, rough = node.args
    bare = without_unit(rough)[0]
    places = bare.places if isinstance(bare, Number) else None
    bounds: list[Node] = [
        Call("mul", (number(Fraction(1, 50)), exact)),
        *([number(Fraction(1, 10**places))] if places else []),
    ]
    try:
        gap = evaluator.value(Call("abs", (Call("add", (exact, Call("neg", (rough,)))),)))
        far = any(is_less(evaluator.value(Call("abs", (bound,))), gap) for bound in bounds)
    except AnswerError as error:
        return Outcome(None, "undecided.approximation", str(error))
    if far:
        return Outcome(False, "approximations.not-near", f"{show(rough)[:60]} is not near {show(exact)[:60]}")
    return None


@rule("kinds.differ")
def _different_kinds(given: Node, wanted: Node) -> Outcome:
    sides = f"{show(given)[:60]} and {show(wanted)[:60]}"
    return Outcome(False, "kinds.differ", f"{sides} are things of different kinds")


@rule("equations.trivial")
def _against_equation(given: Node, wanted: Node, evaluator: Evaluator) -> Outcome:
    """ "AB : CD = 5/16" for 5/16: the value of what was asked for, or of an identity such as 4 + 5 = 9."""
    equation = given if isinstance(given, Relation) else wanted
    assert isinstance(equation, Relation)
    if (interval := _as_interval(equation, given if equation is wanted else wanted)) is not None:
        mine, theirs = (interval, wanted) if equation is given else (given, interval)
        return same_value(mine, theirs, evaluator)
    if equation is wanted and equation.signs in (("<=",), (">=",)) and _is_asked_for(equation.terms[0]):
        return same_value(given, equation.terms[1], evaluator)  # the bound of an error, of a probability
    if set(equation.signs) != {"="}:
        return _different_kinds(given, wanted)
    if len({_spelling(t) for t in equation.terms}) == 1:
        return Outcome(False, "equations.trivial", f"{show(equation)[:60]} says nothing")
    if _is_rounded_chain(equation, evaluator):
        value = equation.terms[0]
    elif _states_a_value(equation, evaluator):
        value = equation.terms[-1]
    else:
        return _different_kinds(given, wanted)
    return same_value(*((value, wanted) if equation is given else (given, value)), evaluator)


def _as_interval(chain: Relation, other: Node) -> Group | None:
    """-10 <= g(x) <= 4 beside [-10, 4]: the values between the bounds; None for another chain."""
    if len(chain.terms) != 3 or not set(chain.signs) <= {"<", "<="} or not isinstance(other, Group):
        return None
    low, middle, high = chain.terms
    if symbols(low) or symbols(high) or not isinstance(middle, Call) or len(other.items) != 2:
        return None
    opens, closes = ("[" if chain.signs[0] == "<=" else "("), ("]" if chain.signs[1] == "<=" else ")")
    return Group(opens, closes, (low, high))


def _is_rounded_chain(equation: Relation, evaluator: Evaluator) -> bool:
    """0.2^3 * 0.8^7 = 0.0017: a closed value and its decimals."""
    exact, *others = equation.terms
    if any(symbols(t) or isinstance(t, (Group, Relation)) for t in equation.terms):
        return False
    return all(
        bool(identical(exact, t, evaluator).equal) or rounds_to(exact, t, evaluator, ending=True)
        for t in others
    )


def _states_a_value(equation: Relation, evaluator: Evaluator) -> bool:
    left, last = equation.terms[0], equation.terms[-1]
    if all(isinstance(t, Group) and not symbols(t) for t in equation.terms):
        return all(same_value(t, last, evaluator).equal is True for t in equation.terms[:-1])
    if _is_asked_for(left):
        return True
    if isinstance(last, Group) and last.open in "([" and not isinstance(left, Group) and symbols(left):
        return True  # e^{At} = ((1, t), (0, 1))
    if any(map(is_series, walk(last))) and not any(map(is_series, walk(left))):
        return True  # |x| = pi/2 - 4/pi sum ..., where the series converges
    identity = not isinstance(left, (Group, Symbol)) and not isinstance(last, Group)
    return identity and bool(same_value(left, last, evaluator).equal)


def _spelling(node: Node) -> str:
    """The same for 2 + 3 and 3 + 2, for 1 and 1.0: forms that are no two forms of a value."""
    if isinstance(node, Call) and node.name in ("add", "mul"):
        return f"{node.name} {sorted(map(_spelling, node.args))}"
    return show(node)


def _is_asked_for(node: Node) -> bool:
    """AB/CD, an angle, S(5), a sum over a sequence; no expression in unknowns."""
    if isinstance(node, Group):
        return False
    if any((isinstance(n, Call) and n.name == "apply") or n == Symbol("...") for n in walk(node)):
        return True
    letters = symbols(node) - {"∇"}
    if letters != symbols(node) or (isinstance(node, Call) and node.name == "antiderivative"):
        return True
    return bool(letters) and all(n[0].isupper() or n[0] == "∠" for n in letters)


@rule("groups.lengths-differ", "groups.brackets-differ", "tuples.equal")
def _same_group(given: Group, wanted: Group, evaluator: Evaluator, nested: bool) -> Outcome:
    if len(given.items) != len(wanted.items):
        lengths = f": {len(given.items)} elements, the gold has {len(wanted.items)}"
        return Outcome(False, "groups.lengths-differ", differ(given, wanted, lengths))
    if wanted.open == "{":
        return _same_set(given.items, wanted.items, evaluator)
    if (given.open, given.close) != (wanted.open, wanted.close):
        lists = {(g.open, g.close) for g in (given, wanted)} <= {("(", ")"), ("[", "]")}
        rows = len(wanted.items) > 2 or all(isinstance(i, Group) for i in wanted.items)
        if not lists or not (nested or rows):
            return Outcome(False, "groups.brackets-differ", differ(given, wanted, " in their brackets"))
    pairs = zip(given.items, wanted.items, strict=True)
    outcomes = [same_value(a, g, evaluator, nested=True) for a, g in pairs]
    return first_failure(outcomes) or Outcome(True, "tuples.equal", "element by element")


@rule("sets.same-members", "sets.differ")
def _same_set(given: tuple[Node, ...], wanted: tuple[Node, ...], evaluator: Evaluator) -> Outcome:
    left, missing = list(given), list[Node]()
    for node in wanted:
        found = (i for i, other in enumerate(left) if same_value(other, node, evaluator, nested=True).equal)
        match = next(found, None)
        if match is None:
            missing.append(node)
        else:
            left.pop(match)
    if missing:
        return Outcome(False, "sets.differ", differ(left[0], missing[0]))
    return Outcome(True, "sets.same-members", "the same elements")


_CONVERTED = re.compile(r"%|°|base ")
"""Units with a value of their own: 60% is 3/5, 180° is pi, 101_2 is 5."""
_ANGLES_AND_SHARES = ({"%", "°"}, {"%", "rad"}, {"°", "rad"})
"""Two different units with such values."""


@rule("units.differ")
def _same_scalar(given: Node, wanted: Node, evaluator: Evaluator) -> Outcome:
    if _is_ratio(given) or _is_ratio(wanted):
        return _same_ratio(given, wanted, evaluator)
    (mine, my_unit), (theirs, their_unit) = without_unit(given), without_unit(wanted)
    if {my_unit, their_unit} in _ANGLES_AND_SHARES:
        return identical(given, wanted, evaluator)
    in_unit = _in_unit(mine, my_unit, their_unit)
    if in_unit is None:
        return Outcome(False, "units.differ", differ(given, wanted))
    mine = in_unit
    outcome = identical(mine, theirs, evaluator)
    if not outcome.equal and bool(my_unit) != bool(their_unit) and _CONVERTED.match(my_unit + their_unit):
        converted = identical(given, wanted, evaluator)
        outcome = converted if converted.equal else outcome
        if "%" in (my_unit, their_unit):
            mine = _as_percent(mine, theirs, bool(their_unit), evaluator)
    if outcome.equal is False:
        places = 1 if their_unit == "%" else 2
        return _same_decimal(mine, theirs, places, evaluator) or outcome
    return outcome


def _in_unit(value: Node, unit: str, wanted: str) -> Node | None:
    """A value in the wanted unit, as it is where only one side has a unit; None if it cannot be converted."""
    if not unit or not wanted or unit == wanted:
        return value
    factor = ratio_of_units(unit, wanted)
    return None if factor is None else Call("mul", (number(factor), value))


def _as_percent(mine: Node, theirs: Node, theirs_is: bool, evaluator: Evaluator) -> Node:
    """A value beside one in percent, or the other way round; as it is where it rounds to that."""
    if rounds_to(mine, theirs, evaluator, 1):
        return mine
    return Call("mul", (number(Fraction(100) if theirs_is else Fraction(1, 100)), mine))


@rule("decimals.rounded", "decimals.digits")
def _same_decimal(mine: Node, theirs: Node, places: int, evaluator: Evaluator) -> Outcome | None:
    """A decimal gold that the answer rounds to, or a decimal answer with all the digits of the gold."""
    if rounds_to(mine, theirs, evaluator, places):
        return Outcome(True, "decimals.rounded", f"the gold is {show(theirs)}, rounded")
    if has_digits_of(mine, theirs, evaluator):
        return Outcome(True, "decimals.digits", f"all digits of {show(theirs)}")
    return None


def _is_ratio(node: Node) -> bool:
    return isinstance(node, Call) and node.name == "ratio"


@rule("ratios.equal", "ratios.lengths-differ")
def _same_ratio(given: Node, wanted: Node, evaluator: Evaluator) -> Outcome:
    """a:b is a/b; a:b:c is any multiple of it."""
    mine, theirs = (n.args if isinstance(n, Call) and n.name == "ratio" else (n,) for n in (given, wanted))
    if {len(mine), len(theirs)} == {1, 2}:
        left, right = (n[0] if len(n) == 1 else Call("div", n) for n in (mine, theirs))
        return _same_scalar(left, right, evaluator)
    if len(mine) != len(theirs):
        return Outcome(False, "ratios.lengths-differ", differ(given, wanted))
    outcomes = [
        identical(Call("mul", (a, theirs[0])), Call("mul", (g, mine[0])), evaluator)
        for a, g in zip(mine[1:], theirs[1:], strict=True)
    ]
    return first_failure(outcomes) or Outcome(True, "ratios.equal", "the same ratio")
