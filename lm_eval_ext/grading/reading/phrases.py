r"""From the text of an answer to the items it lists: parts, clauses, names, values, conditions.

>>> [dict(item.values) for item in read("x = 1, y = 2 or x = 3, y = 0")[0].items]   # two solutions
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from lm_eval_ext.grading.reading import words
from lm_eval_ext.grading.reading.conditions import IT, read_conditions, starts_with
from lm_eval_ext.grading.reading.grammar import RELATIONS, parse
from lm_eval_ext.grading.reading.lexer import Token, tokens
from lm_eval_ext.grading.reading.parts import split_parts
from lm_eval_ext.grading.reading.tree import (
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
    symbols,
)

_LATIN = re.compile(r"\b(?:i\.\s?e\b\.?|e\.\s?g\b\.?)", re.IGNORECASE)
_OPEN, _CLOSE = frozenset(["(", "[", "{", "\\{", "⌊", "⌈"]), frozenset([")", "]", "}", "\\}", "⌋", "⌉"])
_STRONG = frozenset([";", ".", "newline", "\\\\"])
_INEQUALITY = frozenset(["<", ">", "<=", ">=", "!=", "in", "notin", "≡", "|", "notdivides"])


def without_wrappers(text: str) -> str:
    """Without Markdown emphasis and without tags: `<answer>3</answer>` and `<3>` are 3."""
    text = text.strip()
    if (
        text.startswith("<")
        and text.endswith(">")
        and "<answer>" not in text
        and text.count("<") == text.count(">") == 1
    ):
        text = text[1:-1]
    text = re.sub(r"</?answer>|\*\*|__|`", " ", text)
    return _LATIN.sub(lambda m: " ie " if m[0][0] in "iI" else " eg ", text).strip()


@lru_cache(maxsize=8192)
def read(text: str) -> tuple[Answer, ...]:
    """The parts of an answer, mostly one. Raises Unreadable."""
    stream = tokens(without_wrappers(text))
    if not stream:
        raise Unreadable("it is empty")
    return tuple(_read_part(part) for part in split_parts(stream))


def _read_part(part: Sequence[Token]) -> Answer:
    part = _trimmed(part)
    if not part:
        raise Unreadable("a part is empty")
    for reader in (_as_word, _as_choice):
        if (answer := reader(part)) is not None:
            return answer
    return _Clauses(part).answer()


def _trimmed(part: Sequence[Token]) -> list[Token]:
    part = list(part)
    while part and part[-1].text in (".", ",", ";", "newline", "\\\\", "gap", "and", ":"):
        part.pop()
    while part and part[0].text in (".", ",", ";", "newline", "\\\\", "gap", ":", "="):
        part.pop(0)
    return part


# decisions in words ---------------------------------------------------------------------------------------

_BOUNDARY = frozenset([",", ";", ".", ":", "newline", "-", "("])


def _as_word(part: Sequence[Token]) -> Answer | None:
    """Yes and no with whatever explains them; that there is no solution."""
    texts = [t.text for t in part]
    if texts[0] in ("yes", "no", "true", "false"):
        after = texts[1] if len(texts) > 1 else ""
        if after in ("if", "when", "only", "iff", "unless", "for"):
            return None
        if texts[0] != "no" or after == "" or after in _BOUNDARY:
            return Answer(word="yes" if texts[0] in ("yes", "true") else "no")
        return Answer(word="none") if _denies(part[1:]) else None
    sentence = _first_sentence(part)
    start = next((i for i, t in enumerate(sentence) if t.text not in words.NOISE), len(sentence))
    if start < len(sentence) and sentence[start].text == "no" and _denies(sentence[start + 1 :]):
        return Answer(word="none")
    first = [t for t in sentence if t.text not in words.NOISE]
    if not first or first[0].kind != "word":
        return None
    for phrases, word in ((words.NO, "no"), (words.YES, "yes"), (words.NONE, "none")):
        if any(starts_with(first, p) for p in phrases if len(p) > 1 or len(sentence) == 1):
            return Answer(word=word)
    said = [t.text for t in _first_sentence(part)]
    if any(
        p == tuple(said[i : i + len(p)]) for p in words.NONE if len(p) > 1 for i in range(len(said))
    ) and not any(t.kind == "num" for t in first):
        return Answer(word="none")
    return None


def _first_sentence(part: Sequence[Token]) -> list[Token]:
    end = next((i for i, t in enumerate(part) if t.text in (".", ";", ",", "newline", "(")), len(part))
    return list(part[:end])


def _denies(rest: Sequence[Token]) -> bool:
    """After "no": "... such function exists", "... solutions", "... real x"; not "... more than 5"."""
    following = [t.text for t in rest[:3]]
    nouns = {"such", "solution", "solutions", "function", "functions", "integer", "integers", "real", "positive",
             "natural", "number", "numbers", "value", "values", "pair", "pairs", "polynomial", "polynomials",
             "other", "triple", "triples", "prime", "primes", "rational", "triangle", "sequence", "arrangement"}  # fmt: skip
    return bool(nouns & set(following[:2])) and following[0] not in ("more", "less", "fewer", "other")


_PREDICATES = frozenset(
    """has have a an the winning strategy win wins will can always is larger bigger greater certainly with certainty
    who player which""".split()
)


def _as_choice(part: Sequence[Token]) -> Answer | None:
    """A letter, "(C) 1200", "B is larger", "the first player has a winning strategy"."""
    texts = [t.text for t in part]
    if texts[0] == "(" and len(texts) > 2 and texts[2] == ")" and _is_letter(part[1]):
        return _choice(part[1].text, part[3:])
    if _is_letter(part[0]) and (len(texts) == 1 or texts[1] == ")" or (texts[1] == "." and len(texts) > 2)):
        return _choice(part[0].text, part[2:])
    content = [t for t in part if t.text not in ("the", "option", "choice", "answer", "is", ".", "a", "an")]
    if len(content) == 1 and _is_letter(content[0]) and len(part) > 1 and part[0].kind == "word":
        return Answer(choice=content[0].text)
    return _winner([t for t in part if t.text not in ("the",)])


def _is_letter(token: Token) -> bool:
    return token.kind in ("name", "const") and len(token.text) == 1 and token.text.isupper()


def _choice(letter: str, rest: Sequence[Token]) -> Answer:
    rest = _trimmed(rest)
    if not rest:
        return Answer(choice=letter)
    try:
        return Answer(choice=letter, items=_Clauses(rest).answer().items)
    except Unreadable:
        return Answer(choice=letter)


def _winner(part: Sequence[Token]) -> Answer | None:
    """The player named at the start, if nothing follows but that he wins or is larger."""
    if not part:
        return None
    texts = [t.text for t in part]
    who, rest = None, part
    if texts[0] in words.ORDINALS and texts[1:2] in (["player"], []):
        who, rest = words.ORDINALS[texts[0]], part[2:]
    elif texts[0] == "player" and len(texts) > 1:
        who, rest = texts[1], part[2:]
    elif part[0].kind == "word" and texts[0] not in words.KNOWN or _is_letter(part[0]) and len(part) > 1:
        who, rest = texts[0], part[1:]
    if who is None or not all(t.text in _PREDICATES or t.text == "." for t in _until_aside(rest)):
        return None
    return Answer(choice=who)


def _until_aside(rest: Sequence[Token]) -> list[Token]:
    """ "(the second player) wins", "A = log 5 is larger": what merely explains who is left out."""
    kept: list[Token] = []
    depth = 0
    if rest and rest[0].text == "=":
        rest = rest[next((i for i, t in enumerate(rest) if t.kind == "word"), len(rest)) :]
    for token in rest:
        depth += (token.text in _OPEN) - (token.text in _CLOSE)
        if depth == 0 and token.text not in _CLOSE:
            kept.append(token)
    return kept


# clauses --------------------------------------------------------------------------------------------------


@dataclass
class Clause:
    """`joint`: how it hangs on what went before: ",", ";", "and", "or", "if", "except", "again", "else"."""

    joint: str
    tokens: list[Token]


def _clauses(part: Sequence[Token]) -> list[Clause]:
    """Cut at separators and connecting words outside brackets; asides are left out."""
    found = [Clause("", [])]
    position = 0
    protected = _protected(part)
    while position < len(part):
        token, rest = part[position], part[position:]
        if token.text in _OPEN:
            end = _closing(part, position)
            inner = part[position + 1 : end]
            if token.text == "(" and (joint := _remark(inner, bool(found[-1].tokens))):
                if joint != "aside":
                    remarks = _clauses(inner)
                    found += _limiting(remarks) if joint == "if" else remarks
                    found.append(Clause(",", []))
            else:
                found[-1].tokens += part[position : end + 1]
            position = end + 1
            continue
        if token.text.startswith("begin cases"):
            end = next((i for i, t in enumerate(part) if i > position and t.text == "end cases"), len(part))
            found += _case_rows(part[position + 1 : end], found)
            position = end + 1
            continue
        joint, length = _joint(rest, position in protected, found[-1])
        if joint == "aside":
            position += next((i for i, t in enumerate(rest) if t.text in _STRONG), len(rest))
        elif joint:
            if joint == "if" and not found[-1].tokens and found[-1].joint in ("", ";"):
                joint = "lead"
            found.append(Clause(joint, []))
            position += length
        else:
            found[-1].tokens.append(token)
            position += 1
    return [c for c in found if c.tokens or c.joint in ("else", "again")]


def _case_rows(rows: Sequence[Token], found: list[Clause]) -> list[Clause]:
    r"""The rows of a cases environment: value, &, condition, \\."""
    found[-1].tokens.clear()  # the name in front
    clauses: list[Clause] = []
    row: list[Token] = []
    for token in [*rows, Token("op", "\\\\")]:
        if token.text != "\\\\":
            row.append(token)
            continue
        at = next((i for i, t in enumerate(row) if t.text == "&"), len(row))
        value, condition = _trimmed(row[:at]), _trimmed(row[at + 1 :])
        if value:
            clauses.append(Clause(";", value))
        if condition:
            clauses += _limiting(_clauses(condition))
        row = []
    return clauses


def _limiting(inner: list[Clause]) -> list[Clause]:
    """The clauses of a condition that follows what it limits."""
    if inner and inner[0].joint in ("", "lead"):
        inner[0].joint = "if"
    return inner


def _closing(part: Sequence[Token], start: int) -> int:
    depth = 0
    for i in range(start, len(part)):
        depth += (part[i].text in _OPEN) - (part[i].text in _CLOSE)
        if depth == 0:
            return i
    raise Unreadable("brackets that do not close")


def _remark(inner: Sequence[Token], after_something: bool) -> str:
    """What a parenthesis is: "again", "if", "else", "aside", or "" for mathematics."""
    if not inner or not after_something:
        return "aside" if inner and inner[0].text in ("i", "including") and len(inner) > 3 else ""
    if inner[0].text == "mod" or (inner[0].kind != "word" and not any(t.kind == "word" for t in inner)):
        relation = any(t.text in _INEQUALITY - {"|"} for t in inner)
        return "if" if relation else ""
    if inner[0].text == "which" or (
        inner[0].text in ("with", "where") and not any(t.text in _INEQUALITY for t in inner)
    ):
        return "aside"
    joint, _ = _joint(inner, False, Clause("", []))
    if joint in ("again", "if", "else", "aside"):
        return joint
    if any(t.text in words.PROPERTIES for t in inner) or any(t.text in _INEQUALITY for t in inner):
        return "if"
    return "" if inner[0].kind != "word" or inner[0].text in words.NUMERALS else "aside"


def _protected(part: Sequence[Token]) -> set[int]:
    """Places of separators between ≡ and its modulus: "0 or 3 (mod 4)" is one condition."""
    found: set[int] = set()
    for i, token in enumerate(part):
        if token.text == "≡":
            end = next((j for j in range(i, min(i + 24, len(part))) if part[j].text == "mod"), None)
            if end is not None:
                found |= set(range(i, end))
    return found


_PHRASES: tuple[tuple[tuple[tuple[str, ...], ...], str], ...] = (
    ((("together", "with"),), ","), (words.OTHERWISE, "else"), (words.RESTATEMENT, "again"), (words.EXCEPT, "except"),
    ((("if", "and", "only", "if"), ("iff",), ("exactly", "when"), ("precisely", "when"), ("exactly", "if")), "if"),
)  # fmt: skip


def _joint(rest: Sequence[Token], protected: bool, current: Clause) -> tuple[str, int]:
    """(joint, number of tokens) if a new clause begins here, else ("", 0)."""
    text = rest[0].text
    if protected:
        return "", 0
    if text in _STRONG:
        if text == "newline" and len(rest) > 1 and rest[1].text in ("-", "*"):  # a bullet
            return ";", 2
        return ";", 1
    if text in (",", "gap"):
        following = rest[1].text if len(rest) > 1 else ""
        return (",", 1) if following not in ("and", "or") else (following, 2)
    if (
        text == ":"
        and current.tokens
        and all(t.kind == "word" or (i == 0 and t.kind == "name") for i, t in enumerate(current.tokens))
    ):
        return ":", 1
    if rest[0].kind != "word":
        return "", 0
    for phrases, joint in _PHRASES:
        if phrase := next((p for p in phrases if starts_with(rest, p)), None):
            return joint, len(phrase) if joint != "except" else 0 or len(phrase)
    if any(starts_with(rest, p) for p in words.ASIDE):
        return "aside", 1
    if text in ("and", "or"):
        return (text, 1) if not starts_with(rest, ("or", "equal", "to")) else ("", 0)
    if text in words.CASE or text in words.GIVEN:
        return "if", 1
    return ("then", 1) if text in ("then", "iff") else ("", 0)


# assembling items -----------------------------------------------------------------------------------------


class _Clauses:
    """Puts the clauses of one part together."""

    def __init__(self, part: Sequence[Token]) -> None:
        self.clauses = _clauses(part)
        self.items: list[Item] = []
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

    def answer(self) -> Answer:
        position = 0
        while position < len(self.clauses):
            clause = self.clauses[position]
            if clause.joint == "again":
                self._restated(self.clauses[position:])
                break
            try:
                self._take(clause)
            except Unreadable:
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

    def _conditions_as_values(self) -> Answer:
        """ "Equality holds if and only if a = b = c": what follows the "if" is the answer."""
        joints = {"if": ",", "lead": ","}
        if not any(c.joint in joints for c in self.clauses):
            raise Unreadable("no value in it")
        plain = _Clauses([])
        plain.clauses = [replace(c, joint=joints.get(c.joint, c.joint)) for c in self.clauses]
        return plain.answer()

    def _restated(self, rest: list[Clause]) -> None:
        other = _Clauses([])
        other.clauses = [replace(rest[0], joint=""), *rest[1:]]
        other.clauses = [c for c in other.clauses if c.tokens]
        try:
            said = other.answer()
        except Unreadable:
            return
        self.again += [replace(said, again=()), *said.again]

    def _close_conditions(self) -> None:
        if self.leading and self.unlimited < len(self.items):
            self.items[self.unlimited :] = [i.limited(self.leading) for i in self.items[self.unlimited :]]

    def _take(self, clause: Clause) -> None:
        joint = clause.joint
        if joint in (",", "and") and self.last_joint == "if" and self._same_kind(clause.tokens):
            joint = "if"
        elif joint in ("if", "lead") or (
            joint in (",", "and") and self.last_joint == "if" and self._continues(clause)
        ):
            self._condition(clause)
            joint = "if"
        elif joint == "else":
            self._limit((Property("otherwise", Sym(IT)),))
        elif joint == "except":
            self._except(clause.tokens)
        else:
            excepted = self.last_joint == "except" and bool(self.items) and self._still_excepting(clause)
            self._value(clause)
            joint = "except" if excepted else "value"
        self.last_joint = joint

    def _same_kind(self, part: list[Token]) -> bool:
        """ "for some integers u, v, w": what was said of u holds for v and w."""
        if len(part) != 1 or part[0].kind != "name" or not self.items:
            return False
        last = [c for c in self.items[-1].conditions if isinstance(c, Property)]
        said = [c for c in last if last and c.subject == last[-1].subject]
        self._limited_from(self.limited_from, tuple(replace(c, subject=Sym(part[0].text)) for c in said))
        return bool(said)

    def _continues(self, clause: Clause) -> bool:
        """A further condition: ", p > 2 and p odd" after an "if"."""
        try:
            read_conditions(clause.tokens)
        except Unreadable:
            return False
        if self._named_value(clause.tokens):
            return self.defining and clause.tokens[0].text == self.defined
        return any(t.text in _INEQUALITY or t.text in words.PROPERTIES for t in clause.tokens)

    def _named_value(self, part: list[Token]) -> bool:
        return any(t.text == "=" for t in part) and not any(t.text in words.PROPERTIES for t in part)

    def _condition(self, clause: Clause) -> None:
        part = _without_noise(clause.tokens)
        self.defining = any(t.text == "=" for t in part) and part[0].kind == "name"
        self.defined = part[0].text if part else ""
        if self.items and self._described_pair(clause):
            return
        _, conditions = read_conditions(clause.tokens)
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
        if last.values != (("", Sym(IT)),) or not self._named_value(clause.tokens):
            return False
        self.items.pop()
        self._value(replace(clause, joint=","))
        return True

    def _values_follow(self, clause: Clause) -> bool:
        later = self.clauses[next(i for i, c in enumerate(self.clauses) if c is clause) + 1 :]
        return any(c.joint not in ("if", "again", "aside", "except") for c in later)

    def _limit(self, conditions: tuple[Condition, ...]) -> None:
        self.limited_from = min(self.unlimited, max(len(self.items) - 1, 0))
        self._limited_from(self.limited_from, conditions)
        self.unlimited = len(self.items)

    def _limited_from(self, start: int, conditions: tuple[Condition, ...]) -> None:
        self.items[start:] = [i.limited(conditions) for i in self.items[start:]]

    def _except(self, part: list[Token]) -> None:
        _, conditions = read_conditions([Token("word", "except"), *part])
        subject = self._subject()
        self._limited_from(len(self.items) - 1, tuple(_about(c, subject) for c in conditions))

    def _subject(self) -> Node:
        if not self.items:
            raise Unreadable("an exception to nothing")
        return self.items[-1].values[0][1]

    def _value(self, clause: Clause) -> None:
        part, order = _order(_trimmed(clause.tokens))
        part, label = _label(_without_noise(_without_kind(_after_form(part))))
        if order and not part and self.items:  # "and its cyclic permutations"
            self.items[-1] = replace(self.items[-1], order=order)
            return
        self.order = order or self.order
        if not part:
            self.label = label or self.label
            return
        if clause.joint in ("and", ",", "or") and self.items and self._excluded(part):
            return
        if (built := _built_sets(part)) is not None:
            for names, values, conditions in built:
                self._built(names, values, conditions)
            return
        if _is_noun_phrase(part):
            self._described(part, clause)
            return
        node = _parsed(part)
        label, self.label = label or self.label, ""
        if isinstance(node, Relation):
            self._relation(node, clause, label, self.order)
        else:
            self._bare(node, clause, label, self.order)

    def _built(self, names: Sequence[Token], values: Sequence[Token], conditions: Sequence[Token]) -> None:
        """x in {f(t) : t > 0}."""
        bound = _names_of(parse(names)) if names else ("",)
        node = parse(values)
        _, limits = read_conditions(conditions)
        if isinstance(node, Relation):  # {x in R : x > 0}
            limits, node = [node, *limits], node.terms[0]
        self._add(Item(_bind(bound, node), tuple(limits)))
        self.unlimited = len(self.items)

    def _still_excepting(self, clause: Clause) -> bool:
        return clause.joint in (",", "and", "or")

    def _excluded(self, part: list[Token]) -> bool:
        """ "except 1 and 3": the 3 is excluded as well."""
        last = self.items[-1].conditions[-1:]
        if (
            not last
            or any(t.text in _INEQUALITY or t.text == "=" for t in part)
            and self.last_joint != "except"
        ):
            return False
        if isinstance(last[0], Relation) and last[0].signs[-1] == "!=":  # "n != 3, 6"
            self._limit((Relation((last[0].terms[-2], _parsed(part)), ("!=",)),))
            return True
        if not (isinstance(last[0], Property) and last[0].name == "!=" and self.last_joint == "except"):
            return False
        self._except(part)
        return True

    def _described(self, part: list[Token], clause: Clause) -> None:
        """ "all odd integers n >= 3": the values of n that ..."""
        subject, conditions = read_conditions(part)
        if (
            self.items
            and any(symbols(subject) & symbols(v) for v in _values(self.items[-1]))
            and clause.joint != "or"
        ):
            self._limit(tuple(conditions))
        else:
            self._add(Item((("", subject),), tuple(conditions)))

    def _relation(self, node: Relation, clause: Clause, label: str, order: str) -> None:
        if label:
            self._record(((label, node.terms[-1]),), clause, ())
            return
        if (
            node.signs[0] == "=" and len(node.signs) == 2 and node.signs[1] in ("!=", ">", ">=", "<", "<=")
        ):  # f(x) = c != 0
            self._relation(Relation(node.terms[:2], ("=",)), clause, label, order)
            self._limit((Relation(node.terms[1:], node.signs[1:]),))
            return
        if any(s in _INEQUALITY for s in node.signs):
            self._inequality(node, clause)
            return
        named = _named(node)
        if named is None:
            known = {n for i in self.items for v in _values(i) for n in symbols(v)}
            if self.items and isinstance(node.terms[0], Call) and node.terms[0].name == "apply" and known:
                return  # "F_0 = 0": says again which sequence F is
            self._add(Item((("", node),)))
            return
        values, arguments = named
        self._record(values, clause, arguments, order)

    def _inequality(self, node: Relation, clause: Clause) -> None:
        if node.signs == ("in",) and isinstance(node.terms[1], Group) and node.terms[1].open == "{":
            names = _names_of(node.terms[0])
            for each in node.terms[1].items:
                self._add(Item(_bind(names, each)))
            self.names, self.arguments = names, ()
            return
        letters = {n for i in self.items for v in _values(i) for n in symbols(v)}
        subject = next((t for t in node.terms if isinstance(t, Sym)), None)
        if self.items and subject is not None and subject.name in letters and clause.joint != "or":
            self._limit((node,))
        elif subject is not None:
            self._add(Item((("", subject),), (node,)))
        else:
            self._add(Item((("", node),)))

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
            self._add(Item(values, arguments=arguments, order=order))
        self.open_record = True
        self.names, self.arguments = tuple(n for n, _ in values), arguments

    def _bare(self, node: Node, clause: Clause, label: str, order: str) -> None:
        """A value without a name: of the name that the value before had."""
        if label:
            self._record(((label, node),), clause, ())
            return
        for each in _members(node, nested=bool(self.items)):
            if self.names and (
                len(self.names) == 1 or (isinstance(each, Group) and len(each.items) == len(self.names))
            ):
                self._add(Item(_bind(self.names, each), order=order, arguments=self.arguments))
            else:
                self._add(Item((("", each),), order=order))

    def _add(self, item: Item) -> None:
        self.items.append(item)
        self.open_record = False


def _values(item: Item) -> list[Node]:
    return [value for _, value in item.values]


def _members(node: Node, nested: bool) -> tuple[Node, ...]:
    """A set or list that is the whole answer is its elements: {1, 2}, [1, 2, 3], [(1, 2), (3, 4)]."""
    if not isinstance(node, Group) or nested:
        return (node,)
    if node.open == "{" or (node.open == node.close == "["):
        return (node,)
    if (
        node.open == "["
        and node.close == "]"
        and (len(node.items) != 2 or any(isinstance(i, Group) for i in node.items))
    ):
        return node.items
    return (node,)


def _bind(names: tuple[str, ...], value: Node) -> tuple[tuple[str, Node], ...]:
    if len(names) == 1:
        return ((names[0], value),)
    if isinstance(value, Group) and len(value.items) == len(names):
        return tuple(zip(names, value.items, strict=True))
    raise Unreadable("as many names as values, please")


def _names_of(node: Node) -> tuple[str, ...]:
    if isinstance(node, Sym):
        return (node.name,)
    if isinstance(node, Group) and all(isinstance(i, Sym) for i in node.items):
        return tuple(i.name for i in node.items if isinstance(i, Sym))
    return ("",)


def _named(node: Relation) -> tuple[tuple[tuple[str, Node], ...], tuple[str, ...]] | None:
    """(name, value) pairs and the arguments of a chain of equalities, None if no side is a name."""
    if set(node.signs) != {"="}:
        return None
    *left, value = node.terms
    first = left[0]
    if isinstance(first, Group) and first.open == "(" and all(isinstance(i, Sym) for i in first.items):
        if isinstance(value, Group) and len(value.items) == len(first.items):
            return _bind(_names_of(first), value), ()
        return None
    if isinstance(first, Group) and first.open == "{":
        return (("", value),), ()
    if isinstance(first, Call) and first.name == "apply":
        if all(isinstance(a, Sym) for a in first.args):
            name, *arguments = (a.name for a in first.args if isinstance(a, Sym))
            return ((name, _chained([*left[1:], value])),), tuple(arguments)
        return ((_spelled(first), _chained([*left[1:], value])),), ()
    if not isinstance(first, Sym):
        return None
    names = [first.name]
    rest = [*left[1:], value]
    while len(rest) > 1 and isinstance(rest[0], Sym):
        names.append(rest.pop(0).name)  # type: ignore[union-attr]
    return tuple((n, _chained(rest)) for n in names), ()


def _spelled(node: Call) -> str:
    """A name for f(5) or ab: a value of something."""
    return "".join(
        a.name if isinstance(a, Sym) else f"({a.value})" if isinstance(a, Num) else "(.)" for a in node.args
    )


def _chained(values: Sequence[Node]) -> Node:
    """K = a = b: two forms of one value."""
    return values[0] if len(values) == 1 else Call("equals", tuple(values))


def _about(condition: Condition, subject: Node) -> Condition:
    if isinstance(condition, Property) and condition.subject == Sym(IT):
        return replace(condition, subject=subject)
    return condition


def _order(part: list[Token]) -> tuple[list[Token], str]:
    """Without "(and) (cyclic) permutations (of)", and which reorderings are meant."""
    at = next((i for i, t in enumerate(part) if t.text.startswith("permutation")), None)
    if at is None:
        return part, ""
    order = "cyclic" if at and part[at - 1].text == "cyclic" else "permutations"
    rest = [t for i, t in enumerate(part) if i != at and not (i == at - 1 and t.text == "cyclic")]
    return [t for t in rest if t.text not in ("up", "of", "to", "all")], order


def _after_form(part: list[Token]) -> list[Token]:
    """ "all y of the form y = 2k" -> y = 2k."""
    at = next((i for i in range(len(part)) if starts_with(part[i:], ("of", "the", "form"))), None)
    return part if at is None else part[at + 3 :]


_KINDS = frozenset([*words.PROPERTIES, "number", "numbers", "of", "ordered", "distinct", "all", "the"])


def _without_kind(part: Sequence[Token]) -> list[Token]:
    """Without "integer" in "integer solutions" and without "of positive integers" in "pairs of positive integers"."""
    part = list(part)
    at = next((i for i, t in enumerate(part) if t.text in words.SOLUTIONS and t.kind == "word"), None)
    if at is None:
        return part
    start, end = at, at + 1
    while start > 0 and part[start - 1].text in _KINDS:
        start -= 1
    if end < len(part) and part[end].text == "of":
        while end < len(part) and part[end].text in _KINDS:
            end += 1
    return part[:start] + part[end:] if end < len(part) else part


Built = tuple[Sequence[Token], Sequence[Token], Sequence[Token]]


def _built_sets(part: Sequence[Token]) -> list[Built] | None:
    """(names, value, conditions) of each set in "(m, n) in {(t, 2t) : t > 0} or {...}", None if there is none."""
    at = next((i for i, t in enumerate(part) if t.text in ("in", "=")), None)
    start = 0 if part[0].text in ("{", "\\{") else None if at is None else at + 1
    found: list[Built] = []
    position = start
    while position is not None and position < len(part) and part[position].text in ("{", "\\{"):
        end = _closing(part, position)
        bar = _bar(part, position + 1, end)
        if bar is None:
            return None
        found.append((part[: at or 0] if start else [], part[position + 1 : bar], part[bar + 1 : end]))
        position = end + 1
        if position < len(part) and part[position].text in ("∪", "U", "or"):
            position += 1
    return found if found and position == len(part) else None


def _bar(part: Sequence[Token], start: int, end: int) -> int | None:
    depth = 0
    for i in range(start, end):
        depth += (part[i].text in _OPEN) - (part[i].text in _CLOSE)
        if depth == 0 and part[i].text in ("|", ":") and i > start:
            return i
    return None


def _without_noise(part: Sequence[Token]) -> list[Token]:
    part = list(part)
    while (
        part and part[0].kind == "word" and part[0].text in words.NOISE and part[0].text not in words.LABELS
    ):
        part.pop(0)
    while part and (
        (part[-1].kind == "word" and part[-1].text in words.NOISE) or part[-1].text in (",", ":", "=")
    ):
        part.pop()
    return part


def _label(part: list[Token]) -> tuple[list[Token], str]:
    """ "the maximum value of S is 5" -> 5, "maximum"."""
    if not part or part[0].text not in words.LABELS or part[0].kind not in ("word", "func"):
        return part, ""
    if part[0].kind == "func" and len(part) > 1 and part[1].text in ("(", "{", "\\{"):
        return part, ""
    label = words.LABELS[part[0].text]
    rest = part[1:]
    cut = next((i for i, t in enumerate(rest) if t.text in ("is", "are", "=", ":")), None)
    if cut is not None:
        last = max(i for i, t in enumerate(rest) if t.text in ("is", "are", "=", ":"))
        rest = rest[last + 1 :]
    return _without_noise(rest), label


def _is_noun_phrase(part: Sequence[Token]) -> bool:
    if any(t.text in words.PROPERTIES and t.kind == "word" for t in part):
        return True
    return any(starts_with(part[i:], p) for i in range(len(part)) for p in (*words.RELATIVE, *words.NOUNS))


def _parsed(part: Sequence[Token]) -> Node:
    """The mathematics of a clause; words that add nothing are left out, and "S is 5" is S = 5."""
    part = _after_description(part)
    if part[0].text in _INEQUALITY - {"|"}:
        part = [Token("name", IT), *part]
    kept: list[Token] = []
    for i, token in enumerate(part):
        if token.kind == "word" and token.text in ("is", "are", "equals") and kept and kept[-1].text != "=":
            following = next((t for t in part[i + 1 :] if t.text not in words.NOISE), None)
            if following is not None and following.text not in RELATIONS:
                kept.append(Token("op", "="))
        elif not (token.kind == "word" and token.text in words.NOISE):
            kept.append(token)
    readable = {*words.NUMERALS, *words.UNITS, *(("or", "and") if any(t.text == "≡" for t in kept) else ())}
    if any(t.text in words.NUMERALS for t in kept) and any(
        t.text in ("such", "exists", "exist") for t in part
    ):
        raise Unreadable("one such thing is not the number one")
    unknown = next((t.text for t in kept if t.kind == "word" and t.text not in readable), None)
    if unknown is not None:
        raise Unreadable(f"the word {unknown!r} is not known")
    return parse(kept)


def _after_description(part: Sequence[Token]) -> Sequence[Token]:
    """ "Dany's number is 300" -> 300: unknown words before "is" say what was asked for."""
    last = max(
        (i for i, t in enumerate(part) if t.kind == "word" and t.text in ("is", "are", "equals", "be")),
        default=0,
    )
    before, after = part[:last], part[last + 1 :]
    if not after or any(t.text in words.NEGATIONS or t.text in RELATIONS for t in part):
        return part
    described = any(t.kind == "word" and t.text not in words.NOISE for t in before)
    return after if described else part
