"""Whether two expressions are the same function of their letters.

Closed expressions are compared by value; formulas at several exact random points, integers where the
formula makes sense for integers alone. A formula that agrees at all of them is the same formula, but for
a chance that vanishes with the size of the points (Schwartz, 1980; Zippel, 1979).
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain

from lm_eval_ext.grading.answers.comparison.expansions import closed, has_ellipsis, same_expansion
from lm_eval_ext.grading.answers.comparison.points import (
    PRIMES,
    in_plane,
    integer_points,
    real_points,
    small_points,
    special_points,
)
from lm_eval_ext.grading.answers.errors import AnswerError, TooLarge, Undefined, Unreadable
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator, Point
from lm_eval_ext.grading.answers.numeric.numbers import is_real, same
from lm_eval_ext.grading.answers.syntax.nodes import (
    BINDING,
    Call,
    Node,
    Symbol,
    children,
    differ,
    show,
    substitute,
    symbols,
    walk,
    with_children,
    with_plain_indices,
)
from lm_eval_ext.grading.rulebook import rule
from lm_eval_ext.grading.types import Outcome

_INTEGERS_ONLY = frozenset("factorial factorial2 binom fibonacci gcd lcm mod sum prod".split())
_PERIODIC = frozenset("sin cos tan cot sec csc".split())
_INTEGER_SENSITIVE = _PERIODIC | {"floor", "ceil", "apply"}
_STEPS = frozenset("floor ceil min max gcd lcm mod abs sgn binom".split())
_BRANCHED = frozenset("floor ceil min max gcd mod sgn".split())
_INTEGER_LETTERS = frozenset("ijklmnpdNMK")
_ROOTS = frozenset("sqrt root log pow arcsin arccos arcsec arccsc arccosh arctanh arccoth arcsech".split())
_NEEDED_POINTS = 3


@rule("expressions.identical", "expressions.same-terms", "undecided.expression")
def identical(left: Node, right: Node, evaluator: Evaluator) -> Outcome:
    """Whether the two have the same value, wherever both have one."""
    depth = sum(letter.startswith("#") for letter in symbols(left) | symbols(right))
    left, right = with_plain_indices(left, depth), with_plain_indices(right, depth)
    if left == right:
        return Outcome(True, "expressions.identical", f"both are {show(left)[:80]}")
    if _have_same_terms(left, right, evaluator):
        return Outcome(True, "expressions.same-terms", "the same terms between the same limits")
    if has_ellipsis(left) or has_ellipsis(right):
        return _with_ellipsis(left, right, evaluator)
    if (named := _with_named_series(left, right, evaluator)) is not None:
        return identical(*named, evaluator)
    letters = sorted(symbols(left) | symbols(right))
    try:
        return (
            _as_functions(left, right, letters, evaluator) if letters else _as_numbers(left, right, evaluator)
        )
    except TooLarge:
        return _modulo_primes(left, right, evaluator)
    except Unreadable as error:
        return Outcome(None, "undecided.expression", str(error))


def _with_ellipsis(left: Node, right: Node, evaluator: Evaluator) -> Outcome:
    def is_identical(a: Node, b: Node) -> bool:
        return identical(a, b, evaluator).equal is True

    left, right = closed(left, is_identical), closed(right, is_identical)
    if has_ellipsis(left) or has_ellipsis(right):
        return same_expansion(left, right, is_identical, evaluator)
    return identical(left, right, evaluator)


def _have_same_terms(left: Node, right: Node, evaluator: Evaluator) -> bool:
    """Two sums, products or integrals over the same range, or over one that is shifted."""
    if not (isinstance(left, Call) and isinstance(right, Call) and left.name == right.name in BINDING):
        return False
    if len(left.args) != 4 or left.args[0] != right.args[0]:
        return False
    index, low, high, body = left.args
    _, other_low, other_high, other_body = right.args
    assert isinstance(index, Symbol)
    shift = Call("add", (low, Call("neg", (other_low,))))
    if not identical(other_low, low, evaluator).equal:
        if left.name == "int":
            return False
        body = substitute(body, {index.name: Call("add", (index, shift))})
        other_high = Call("add", (other_high, shift))
    if high != other_high and not identical(high, other_high, evaluator).equal:
        return False
    return bool(identical(body, other_body, evaluator).equal)


def _with_named_series(left: Node, right: Node, evaluator: Evaluator) -> tuple[Node, Node] | None:
    """Both with one letter for the only series in each, where these have the same terms; None for others."""
    mine, theirs = ({n for n in walk(side) if is_series(n)} for side in (left, right))
    if len(mine) != 1 or len(theirs) != 1:
        return None
    (one,), (other,) = mine, theirs
    if one in (left, right) or other in (left, right) or not _have_same_terms(one, other, evaluator):
        return None
    return _replaced(left, one), _replaced(right, other)


def _replaced(node: Node, old: Node) -> Node:
    """With a letter in place of a part."""
    if node == old:
        return Symbol("#series")
    below = children(node)
    return with_children(node, tuple(_replaced(c, old) for c in below)) if below else node


@rule("numbers.equal", "numbers.differ", "undecided.digits")
def _as_numbers(left: Node, right: Node, evaluator: Evaluator) -> Outcome:
    sides = f"{show(left)[:60]} and {show(right)[:60]}"
    try:
        if evaluator.equal_at(left, right):
            return Outcome(True, "numbers.equal", f"{sides} have the same value")
    except Undefined as error:
        return Outcome(None, "undecided.digits", str(error))
    return Outcome(False, "numbers.differ", f"{sides} have different values")


@rule("residues.equal", "residues.differ", "undecided.too-large")
def _modulo_primes(left: Node, right: Node, evaluator: Evaluator) -> Outcome:
    """Numbers too large to be built, modulo three Mersenne primes."""
    try:
        if all(evaluator.residue(left, p) == evaluator.residue(right, p) for p in PRIMES):
            return Outcome(True, "residues.equal", "equal modulo large primes")
    except AnswerError:
        return Outcome(None, "undecided.too-large", "too large to be evaluated")
    return Outcome(False, "residues.differ", differ(left, right, " modulo large primes"))


@rule("undecided.power-of-zero")
def _as_functions(left: Node, right: Node, letters: list[str], evaluator: Evaluator) -> Outcome:
    calls = [n for n in (*walk(left), *walk(right)) if isinstance(n, Call)]
    if any(_is_power_of_zero(call, evaluator) for call in calls):
        return Outcome(None, "undecided.power-of-zero", "a power of zero")
    names = {call.name for call in calls if call.name != "sqrt" or symbols(call)}
    if any(map(is_series, calls)):
        return _at_points(left, right, small_points(letters), evaluator)
    real_only = any(call.name in _ROOTS for call in calls) and "i" not in names
    return _with_names(left, right, letters, names, evaluator, real_only)


def _with_names(
    left: Node, right: Node, letters: list[str], names: set[str], evaluator: Evaluator, real_only: bool
) -> Outcome:
    """Functions of these names compared at the points that suit them."""
    near = _turning_points(left, right, evaluator) if names & (_STEPS | {"sqrt"}) else []
    integers = all(letter[0] in _INTEGER_LETTERS for letter in letters)
    if names & (_INTEGERS_ONLY | ({"floor", "ceil"} if integers else set())):
        return _at_points(left, right, integer_points(letters, near), evaluator)
    outcome = _at_points(left, right, _points(letters, near, names), evaluator, real_only=real_only)
    if outcome.equal or not integers or not _may_agree_on_integers(left, right, names):
        return outcome
    waves = _PERIODIC | ({"pow"} if "i" in names else set())
    return _at_points(left, right, integer_points(letters, near), evaluator, _BRANCHED | waves)


def is_series(node: Node) -> bool:
    """Whether it is an infinite sum."""
    return isinstance(node, Call) and node.name == "sum" and node.args[2] == Call("oo", ())


def _is_power_of_zero(call: Call, evaluator: Evaluator) -> bool:
    """Such as 0^(x^2), which is zero everywhere but where it has no value."""
    if call.name != "pow" or symbols(call.args[0]):
        return False
    return bool(evaluator.value_or_none(call.args[0]) == 0)


def _points(letters: list[str], near: list[int], names: set[str]) -> Iterable[Point]:
    points: Iterable[Point] = real_points(letters, near)
    special = names & (_STEPS | _PERIODIC | {"sqrt"})
    small = small_points(letters) if "sqrt" in names else ()  # where the root of 1 - x^2 is real
    points = chain(points, special_points(letters), small) if special else points
    return map(in_plane, points) if {"abs", "i"} <= names else points


def _may_agree_on_integers(left: Node, right: Node, names: set[str]) -> bool:
    """Such as cos(n pi) and (-1)^n; not two waves, of which each side has its own."""
    if _varying(left, right, _PERIODIC) and _varying(right, left, _PERIODIC):
        return False
    return bool(names & _INTEGER_SENSITIVE) or any(
        isinstance(n, Call) and n.name == "pow" and symbols(n.args[1]) for n in (*walk(left), *walk(right))
    )


def _varying(node: Node, other: Node, names: frozenset[str]) -> list[Call]:
    """The functions of that name, of letters, that `node` has and `other` has not."""
    found = [n for n in walk(node) if isinstance(n, Call) and n.name in names and symbols(n)]
    there = set(walk(other)) if found else set()
    return [n for n in found if n not in there]


_MOST_TURNS = 24


def _turning_points(left: Node, right: Node, evaluator: Evaluator) -> list[int]:
    """Integers near and beyond the numbers that occur: min(n, 100) has its step at one."""
    found = set[int]()
    for node in (*walk(left), *walk(right)):
        number = None if symbols(node) else evaluator.value_or_none(node)
        if isinstance(number, Fraction) and abs(number) > 13:
            found.add(int(abs(number)))
    return sorted({c + d for c in found for d in (-1, 0, 1)} | {2 * c for c in found})[:_MOST_TURNS]


@rule(
    "expressions.equal-at-points",
    "expressions.differ-at-point",
    "undecided.few-points",
    "undecided.constant-step",
)
def _at_points(
    left: Node,
    right: Node,
    points: Iterable[Point],
    evaluator: Evaluator,
    branched: frozenset[str] = _BRANCHED,
    real_only: bool = False,
) -> Outcome:
    """Whether the values agree at all points; `real_only` skips those where they differ but are not real.

    The skipped ones are where sqrt(a) sqrt(b) and sqrt(ab) are different branches. A step that one side
    alone has must have been seen to step: one that no point reaches shows nothing.
    """
    valid: list[Point] = []
    for point in points:
        try:
            if not evaluator.equal_at(left, right, point):
                if real_only and not all(is_real(evaluator.value(side, point)) for side in (left, right)):
                    continue
                where = ", ".join(f"{k} = {v}" for k, v in point.items())
                return Outcome(False, "expressions.differ-at-point", differ(left, right, f" at {where}"))
        except (Undefined, TooLarge):
            continue
        valid.append(point)
    if len(valid) < _NEEDED_POINTS:
        return Outcome(None, "undecided.few-points", "too few points where both have a value")
    for step in _varying(left, right, branched) + _varying(right, left, branched):
        if len({_branch(step, point, evaluator) for point in valid}) < 2:
            return Outcome(None, "undecided.constant-step", f"{show(step)[:60]} is the same at every point")
    return Outcome(True, "expressions.equal-at-points", f"equal at {len(valid)} points")


def _branch(step: Call, point: Point, evaluator: Evaluator) -> object:
    """Which branch the step takes there: its value, or the argument it chooses."""
    here = evaluator.value(step, point)
    if step.name in ("min", "max"):
        return next((i for i, a in enumerate(step.args) if same(here, evaluator.value(a, point))), -1)
    return here
