"""What limits a letter: "n >= 2", "even", "a multiple of 4", "a prime p = 1 (mod 4)", read and evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.answers.lexicon.latex import CLOSE, OPEN
from lm_eval_ext.grading.answers.lexing.lexer import Token
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
)

IT = "it"
"""The letter for what has no name: "all even numbers"."""
_PHRASES = sorted([*english.RELATIVE, *english.NOUNS, *english.EXCEPT], key=len, reverse=True)


def starts_with(tokens: Sequence[Token], phrase: tuple[str, ...]) -> bool:
    return len(tokens) >= len(phrase) and all(
        t.text.lower() == w for t, w in zip(tokens, phrase, strict=False)
    )


def read_conditions(tokens: Sequence[Token]) -> tuple[Node, list[Condition]]:
    """(subject, conditions) of "odd integers n >= 3", "n is not divisible by 4", "c any real constant".

    Raises Unreadable for words that are not known.
    """
    return _Reader(tokens).run()


class _Reader:
    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = list(tokens)
        self.position = 0
        self.subjects: list[Node] = []
        self.found: list[Condition] = []
        self.pending: list[tuple[str, tuple[Node, ...], bool]] = []

    def run(self) -> tuple[Node, list[Condition]]:
        holds = True
        while self.position < len(self.tokens):
            rest = self.tokens[self.position :]
            token = rest[0]
            phrase = next((p for p in _PHRASES if starts_with(rest, p)), None)
            if phrase is not None:
                self.position += len(phrase)
                self._phrase(phrase, holds)
                holds = True
            elif token.kind != "word" and token.text not in (",", ";", "newline"):
                self._mathematics()
            elif token.text in english.PROPERTIES:
                self.pending.append((english.PROPERTIES[token.text], (), holds))
                self.position, holds = self.position + 1, True
            elif token.text in ("not", "isn't", "aren't"):
                self.position, holds = self.position + 1, False
            elif token.text in english.NOISE or token.text in (
                "and",
                "where",
                "with",
                "for",
                ",",
                ";",
                "newline",
                "if",
            ):
                self.position += 1
            elif [t.text for t in self.tokens[max(0, self.position - 2) : self.position]] == ["number", "of"]:
                self.position += 1  # what is counted: "an odd number of vertices"
            else:
                raise Unreadable(f"the word {token.text!r} is not known")
        if not holds:
            raise Unreadable("not what?")
        subject = self.subjects[0] if self.subjects else Symbol(IT)
        for name, args, positive in self.pending:
            for each in self.subjects or [subject]:
                self.found.append(Property(name, each, args, positive))
        return subject, self.found

    def _phrase(self, phrase: tuple[str, ...], holds: bool) -> None:
        if phrase in english.NOUNS:
            self.pending.append((english.NOUNS[phrase], (), holds))
        elif phrase in english.EXCEPT:
            self._exceptions()
        else:
            args = [self._operand()]
            name = english.RELATIVE[phrase]
            while name == "≡" and self._accept(",", "or", "and"):
                args.append(self._operand())
            if name == "≡":
                if not (
                    self.position < len(self.tokens) and self.tokens[self.position].text in ("modulo", "mod")
                ):
                    raise Unreadable("congruent modulo what?")
                self.position += 1
                args.append(self._operand())
            self.pending.append((name, tuple(args), holds))

    def _accept(self, *texts: str) -> bool:
        found = self.position < len(self.tokens) and self.tokens[self.position].text in texts
        self.position += found
        return found

    def _run_end(self, stop: tuple[str, ...] = ()) -> int:
        depth, end = 0, self.position
        while end < len(self.tokens):
            token = self.tokens[end]
            depth += (token.text in OPEN) - (token.text in CLOSE)
            if depth == 0 and (
                (token.kind == "word" and token.text not in english.NUMERALS)
                or token.text in (*stop, ";", "newline")
            ):
                break
            end += 1
        return end

    def _operand(self) -> Node:
        while self.position < len(self.tokens) and self.tokens[self.position].text in (
            "a",
            "an",
            "the",
            "prime",
        ):
            if self.tokens[self.position].text == "prime":
                raise Unreadable("an unnamed prime")
            self.position += 1
        end = self._run_end((",",))
        node = parse(self.tokens[self.position : end])
        self.position = end
        return node

    def _exceptions(self) -> None:
        """Values, or equations for values, up to the end: "except 1 and 3", "except n = 3"."""
        while self.position < len(self.tokens):
            if self.tokens[self.position].text in (",", "and", "or", "for", "newline"):
                self.position += 1
                continue
            node = self._operand()
            value = node.terms[-1] if isinstance(node, Relation) and node.signs == ("=",) else node
            if isinstance(value, Relation):
                raise Unreadable("an exception that is no value")
            for each in value.items if isinstance(value, Group) and value.open == "{" else (value,):
                self.pending.append(("!=", (each,), True))

    def _mathematics(self) -> None:
        end = self._run_end()
        run = self.tokens[self.position : end]
        while run and run[-1].text == ",":
            run.pop()
        self.position = end
        if run[0].text in ("<", ">", "<=", ">=", "!=", "=", "≡", "≢", "in", "notin"):  # "integers >= 2"
            node = parse([Token("name", IT), *run])
            assert isinstance(node, Relation)
            subject = self.subjects[0] if self.subjects else Symbol(IT)
            self.found.append(Relation((subject, *node.terms[1:]), node.signs))
            return
        for piece in _split_commas(run):
            self._piece(piece)

    def _piece(self, run: list[Token]) -> None:
        node = parse(run)
        if isinstance(node, Relation):
            self.found.append(node)
            if not self.subjects:
                self.subjects.append(next((t for t in node.terms if isinstance(t, Symbol)), node.terms[0]))
        elif isinstance(node, (Symbol, Call, Quantity)):
            self.subjects.append(node)
        elif isinstance(node, Group) and all(isinstance(i, Symbol) for i in node.items):
            self.subjects.extend(node.items)
        else:
            raise Unreadable("a value where a condition is expected")


def _split_commas(run: list[Token]) -> list[list[Token]]:
    """At commas outside brackets; "x, y in R" stays whole letters: each is read on its own."""
    pieces: list[list[Token]] = [[]]
    depth = 0
    residues = any(t.text in ("≡", "≢") for t in run)
    for token in run:
        depth += (token.text in OPEN) - (token.text in CLOSE)
        if token.text == "," and depth == 0 and not residues:
            pieces.append([])
        else:
            pieces[-1].append(token)
    return [p for p in pieces if p]


def declared(conditions: Iterable[Condition]) -> set[str]:
    """Letters that some condition is about."""
    found: set[str] = set()
    for condition in conditions:
        nodes = (condition.subject,) if isinstance(condition, Property) else condition.terms
        if isinstance(condition, Relation) and condition.signs[-1] in ("in", "notin"):
            nodes = nodes[:-1]
        found |= {n.name for n in nodes if isinstance(n, Symbol)}
    return found


_DOMAIN_WORDS = frozenset(
    "positive nonnegative natural integer real rational complex nonzero negative".split()
)


def is_domain(condition: Condition) -> bool:
    """Whether it only says over which numbers a letter runs: "real", "positive", "x > 0", "x in Z"."""
    if isinstance(condition, Property):
        return condition.name in _DOMAIN_WORDS and condition.holds
    if condition.signs == ("in",):
        return isinstance(condition.terms[1], Symbol) or condition.terms[1] == Group(
            "(", ")", (number(0), Call("oo", ()))
        )
    return condition.signs in ((">",), (">=",), ("!=",)) and condition.terms[1] == number(0)
