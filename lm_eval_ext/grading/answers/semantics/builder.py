"""What one clause adds to the solutions: a value, a named value, a condition, an exception."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.semantics.claims import Answer, Solution
from lm_eval_ext.grading.answers.semantics.clauses import Clause, cut
from lm_eval_ext.grading.answers.semantics.cleanup import (
    INEQUALITY,
    after_description,
    after_form,
    built_sets,
    is_noun_phrase,
    labelled,
    order_of,
    parsed,
    trimmed,
    without_kind,
    without_noise,
)
from lm_eval_ext.grading.answers.semantics.conditions import read_conditions
from lm_eval_ext.grading.answers.semantics.names import (
    about,
    bind,
    named,
    names_of,
    unordered_unknowns,
    values_of,
)
from lm_eval_ext.grading.answers.semantics.verbal import winner
from lm_eval_ext.grading.answers.syntax.grammar import parse
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Condition,
    Group,
    Node,
    Number,
    Property,
    Quantity,
    Relation,
    Symbol,
    number,
    symbols,
)

_ADJECTIVES = frozenset(
    "positive negative nonnegative nonzero nonpositive even odd real rational irrational not prime "
    "composite".split()
)


def _read(part: list[Token]) -> Node:
    """The mathematics of a clause, or who wins according to it: "the first player wins if n is odd"."""
    try:
        return parsed(part)
    except Unreadable:
        who = winner(part) if any(t.text in ("win", "wins", "winning") for t in part) else None
        if who is None:
            raise
        return number(int.from_bytes(f"player {who.casefold()}".encode(), "big"))  # a number of his own


class Assembly:
    """The solutions found so far, and what the next clause may join."""

    def __init__(self, part: Sequence[Token]) -> None:
        self.clauses = cut(part)
        self.items: list[Solution] = []
        self.open_record = False
        self.unlimited = 0
        self.leading: tuple[Condition, ...] = ()
        self.names: tuple[str, ...] = ()
        self.arguments: tuple[str, ...] = ()
        self.again: list[Answer] = []
        self.last_joint = ""
        self.label = ""
        self.order = ""
        self.defining = False
        self.defined = ""
        self.limited_from = 0

    def _value(self, clause: Clause) -> None:
        part, order = order_of(trimmed(clause.tokens))
        part, label = labelled(without_noise(without_kind(after_form(part))))
        part = part if label else after_description(part)
        if order and not part and self.items:  # "and its cyclic permutations"
            self.items[-1] = replace(self.items[-1], order=order)
            return
        self.order = order or self.order
        if not part:
            self.label = label or self.label
            if any(t.text == "identity" for t in clause.tokens):  # "the identity function"
                self._add(Solution((("f", Symbol("x")),), arguments=("x",)))
            return
        if clause.joint in ("and", ",", "or") and self.items and self._excluded(part):
            return
        if (built := built_sets(part)) is not None:
            for names, values, conditions in built:
                self._built(names, values, conditions, len(built) == 1 and clause.joint != "or")
            return
        if is_noun_phrase(part):
            if clause.tokens[0].text == "some":
                raise Unreadable("some is not all")
            self._described(part, clause)
            return
        node = _read(part)
        label, self.label = label or self.label, ""
        if isinstance(node, Relation):
            self._relation(node, clause, label, self.order)
        else:
            self._bare(node, clause, label, self.order)

    def _built(
        self, names: Sequence[Token], values: Sequence[Token], conditions: Sequence[Token], alone: bool
    ) -> None:
        """x in {f(t) : t > 0}; `alone` where no other set is joined to it."""
        bound = names_of(parse(names)) if names else ("",)
        node = parse(values)
        if not conditions:  # a plain set beside one that is built
            for each in node.items if isinstance(node, Group) else (node,):
                self._add(Solution(bind(bound, each)))
            self.unlimited = len(self.items)
            return
        _, limits = read_conditions(conditions)
        if isinstance(node, Relation):  # {x in R : x > 0}
            limits, node = [node, *limits], node.terms[0]
        self._add(Solution(bind(bound, node), tuple(limits), braced=alone and not names))
        self.unlimited = len(self.items)

    def _described(self, part: list[Token], clause: Clause) -> None:
        """ "all odd integers n >= 3": the values of n that ..."""
        subject, conditions = read_conditions(part)
        last = self.items[-1] if self.items else None
        if (
            last
            and last.conditions
            and clause.joint in (",", "and")
            and all(t.text in _ADJECTIVES for t in part)
        ):
            self._limit(tuple(about(c, last.values[0][1]) for c in conditions))  # "c real and nonzero"
        elif (
            self.items
            and any(symbols(subject) & symbols(v) for v in values_of(self.items[-1]))
            and clause.joint != "or"
        ):
            self._limit(tuple(conditions))
        else:
            self._add(Solution((("", subject),), tuple(conditions)))

    def _excluded(self, part: list[Token]) -> bool:
        """ "except 1 and 3": the 3 is excluded as well."""
        last = self.items[-1].conditions[-1:]
        if not last or (
            any(t.text in INEQUALITY or t.text == "=" for t in part) and self.last_joint != "except"
        ):
            return False
        if isinstance(last[0], Relation) and last[0].signs[-1] == "!=":  # "n != 3, 6"
            self._limit((Relation((last[0].terms[-2], parsed(part)), ("!=",)),))
            return True
        if not (isinstance(last[0], Property) and last[0].name == "!=" and self.last_joint == "except"):
            return False
        self._except(part)
        return True

    def _relation(self, node: Relation, clause: Clause, label: str, order: str) -> None:
        if label and set(node.signs) != {"="}:
            raise Unreadable(f"the {label} with an inequality")
        if label:
            self._record(((label, node.terms[-1]),), clause, ())
            return
        if (
            node.signs[0] == "=" and len(node.signs) == 2 and node.signs[1] in ("!=", ">", ">=", "<", "<=")
        ):  # f(x) = c != 0
            self._relation(Relation(node.terms[:2], ("=",)), clause, label, order)
            self._limit((Relation(node.terms[1:], node.signs[1:]),))
            return
        if any(s in INEQUALITY for s in node.signs):
            self._inequality(node, clause)
            return
        if (several := unordered_unknowns(node)) is not None:  # {p, q} = {3, 5}
            self._add(Solution((("", several),)))
            return
        unknowns = named(node) if len(set(node.terms)) > 1 else None  # x = x gives x no value
        if unknowns is None:
            known = {n for i in self.items for v in values_of(i) for n in symbols(v)}
            if self.items and isinstance(node.terms[0], Call) and node.terms[0].name == "apply" and known:
                return  # "F_0 = 0": says again which sequence F is
            self._add(Solution((("", node),)))
            return
        values, arguments = unknowns
        self._record(values, clause, arguments, order)

    def _inequality(self, node: Relation, clause: Clause) -> None:
        if node.signs == ("in",) and isinstance(node.terms[1], Group) and node.terms[1].open == "{":
            first = node.terms[0]
            names, arguments = names_of(first), tuple[str, ...]()
            if isinstance(first, Call) and (unknown := named(Relation((first, first), ("=",)))) is not None:
                names, arguments = (unknown[0][0][0],), unknown[1]
            if names == ("",) and len(symbols(first)) < 2:
                raise Unreadable("an expression that lies in a set")
            for each in node.terms[1].items:
                self._add(Solution(bind(names, each), arguments=arguments))
            self.names, self.arguments = names, arguments
            return
        letters = {n for i in self.items for v in values_of(i) for n in symbols(v)}
        subject = next((t for t in node.terms if isinstance(t, Symbol)), None)
        if all(isinstance(t, Symbol) for t in node.terms) and "in" not in node.signs:  # y < z < x
            subject = None
        if self.items and subject is not None and subject.name in letters and clause.joint != "or":
            self._limit((node,))
        elif subject is not None:
            self._add(Solution((("", subject),), (node,)))
        elif set(node.signs) & {"in", "notin"}:
            raise Unreadable("an expression that lies in a set")
        else:
            self._add(Solution((("", node),)))

    def _record(
        self,
        values: tuple[tuple[str, Node], ...],
        clause: Clause,
        arguments: tuple[str, ...],
        order: str = "",
    ) -> None:
        """Named values join the solution under way unless one of the names is in it already."""
        names = {n for n, _ in values}
        taken = {n for n, _ in self.items[-1].values} if self.items else set()
        if (
            self.open_record
            and clause.joint in (",", "and", "", ":", ";", "then")
            and not names & taken
            and "" not in taken
        ):
            self.items[-1] = replace(
                self.items[-1],
                values=self.items[-1].values + values,
                arguments=self.items[-1].arguments or arguments,
            )
        else:
            self._add(Solution(values, arguments=arguments, order=order))
        self.open_record = True
        self.names, self.arguments = tuple(n for n, _ in values), arguments

    def _bare(self, node: Node, clause: Clause, label: str, order: str) -> None:
        """A value without a name: of the name that the value before had."""
        if label:
            self._record(((label, node),), clause, ())
            return
        tuples = isinstance(node, Group) and len(node.items) == len(self.names)
        if len(self.names) == 1 or (self.names and tuples):
            self._add(Solution(bind(self.names, node), order=order, arguments=self.arguments))
        else:
            self._add(Solution((("", node),), order=order, in_order=clause.joint in ("", ",", "and", ";")))

    def _add(self, item: Solution) -> None:
        self.items.append(item)
        self.open_record = False

    def _limit(self, conditions: tuple[Condition, ...]) -> None:
        self.limited_from = min(self.unlimited, max(len(self.items) - 1, 0))
        self._limited_from(self.limited_from, conditions)
        self.unlimited = len(self.items)

    def _limited_from(self, start: int, conditions: tuple[Condition, ...]) -> None:
        self.items[start:] = [i.limited(conditions) for i in self.items[start:]]

    def _except(self, part: list[Token]) -> None:
        _, conditions = read_conditions([Token("word", "except"), *part])
        subject = self._subject()
        if isinstance(subject, (Number, Call, Quantity)) and not symbols(subject):
            raise Unreadable("an exception to a number")
        self._limited_from(len(self.items) - 1, tuple(about(c, subject) for c in conditions))

    def _subject(self) -> Node:
        if not self.items:
            raise Unreadable("an exception to nothing")
        return self.items[-1].values[0][1]

    def _named_value(self, part: list[Token]) -> bool:
        stated = any(t.text == "is" and n.kind != "word" for t, n in pairwise(part))
        return (stated or any(t.text == "=" for t in part)) and not any(
            t.text in english.PROPERTIES for t in part
        )

    def _is_idle(self, condition: Condition) -> bool:
        """ "a = b = 1 (with p = 3)": the value of a letter that is in no solution."""
        if not isinstance(condition, Relation) or condition.signs != ("=",):
            return False
        letter, given = condition.terms
        used = {n for i in self.items for n, _ in i.values}
        used |= {n for i in self.items for v in values_of(i) for n in symbols(v)}
        return (
            isinstance(letter, Symbol)
            and letter.name not in used
            and bool(used - {""})
            and not symbols(given)
        )

    def _close_conditions(self) -> None:
        if self.leading and self.unlimited < len(self.items):
            self.items[self.unlimited :] = [i.limited(self.leading) for i in self.items[self.unlimited :]]
