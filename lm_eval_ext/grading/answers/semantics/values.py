"""What a clause with a value adds: a value, a named value, a set, a description, a further exception."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.semantics.claims import Solution
from lm_eval_ext.grading.answers.semantics.clauses import Clause
from lm_eval_ext.grading.answers.semantics.conditions import read_conditions
from lm_eval_ext.grading.answers.semantics.decisions import as_word, winner
from lm_eval_ext.grading.answers.semantics.phrases import INEQUALITIES, has
from lm_eval_ext.grading.answers.semantics.state import State
from lm_eval_ext.grading.answers.semantics.token_cleanup import (
    built_sets,
    clean,
    is_noun_phrase,
    parse_clause,
)
from lm_eval_ext.grading.answers.semantics.unknowns import (
    about,
    bind,
    chained,
    is_list,
    names_of,
    solved,
    unordered_unknowns,
    without_bars,
)
from lm_eval_ext.grading.answers.syntax.grammar import parse
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Group,
    Node,
    Number,
    Property,
    Quantity,
    Relation,
    Symbol,
    number,
    symbols,
    walk,
)
from lm_eval_ext.grading.answers.syntax.relations import RELATIONS


def read_value(state: State, clause: Clause) -> None:
    part, order, label = clean(clause.tokens)
    if order and not part and state.last:
        return _reorder(state, order, clause)
    state.order = order or state.order
    if not part:
        state.label = label or state.label
        return _functions(state, clause)
    if any(read(state, part, clause) for read in (_further_exception, _built_sets, _description)):
        return
    node = _mathematics(state, part, clause)
    label, state.label = label or state.label, ""
    if label:
        _labelled(state, node, clause, label)
    elif isinstance(node, Relation):
        _relation(state, node, clause)
    else:
        _unnamed(state, node, clause)


def _functions(state: State, clause: Clause) -> None:
    """ "the identity function", "all constant functions"."""
    if has(clause.tokens, ("identity",)):
        state.add(Solution((("f", Symbol("x")),), arguments=("x",)))
    elif has(clause.tokens, ("constant",)) and has(clause.tokens, _FUNCTIONS) and not state.items:
        state.add(Solution((("f", Symbol("c")),), (Property("real", Symbol("c")),), arguments=("x",)))


def _reorder(state: State, order: str, clause: Clause) -> None:
    """ "and its cyclic permutations": of the last one; "and all their permutations": of each."""
    start = 0 if has(clause.tokens, ("their", "these")) else -1
    state.items[start:] = [replace(item, order=order) for item in state.items[start:]]


def _mathematics(state: State, part: list[Token], clause: Clause) -> Node:
    """The mathematics of a clause, or the decision in it: "the first player wins if n is odd"."""
    try:
        return parse_clause(part)
    except Unreadable:
        decided = winner(part) if has(part, ("win", "wins", "winning")) else ""
        if not decided and any(c.joint in ("if", "lead", "else") for c in state.clauses):
            decided = _AS_CASE.get(word.word, "") if (word := as_word(clause.tokens)) else ""
        if not decided:
            raise
        return decision(decided)


_FUNCTIONS = frozenset(["function", "functions", "polynomial", "polynomials"])
_DECIDED = b"decided "
_AS_CASE = {"yes": "yes", "no": "no", "none": "none", "absent": "none"}


def decision(said: str) -> Number:
    """A decision as the value of a case: one number for each."""
    return number(int.from_bytes(_DECIDED + said.casefold().encode(), "big"))


def decided(node: Node) -> str:
    """The decision, or the player, that has this number; empty for another value."""
    if not isinstance(node, Number) or node.value.denominator != 1 or node.value < 2**50:
        return ""
    size = (node.value.numerator.bit_length() + 7) // 8
    said = node.value.numerator.to_bytes(size, "big")
    return said.removeprefix(_DECIDED).decode() if said.startswith(_DECIDED) else ""


def _further_exception(state: State, part: list[Token], clause: Clause) -> bool:
    """ "except 1 and 3", "n != 3, 6": the 3 and the 6 are excluded as well."""
    excluding = state.previous == "except"
    if clause.joint not in ("and", ",", "or") or not state.last or not state.last.conditions:
        return False
    if has(part, RELATIONS) and not excluding:
        return False
    if state.following and state.following[0].joint == "if":
        return False  # "1 for p != 3 and 2 for p = 3"
    condition = state.last.conditions[-1]
    if isinstance(condition, Relation) and condition.signs[-1] == "!=":
        state.limit([Relation((condition.terms[-2], parse_clause(part)), ("!=",))])
        return True
    if not excluding or not isinstance(condition, Property) or condition.name != "!=":
        return False
    exclude(state, part)
    return True


def exclude(state: State, part: Sequence[Token]) -> None:
    """ "except 1 and 3": limits the last solution."""
    _, conditions = read_conditions([Token("word", "except"), *part])
    if state.last is None:
        raise Unreadable("an exception to nothing")
    subject = state.last.values[0][1]
    if isinstance(subject, (Number, Call, Quantity)) and not symbols(subject):
        raise Unreadable("an exception to a number")
    state.limit_from(len(state.items) - 1, [about(c, subject) for c in conditions])


def _built_sets(state: State, part: list[Token], clause: Clause) -> bool:
    """x in {f(t) : t > 0}."""
    sets = built_sets(part)
    for names, values, conditions in sets or ():
        bound = names_of(parse(names)) if names else ("",)
        node = parse(values)
        if not conditions:  # a plain set beside one with conditions
            for each in node.items if isinstance(node, Group) else (node,):
                state.add(Solution(bind(bound, each)))
        else:
            _, limits = read_conditions(conditions)
            if isinstance(node, Relation):  # {x in R : x > 0}
                limits, node = [node, *limits], node.terms[0]
            alone = sets is not None and len(sets) == 1 and clause.joint != "or"
            state.add(Solution(bind(bound, node), tuple(limits), braced=alone and not names))
        state.unlimited = len(state.items)
    return sets is not None


def _description(state: State, part: list[Token], clause: Clause) -> bool:
    """ "all odd integers n >= 3": the values of n that ..., or a limit on the last solution."""
    if not is_noun_phrase(part):
        return False
    if clause.tokens[0].text == "some":
        raise Unreadable("some is not all")
    subject, conditions = read_conditions(part)
    if isinstance(subject, Call) and len(letters := symbols(subject)) == 1:  # n + 1 is a square
        subject = Symbol(next(iter(letters)))
    last = state.last
    adjectives = all(t.text in english.ADJECTIVES for t in part)
    if last and last.conditions and clause.joint in (",", "and") and adjectives:  # "c real and nonzero"
        state.limit([about(c, last.values[0][1]) for c in conditions])
    elif last and clause.joint != "or" and symbols(subject) & last.letters:
        state.limit(conditions)
    else:
        state.add(Solution((("", subject),), tuple(conditions)))
    return True


def _labelled(state: State, node: Node, clause: Clause, label: str) -> None:
    if isinstance(node, Relation):
        if set(node.signs) != {"="}:
            raise Unreadable(f"the {label} with an inequality")
        node = node.terms[-1]
    _record(state, Solution(((label, node),)), clause)


_LIMITED_EQUALITIES = {("=", sign) for sign in ("!=", ">", ">=", "<", "<=")}
"""f(x) = c != 0."""


def _relation(state: State, node: Relation, clause: Clause) -> None:
    node = without_bars(node, alone=len(state.clauses) == 1)
    if node.signs in _LIMITED_EQUALITIES:
        _relation(state, Relation(node.terms[:2], ("=",)), clause)
        state.limit([Relation(node.terms[1:], node.signs[1:])])
    elif set(node.signs) & INEQUALITIES:
        _inequality(state, node, clause)
    elif (several := unordered_unknowns(node)) is not None:  # {p, q} = {3, 5}
        state.add(Solution((("", several),)))
    elif _is_integral(node.terms[0]):  # and what it is
        _unnamed(state, chained(node.terms[1:]), clause)
    elif signed := _of_both_signs(node):
        for each in signed:
            state.add(Solution(bind(names_of(node.terms[0]), each)))
    elif len(set(node.terms)) > 1 and (solution := solved(node)):  # x = x gives x no value
        values, arguments = solution
        _record(state, Solution(values, arguments=arguments, order=state.order), clause)
    elif not (_is_application(node.terms[0]) and state.letters()):  # "F_0 = 0" repeats which sequence F is
        state.add(Solution((("", node),)))


def _of_both_signs(node: Relation) -> tuple[Group, ...]:
    """(1, 1) and (-1, -1) of (a, b) = +-(1, 1); empty for anything else."""
    left, right = node.terms[0], node.terms[-1]
    group = right.args[0] if isinstance(right, Call) and right.name == "pm" else None
    if node.signs != ("=",) or not isinstance(left, Group) or names_of(left) == ("",):
        return ()
    if not isinstance(group, Group) or len(group.items) != len(left.items):
        return ()
    return group, replace(group, items=tuple(Call("neg", (each,)) for each in group.items))


def _is_integral(node: Node) -> bool:
    return not symbols(node) and any(isinstance(n, Call) and n.name == "int" for n in walk(node))


def _is_application(node: Node) -> bool:
    return isinstance(node, Call) and node.name == "apply"


def _inequality(state: State, node: Relation, clause: Clause) -> None:
    letters = [t for t in node.terms if isinstance(t, Symbol)]
    limits = bool(letters) and letters[0].name in state.letters()  # "2^k, k in {1, 2}" limits k
    values = node.terms[1]
    if node.signs == ("in",) and isinstance(values, Group) and values.open == "{" and not limits:
        _membership(state, node.terms[0], values.items)
        return
    if len(letters) == len(node.terms) and "in" not in node.signs:  # y < z < x
        letters = []
    if letters and limits and clause.joint != "or":
        state.limit([node])
    elif letters:
        state.add(Solution((("", letters[0]),), (node,)))
    elif set(node.signs) & {"in", "notin"}:
        raise Unreadable("an expression that lies in a set")
    else:
        state.add(Solution((("", node),)))


def _membership(state: State, unknown: Node, values: Sequence[Node]) -> None:
    """x in {1, 2}."""
    names, arguments = names_of(unknown), tuple[str, ...]()
    if isinstance(unknown, Call) and (solution := solved(Relation((unknown, unknown), ("=",)))):
        names, arguments = (solution[0][0][0],), solution[1]
    if names == ("",) and len(symbols(unknown)) < 2:
        raise Unreadable("an expression that lies in a set")
    for each in values:
        state.add(Solution(bind(names, each), arguments=arguments))
    state.names, state.arguments = names, arguments


def _record(state: State, new: Solution, clause: Clause) -> None:
    """Named values join the last solution unless one of the names is in it already."""
    names = tuple(n for n, _ in new.values)
    taken = {n for n, _ in state.last.values} if state.last else set()
    joins = clause.joint in (",", "and", "", ":", ";", "then")
    if state.last and state.is_open and joins and not taken & {*names, ""}:
        arguments = state.last.arguments or new.arguments
        state.items[-1] = replace(state.last, values=state.last.values + new.values, arguments=arguments)
    else:
        state.add(new)
    state.is_open = True
    state.names, state.arguments = names, new.arguments


def _unnamed(state: State, node: Node, clause: Clause) -> None:
    """A value without a name: of the name that the value before had."""
    if isinstance(node, Group) and node.open in "([" and (listed := _listed_values(node)):
        state.add(Solution(listed))
        return
    fits = isinstance(node, Group) and len(node.items) == len(state.names) and is_list(node)
    if len(state.names) == 1 or (state.names and fits):
        state.add(Solution(bind(state.names, node), order=state.order, arguments=state.arguments))
    else:
        in_order = clause.joint in ("", ",", "and", ";")
        state.add(Solution((("", node),), order=state.order, in_order=in_order))


def _listed_values(node: Group) -> tuple[tuple[str, Node], ...]:
    """(name, value) pairs of [x = 1, y = 2]; empty for anything else."""
    pairs = [i.terms for i in node.items if isinstance(i, Relation) and i.signs == ("=",)]
    named = [(left.name, value) for left, value in pairs if isinstance(left, Symbol)]
    return tuple(named) if len(named) == len(node.items) > 1 else ()
