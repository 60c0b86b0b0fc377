"""From clauses to an answer: values, conditions, exceptions and restatements become solutions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.semantics.claims import Answer
from lm_eval_ext.grading.answers.semantics.clauses import Clause, cut
from lm_eval_ext.grading.answers.semantics.conditions import IT, read_conditions
from lm_eval_ext.grading.answers.semantics.phrases import INEQUALITIES, all_words, has
from lm_eval_ext.grading.answers.semantics.state import State
from lm_eval_ext.grading.answers.semantics.token_cleanup import without_noise
from lm_eval_ext.grading.answers.semantics.values import exclude, read_value
from lm_eval_ext.grading.answers.syntax.grammar import parse
from lm_eval_ext.grading.answers.syntax.nodes import Condition, Group, Property, Relation, Symbol, symbols


def read_solutions(part: Sequence[Token]) -> Answer:
    """What the clauses of one part say together. Raises Unreadable."""
    return _combine(cut(part))


def _combine(clauses: list[Clause]) -> Answer:
    conditional = [c.joint for c in clauses[1:2]] == ["if"] and _gives_value(clauses[1].tokens)
    if conditional and not without_noise(clauses[0].tokens):  # "equality holds iff x = y = 1"
        clauses[1].joint = ","
    state = State(clauses)
    while state.position < len(clauses):
        clause = clauses[state.position]
        if clause.joint == "again":
            _restate(state, clauses[state.position :])
            break
        try:
            _read_clause(state, clause)
            state.position += 1
        except Unreadable:
            if not _skip_to_restart(state):
                raise
    state.apply_leading()
    if state.items:
        return Answer(items=tuple(state.items), again=tuple(state.again))
    if state.again:
        return replace(state.again[0], again=tuple(state.again[1:]))
    return _conditions_as_values(clauses)


def _skip_to_restart(state: State) -> bool:
    """After an unreadable clause, resume at a list of the values or at a restatement; False without one."""
    if _is_described(state):
        state.position += 1
        state.clauses[state.position] = replace(state.clauses[state.position], joint=",")
        return True
    for i, clause in enumerate(state.following, state.position + 1):
        if clause.joint == ":":  # "all pairs with one odd and one even: (1, 2), ...": the list counts
            state.items, state.leading, state.position = [], (), i
            return True
        if clause.joint == ";" or has(clause.tokens, english.NEGATIONS):
            break
    rest = range(state.position, len(state.clauses))
    again = next((i for i in rest if state.clauses[i].joint == "again"), None)
    if again is not None:
        state.items, state.position = [], again
    return again is not None


def _is_described(state: State) -> bool:
    """ "The functions agree exactly for x = 2": of what nobody asked more, the condition is the answer."""
    clause, condition = state.clauses[0], next(iter(state.following), None)
    if state.position or condition is None or condition.joint != "if" or not all_words(clause.tokens):
        return False
    if has(clause.tokens, english.NEGATIONS) or has(clause.tokens, english.HEDGES | english.LABELS.keys()):
        return False
    universal = condition.word == "for" and has(condition.tokens[:1], english.UNIVERSAL)
    limits = not has(condition.tokens, ("=",)) and condition.word in (*english.CASE, "with")
    return condition.word in english.EXACTLY or universal or limits


def _restate(state: State, clauses: Sequence[Clause]) -> None:
    first, *rest = clauses
    try:
        answer = _combine([c for c in (replace(first, joint=""), *rest) if c.tokens])
    except Unreadable:
        return
    state.again += [replace(answer, again=()), *answer.again]


def _conditions_as_values(clauses: Sequence[Clause]) -> Answer:
    """ "Equality holds if and only if a = b = c": what follows the "if" is the answer."""
    if not any(c.joint in ("if", "lead") for c in clauses):
        raise Unreadable("no value in it")
    return _combine([replace(c, joint="," if c.joint in ("if", "lead") else c.joint) for c in clauses])


_SAID = "said"
"""The joint of a clause that adds nothing."""


def _read_clause(state: State, clause: Clause) -> None:
    listed = clause.joint in (",", "and")
    joint = _joint_behind_condition(state, clause) if state.previous == "if" else clause.joint
    if joint == _SAID:
        return
    if joint in ("if", "lead"):
        _read_condition(state, clause)
        state.previous = "if"
    elif joint == "else" and (clause.tokens or state.leading or state.previous == "if"):
        _read_other_case(state, clause)
    elif joint == "else":
        state.limit([Property("otherwise", Symbol(IT))])
        state.previous = "else"
    elif joint == "except":
        exclude(state, clause.tokens)
        state.previous = "except"
    else:
        excepted = state.previous == "except" and bool(state.items) and (listed or joint == "or")
        read_value(state, clause)
        state.previous = "except" if excepted else "value"


def _joint_behind_condition(state: State, clause: Clause) -> str:
    """How a clause behind a condition is joined: it may go on with it, repeat it or name an alternative."""
    if clause.joint == "or":
        return _SAID if _is_alternative(state, clause) else "or"
    if clause.joint not in (",", "and"):
        return clause.joint
    if _repeats_condition(state, clause):
        return _SAID
    return "if" if _continues_condition(state, clause) else clause.joint


def _is_alternative(state: State, clause: Clause) -> bool:
    """ "the pairs (m, n) with n = m^2 or m = n^2": the same pairs under another equation."""
    pair = state.last.values[0][1] if state.last else None
    names = {n.name for n in pair.items if isinstance(n, Symbol)} if isinstance(pair, Group) else set()
    if (
        state.last is None
        or len(names) < 2
        or not has(clause.tokens[:1], names)
        or not has(clause.tokens, ("=",))
    ):
        return False
    kept = tuple(c for c in state.last.conditions if not isinstance(c, Relation) or c.signs != ("=",))
    state.add(replace(state.last, conditions=kept))
    state.limit_from(len(state.items) - 1, read_conditions(clause.tokens)[1])
    state.unlimited = len(state.items)
    return True


def _read_other_case(state: State, clause: Clause) -> None:
    """ "2 if n is odd, otherwise 0": the value follows the word, perhaps behind a comma."""
    state.apply_leading()
    state.leading, state.unlimited = (), len(state.items)
    if not clause.tokens and state.following and state.following[0].joint in (",", ":", "and"):
        state.position += 1
        clause = state.clauses[state.position]
    if not clause.tokens:
        raise Unreadable("otherwise what?")
    before = len(state.items)
    read_value(state, replace(clause, joint=";"))
    state.limit_from(before, [Property("otherwise", Symbol(IT))])
    state.unlimited, state.previous = len(state.items), "else"


def _gives_value(part: Sequence[Token]) -> bool:
    """Whether it is "x = 3" or "x is 3" without a property."""
    stated = any(t.text == "is" and n.kind != "word" for t, n in pairwise(part))
    return (stated or has(part, ("=",))) and not has(part, english.PROPERTIES)


def _repeats_condition(state: State, clause: Clause) -> bool:
    """ "for some integers u, v, w": what was said of u holds for v and w."""
    part = clause.tokens
    is_letter = [t.kind for t in part] in (["name"], ["name", "op", "num"])
    if not is_letter or state.last is None or not isinstance(letter := parse(part), Symbol):
        return False
    if state.following and state.following[0].joint == "if":
        return False  # "n - 1 if n is odd and n if n is even"
    said = [c for c in state.last.conditions if isinstance(c, Property)]
    same = [replace(c, subject=letter) for c in said if c.subject == said[-1].subject]
    state.limit_from(state.limited, same)
    return bool(said) or has(state.clauses[state.position - 1].tokens, ("constant", "constants", "arbitrary"))


def _continues_condition(state: State, clause: Clause) -> bool:
    """A further condition: ", p > 2 and p odd" after an "if"."""
    try:
        read_conditions(clause.tokens)
    except Unreadable:
        return False
    if _gives_value(clause.tokens):
        return clause.tokens[0].text == state.defined
    limiting = (INEQUALITIES, english.PROPERTIES, ("constant", "constants", "arbitrary"))
    return any(has(clause.tokens, kind) for kind in limiting)


def _read_condition(state: State, clause: Clause) -> None:
    part = without_noise(clause.tokens)
    if has(clause.tokens, ("->",)) and clause.word in ("as", "when", "for"):
        return  # "as x -> oo" says where an approximation is good
    arguments = {a for item in state.items for a in item.arguments}
    if has(clause.tokens[:1], ("some",)) and has(part, arguments):
        raise Unreadable("some is not all")
    state.defined = part[0].text if has(part, ("=",)) and part[0].kind == "name" else ""
    if _solves_description(state, clause):
        return
    _, conditions = read_conditions(clause.tokens)
    if clause.word in ("with", "where"):
        conditions = [c for c in conditions if not _is_idle(state, c)]
    _add_conditions(state, clause, conditions)


def _add_conditions(state: State, clause: Clause, conditions: list[Condition]) -> None:
    """Limits what was said, or what follows, to these conditions."""
    if clause.joint == "lead" and any(c.joint not in ("if", "again", "except") for c in state.following):
        state.apply_leading()
        state.unlimited = len(state.items)
        state.leading = tuple(conditions)
    elif state.items:
        state.limit(conditions)
        state.items[-1] = replace(state.items[-1], exact=clause.word in english.EXACTLY)
    else:
        state.leading += tuple(conditions)


def _solves_description(state: State, clause: Clause) -> bool:
    """ "pairs of positive integers with n = 2m": the equation is the answer, not a limit on it."""
    described = state.last is not None and state.last.values == (("", Symbol(IT)),)
    if not described or not _gives_value(clause.tokens):
        return False
    state.items.pop()
    read_value(state, replace(clause, joint=","))
    return True


def _is_idle(state: State, condition: Condition) -> bool:
    """ "a = b = 1 (with p = 3)": the value of a letter that is in no solution."""
    if not isinstance(condition, Relation) or condition.signs != ("=",):
        return False
    letter, value = condition.terms
    used = state.letters() | {name for item in state.items for name, _ in item.values}
    unused = isinstance(letter, Symbol) and letter.name.partition("_")[0] not in used  # F_0 is of the used F
    return unused and bool(used - {""}) and not symbols(value)
