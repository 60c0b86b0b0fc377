"""What limits a letter: "n >= 2", "even", "a multiple of 4", "a prime p = 1 (mod 4)"."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from fractions import Fraction

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.numeric.evaluate import Evaluator
from lm_eval_ext.grading.answers.semantics.phrases import (
    Phrase,
    by_first_word,
    has,
    outside_brackets,
    phrase_at,
    split,
    texts,
)
from lm_eval_ext.grading.answers.syntax.grammar import parse
from lm_eval_ext.grading.answers.syntax.nodes import (
    Call,
    Condition,
    Group,
    Node,
    Property,
    Quantity,
    Relation,
    Symbol,
    number,
    symbols,
)
from lm_eval_ext.grading.answers.syntax.relations import RELATIONS

IT = "it"
"""The letter for what has no name: "all even numbers"."""
_PHRASES = by_first_word((*english.RELATIVE, *english.NOUNS, *english.EXCEPT))
_SEPARATORS = frozenset([",", ";", "newline"])
_SKIPPED = english.NOISE | _SEPARATORS | {"and", "where", "with", "for", "if"}


def read_conditions(tokens: Sequence[Token]) -> tuple[Node, list[Condition]]:
    """(subject, conditions) of "odd integers n >= 3", "n is not divisible by 4", "c any real constant".

    Raises Unreadable for words that are not known.
    """
    return _ConditionReader(tokens).read()


class _ConditionReader:
    """Reads tokens from left to right: letters become subjects, words properties of all of them."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = list(tokens)
        self.position = 0
        self.negated = False
        self.offset = 0  # 1 behind "one less than"
        self.subjects: list[Node] = []
        self.relations: list[Condition] = []
        self.properties: list[tuple[str, tuple[Node, ...], bool, int]] = []

    def read(self) -> tuple[Node, list[Condition]]:
        while self.position < len(self.tokens):
            self._step()
        if self.negated or self.offset:
            raise Unreadable("not what?")
        subjects = self.subjects or [Symbol(IT)]
        said = [
            Property(n, Call("add", (s, number(more))) if more else s, args, holds)
            for n, args, holds, more in self.properties
            for s in subjects
        ]
        return subjects[0], [*self.relations, *said]

    def _step(self) -> None:
        token = self.tokens[self.position]
        next_to = _NEXT_TO.get(tuple(texts(self.tokens[self.position : self.position + 3])), 0)
        if next_to:
            self.position += 3
            self.offset = next_to
        elif self._forms():
            pass
        elif phrase := phrase_at(self.tokens[self.position :], _PHRASES):
            self.position += len(phrase)
            self._phrase(phrase)
        elif token.kind != "word" and token.text not in _SEPARATORS:
            self._mathematics()
        elif self._accept(english.PROPERTIES):
            self._add(english.PROPERTIES[token.text])
        elif self._accept(("not", "isn't", "aren't")):
            self.negated = True
        elif self._accept(("from",)):
            self._between()
        elif self._accept(("sameparity",)):
            self._add("≡", [self._operand(), number(2)])
        elif not self._accept(_SKIPPED):
            if texts(self.tokens[max(0, self.position - 2) : self.position]) != ["number", "of"]:
                raise Unreadable(f"the word {token.text!r} is not known")
            self.position += 1  # what is counted: "an odd number of vertices"

    def _add(self, name: str, args: Sequence[Node] = ()) -> None:
        self.properties.append((name, tuple(args), not self.negated, self.offset))
        self.negated, self.offset = False, 0

    def _phrase(self, phrase: Phrase) -> None:
        if phrase in english.NOUNS:
            self._add(english.NOUNS[phrase])
        elif phrase in english.EXCEPT:
            self.negated = False
            self._exceptions()
        elif english.RELATIVE[phrase] == "≡":
            self._add("≡", self._residues())
        else:
            self._add(english.RELATIVE[phrase], [self._operand()])

    def _forms(self) -> bool:
        """ "primes of the form 4k + 1": the residue of a formula that is linear in one letter."""
        if texts(self.tokens[self.position : self.position + 3]) != ["of", "the", "form"]:
            return False
        self.position += 3
        forms = [_residue(self._operand())]
        while self._accept((",", "or", "and")):
            forms.append(_residue(self._operand()))
        if len({modulus for _, modulus in forms}) > 1:
            raise Unreadable("forms with several moduli")
        self._add("≡", [*(number(residue) for residue, _ in forms), number(forms[0][1])])
        return True

    def _between(self) -> None:
        """ "from 0 to N - 2": both ends belong."""
        low = self._operand()
        if not self._accept(("to",)):
            raise Unreadable("from where to where?")
        subject = self.subjects[0] if self.subjects else Symbol(IT)
        self.relations.append(Relation((low, subject, self._operand()), ("<=", "<=")))

    def _residues(self) -> list[Node]:
        """ "0, 1 or 3 modulo 4": the residues, then the modulus."""
        args = [self._operand()]
        while self._accept((",", "or", "and")):
            args.append(self._operand())
        if not self._accept(("modulo", "mod")):
            raise Unreadable("congruent modulo what?")
        return [*args, self._operand()]

    def _accept(self, wanted: Collection[str]) -> bool:
        found = self.position < len(self.tokens) and self.tokens[self.position].text in wanted
        self.position += found
        return found

    def _take_mathematics(self, *stops: str) -> list[Token]:
        """The tokens up to the next word or separator outside brackets."""
        start = self.position
        self.position = len(self.tokens)
        for i, token in outside_brackets(self.tokens, start):
            is_word = token.kind == "word" and token.text not in english.NUMERALS
            if token.text in ("mod", "modulo") and has(self.tokens[start:i], ("≡", "≢")):
                continue
            if is_word or token.text in (*stops, ";", "newline"):
                self.position = i
                break
        return self.tokens[start : self.position]

    def _operand(self) -> Node:
        while self._accept(("a", "an", "the")):
            pass
        if self._accept(("prime",)):
            raise Unreadable("an unnamed prime")
        return parse(self._take_mathematics(","))

    def _exceptions(self) -> None:
        """Values, or equations for values, up to the end: "except 1 and 3", "except n = 3"."""
        while self.position < len(self.tokens):
            if self._accept((",", "and", "or", "for", "newline")):
                continue
            if self._accept(("those", "numbers", "integers", "ones")):
                continue
            if texts(self.tokens[self.position : self.position + 3]) == ["of", "the", "form"]:
                self.position += 3
            node = self._operand()
            if isinstance(node, Relation) and set(node.signs) & {"<", ">", "<=", ">=", "in"}:
                self.relations.append(node)  # "except 2^k, k >= 0"
                continue
            value = node.terms[-1] if isinstance(node, Relation) and node.signs == ("=",) else node
            if isinstance(value, Relation):
                raise Unreadable("an exception that is no value")
            for each in value.items if isinstance(value, Group) and value.open == "{" else (value,):
                self._add("!=", [each])

    def _mathematics(self) -> None:
        run = self._take_mathematics()
        while run and run[-1].text == ",":
            run.pop()
        if run[0].text in RELATIONS - {"|", "notdivides"}:  # "integers >= 2"
            node = parse([Token("name", IT), *run])
            assert isinstance(node, Relation)
            subject = self.subjects[0] if self.subjects else Symbol(IT)
            self.relations.append(Relation((subject, *node.terms[1:]), node.signs))
            return
        for piece in _split_commas(run):
            self._subject_or_relation(parse(piece))

    def _subject_or_relation(self, node: Node) -> None:
        if isinstance(node, Relation):
            self.relations.append(node)
            if not self.subjects:
                self.subjects.append(next((t for t in node.terms if isinstance(t, Symbol)), node.terms[0]))
        elif isinstance(node, (Symbol, Call, Quantity)):
            self.subjects.append(node)
        elif isinstance(node, Group) and all(isinstance(i, Symbol) for i in node.items):
            self.subjects.extend(node.items)
        else:
            raise Unreadable("a value where a condition is expected")


_NEXT_TO: dict[tuple[str, ...], int] = {("one", "less", "than"): 1, ("one", "more", "than"): -1}
"""What is added to a number that is one less, or one more, than a square."""


def _residue(form: Node) -> tuple[Fraction, Fraction]:
    """(b, a) of ak + b. Raises Unreadable for anything else."""
    form = form.terms[-1] if isinstance(form, Relation) and set(form.signs) == {"="} else form
    letters = symbols(form)
    if len(letters) != 1 or isinstance(form, (Group, Relation)):
        raise Unreadable("a form that is not linear")
    (letter,) = letters
    evaluator = Evaluator()
    low, middle, high = (evaluator.value(form, {letter: Fraction(at)}) for at in (0, 1, 2))
    if not all(isinstance(v, Fraction) and v.denominator == 1 for v in (low, middle, high)):
        raise Unreadable("a form that is not linear")
    assert isinstance(low, Fraction) and isinstance(middle, Fraction)
    if high - middle != middle - low or middle - low < 2:
        raise Unreadable("a form that is not linear")
    return low, middle - low


def _split_commas(run: Sequence[Token]) -> list[Sequence[Token]]:
    """Pieces between commas outside brackets; residues with their modulus are one piece."""
    if any(t.text in ("≡", "≢") for t in run):
        return [run]
    return split(run, [i for i, t in outside_brackets(run) if t.text == ","])


def declared(conditions: Iterable[Condition]) -> set[str]:
    """Letters that some condition is about."""
    found: set[str] = set()
    for condition in conditions:
        nodes = (condition.subject,) if isinstance(condition, Property) else condition.terms
        if isinstance(condition, Relation) and condition.signs[-1] in ("in", "notin"):
            nodes = nodes[:-1]
        found |= {n.name for n in nodes if isinstance(n, Symbol)}
    return found


def is_domain(condition: Condition) -> bool:
    """Whether it only says over which numbers a letter runs: "real", "positive", "x > 0", "x in Z"."""
    if isinstance(condition, Property):
        return condition.name in english.DOMAINS and condition.holds
    limit = condition.terms[1]
    if condition.signs == ("in",):
        return isinstance(limit, Symbol) or limit == Group("(", ")", (number(0), Call("oo", ())))
    return condition.signs in ((">",), (">=",), ("!=",)) and limit == number(0)
