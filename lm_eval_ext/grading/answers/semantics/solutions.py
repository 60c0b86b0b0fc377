"""Putting clauses together: names, values and conditions become solutions."""

from __future__ import annotations

from dataclasses import replace

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.answers.semantics.builder import Assembly
from lm_eval_ext.grading.answers.semantics.claims import Answer
from lm_eval_ext.grading.answers.semantics.clauses import Clause
from lm_eval_ext.grading.answers.semantics.cleanup import (
    INEQUALITY,
    without_noise,
)
from lm_eval_ext.grading.answers.semantics.conditions import IT, read_conditions
from lm_eval_ext.grading.answers.syntax.grammar import parse
from lm_eval_ext.grading.answers.syntax.nodes import Property, Symbol


class Solutions(Assembly):
    """Puts the clauses of one part together."""

    def answer(self) -> Answer:
        position = 0
        if len(self.clauses) > 1 and not without_noise(
            self.clauses[0].tokens
        ):  # "equality holds iff x = y = 1"
            second = self.clauses[1]
            if second.joint == "if" and self._named_value(second.tokens):
                second.joint = ","
        while position < len(self.clauses):
            clause = self.clauses[position]
            if clause.joint == "again":
                self._restated(self.clauses[position:])
                break
            try:
                self._take(clause)
            except Unreadable:
                if (listed := self._list_after(position)) is not None:
                    self.items, self.leading, position = [], (), listed
                    continue
                restated = next(
                    (i for i in range(position, len(self.clauses)) if self.clauses[i].joint == "again"), None
                )
                if restated is None:
                    raise
                self.items = []
                self._restated(self.clauses[restated:])
                break
            position += 1
        if not self.items:
            if self.again:
                return replace(self.again[0], again=tuple(self.again[1:]))
            return self._conditions_as_values()
        self._close_conditions()
        return Answer(items=tuple(self.items), again=tuple(self.again))

    def _list_after(self, position: int) -> int | None:
        """Where the list begins in "all pairs with one odd and one even: (1, 2), ...": the list counts."""
        for i in range(position + 1, len(self.clauses)):
            clause = self.clauses[i]
            if clause.joint == ":":
                return i
            if clause.joint == ";" or any(t.text in english.NEGATIONS for t in clause.tokens):
                return None
        return None

    def _conditions_as_values(self) -> Answer:
        """ "Equality holds if and only if a = b = c": what follows the "if" is the answer."""
        joints = {"if": ",", "lead": ","}
        if not any(c.joint in joints for c in self.clauses):
            raise Unreadable("no value in it")
        plain = Solutions([])
        plain.clauses = [replace(c, joint=joints.get(c.joint, c.joint)) for c in self.clauses]
        return plain.answer()

    def _restated(self, rest: list[Clause]) -> None:
        other = Solutions([])
        other.clauses = [replace(rest[0], joint=""), *rest[1:]]
        other.clauses = [c for c in other.clauses if c.tokens]
        try:
            said = other.answer()
        except Unreadable:
            return
        self.again += [replace(said, again=()), *said.again]

    def _take(self, clause: Clause) -> None:
        joint = clause.joint
        if joint in (",", "and") and self.last_joint == "if" and self._same_kind(clause):
            joint = "if"
        elif joint in ("if", "lead") or (
            joint in (",", "and") and self.last_joint == "if" and self._continues(clause)
        ):
            self._condition(clause)
            joint = "if"
        elif joint == "else":
            self._limit((Property("otherwise", Symbol(IT)),))
        elif joint == "except":
            self._except(clause.tokens)
        else:
            excepted = self.last_joint == "except" and bool(self.items) and joint in (",", "and", "or")
            self._value(clause)
            joint = "except" if excepted else "value"
        self.last_joint = joint

    def _after(self, clause: Clause) -> list[Clause]:
        return self.clauses[next(i for i, c in enumerate(self.clauses) if c is clause) + 1 :]

    def _same_kind(self, clause: Clause) -> bool:
        """ "for some integers u, v, w": what was said of u holds for v and w."""
        part = clause.tokens
        letter = [t.kind for t in part] in (["name"], ["name", "op", "num"])
        if not letter or not self.items or not isinstance(name := parse(part), Symbol):
            return False
        if any(c.joint == "if" for c in self._after(clause)[:1]):
            return False  # "n - 1 if n is odd and n if n is even"
        last = [c for c in self.items[-1].conditions if isinstance(c, Property)]
        said = [c for c in last if last and c.subject == last[-1].subject]
        self._limited_from(self.limited_from, tuple(replace(c, subject=name) for c in said))
        return bool(said)

    def _continues(self, clause: Clause) -> bool:
        """A further condition: ", p > 2 and p odd" after an "if"."""
        try:
            read_conditions(clause.tokens)
        except Unreadable:
            return False
        if self._named_value(clause.tokens):
            return self.defining and clause.tokens[0].text == self.defined
        return any(t.text in INEQUALITY or t.text in english.PROPERTIES for t in clause.tokens)

    def _condition(self, clause: Clause) -> None:
        part = without_noise(clause.tokens)
        arguments = {a for i in self.items for a in i.arguments}
        if clause.tokens and clause.tokens[0].text == "some" and {t.text for t in part} & arguments:
            raise Unreadable("some is not all")
        self.defining = any(t.text == "=" for t in part) and part[0].kind == "name"
        self.defined = part[0].text if part else ""
        if self.items and self._described_pair(clause):
            return
        _, conditions = read_conditions(clause.tokens)
        if clause.word in ("with", "where"):
            conditions = [c for c in conditions if not self._is_idle(c)]
        if clause.joint == "lead" and self._values_follow(clause):
            self._close_conditions()
            self.unlimited = len(self.items)
            self.leading = tuple(conditions)
        elif self.items:
            self._limit(tuple(conditions))
        else:
            self.leading += tuple(conditions)

    def _described_pair(self, clause: Clause) -> bool:
        """ "pairs of positive integers with n = 2m": the equation is the answer, not a limit on it."""
        last = self.items[-1]
        if last.values != (("", Symbol(IT)),) or not self._named_value(clause.tokens):
            return False
        self.items.pop()
        self._value(replace(clause, joint=","))
        return True

    def _values_follow(self, clause: Clause) -> bool:
        return any(c.joint not in ("if", "again", "aside", "except") for c in self._after(clause))
