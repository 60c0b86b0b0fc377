"""What limits a letter: "n >= 2", "even", "a multiple of 4", "a prime p = 1 (mod 4)", read and evaluated."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

from lm_eval_ext.grading.reading import words
from lm_eval_ext.grading.reading.arithmetic import Undefined, Value, is_less, same, value, whole
from lm_eval_ext.grading.reading.grammar import parse
from lm_eval_ext.grading.reading.lexer import Token
from lm_eval_ext.grading.reading.tree import (
    Call,
    Condition,
    Group,
    Node,
    Num,
    Property,
    Relation,
    Sym,
    Unreadable,
    number,
)

IT = "it"
"""The letter for what has no name: "all even numbers"."""
_PHRASES = sorted([*words.RELATIVE, *words.NOUNS, *words.EXCEPT], key=len, reverse=True)
_MAX_PRIME = 10_000


def starts_with(tokens: Sequence[Token], phrase: tuple[str, ...]) -> bool:
    return len(tokens) >= len(phrase) and all(
        t.text.lower() == w for t, w in zip(tokens, phrase, strict=False)
    )


def read_conditions(tokens: Sequence[Token], subject: Node | None = None) -> tuple[Node, list[Condition]]:
    """(subject, conditions) of "odd integers n >= 3", "n is not divisible by 4", "c any real constant".

    Raises Unreadable for words that are not known.
    """
    return _Reader(tokens, subject).run()


class _Reader:
    def __init__(self, tokens: Sequence[Token], subject: Node | None) -> None:
        self.tokens = list(tokens)
        self.position = 0
        self.subjects: list[Node] = [subject] if subject is not None else []
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
            elif token.text in words.PROPERTIES:
                self.pending.append((words.PROPERTIES[token.text], (), holds))
                self.position, holds = self.position + 1, True
            elif token.text in ("not", "isn't", "aren't"):
                self.position, holds = self.position + 1, False
            elif token.text in words.NOISE or token.text in (
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
            else:
                raise Unreadable(f"the word {token.text!r} is not known")
        if not holds:
            raise Unreadable("not what?")
        subject = self.subjects[0] if self.subjects else Sym(IT)
        for name, args, positive in self.pending:
            for each in self.subjects or [subject]:
                self.found.append(Property(name, each, args, positive))
        return subject, self.found

    def _phrase(self, phrase: tuple[str, ...], holds: bool) -> None:
        if phrase in words.NOUNS:
            self.pending.append((words.NOUNS[phrase], (), holds))
        elif phrase in words.EXCEPT:
            self._exceptions()
        else:
            args = [self._operand()]
            name = words.RELATIVE[phrase]
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
            depth += (token.text in ("(", "[", "{", "\\{")) - (token.text in (")", "]", "}", "\\}"))
            if depth == 0 and (
                (token.kind == "word" and token.text not in words.NUMERALS)
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
            subject = self.subjects[0] if self.subjects else Sym(IT)
            self.found.append(Relation((subject, *node.terms[1:]), node.signs))
            return
        for piece in _split_commas(run):
            self._piece(piece)

    def _piece(self, run: list[Token]) -> None:
        node = parse(run)
        if isinstance(node, Relation):
            self.found.append(node)
            if not self.subjects:
                self.subjects.append(next((t for t in node.terms if isinstance(t, Sym)), node.terms[0]))
        elif isinstance(node, (Sym, Call)) and not isinstance(node, Num):
            self.subjects.append(node)
        elif isinstance(node, Group) and all(isinstance(i, Sym) for i in node.items):
            self.subjects.extend(node.items)
        else:
            raise Unreadable("a value where a condition is expected")


def _split_commas(run: list[Token]) -> list[list[Token]]:
    """At commas outside brackets; "x, y in R" stays whole letters: each is read on its own."""
    pieces: list[list[Token]] = [[]]
    depth = 0
    residues = any(t.text in ("≡", "≢") for t in run)
    for token in run:
        depth += (token.text in ("(", "[", "{", "\\{")) - (token.text in (")", "]", "}", "\\}"))
        if token.text == "," and depth == 0 and not residues:
            pieces.append([])
        else:
            pieces[-1].append(token)
    return [p for p in pieces if p]


# evaluation -----------------------------------------------------------------------------------------------


def holds(condition: Condition, at: Mapping[str, Value]) -> bool:
    """Whether it is true there. Raises Undefined or Unreadable where that cannot be told."""
    if isinstance(condition, Property) and condition.name == "otherwise":
        raise Unreadable("otherwise than what?")
    if isinstance(condition, Property):
        number_ = value(condition.subject, at)
        args = [value(a, at) for a in condition.args]
        return _property(condition.name, number_, args) == condition.holds
    return all(
        _related(sign, a, b, at)
        for sign, a, b in zip(condition.signs, condition.terms, condition.terms[1:], strict=False)
    )


def _related(sign: str, left: Node, right: Node, at: Mapping[str, Value]) -> bool:
    if sign in ("in", "notin"):
        return inside(value(left, at), right, at) == (sign == "in")
    if sign in ("≡", "≢"):
        assert isinstance(right, Call)
        *residues, modulus = [whole(value(a, at)) for a in right.args]
        n = value(left, at)
        if modulus == 0:
            raise Undefined("modulo zero")
        return _is_whole(n) and any((whole(n) - r) % modulus == 0 for r in residues) == (sign == "≡")
    if isinstance(left, (Group, Relation)) or isinstance(right, (Group, Relation)):
        raise Unreadable("a relation between groups")
    a, b = value(left, at), value(right, at)
    if sign in ("|", "notdivides"):
        return (_is_whole(a) and _is_whole(b) and whole(a) != 0 and whole(b) % whole(a) == 0) == (sign == "|")
    return compare_values(sign, a, b)


def compare_values(sign: str, a: Value, b: Value) -> bool:
    """a < b, a <= b, a = b, a != b, a > b, a >= b."""
    if sign in ("=", "!="):
        return same(a, b) == (sign == "=")
    if sign in ("<", ">="):
        return is_less(a, b) == (sign == "<")
    return is_less(b, a) == (sign == ">")


def inside(point: Value, region: Node, at: Mapping[str, Value]) -> bool:
    """Membership in a domain, an interval, a finite set, or a union, intersection, difference of such."""
    if isinstance(region, Sym):
        return _in_domain(region.name, point)
    if isinstance(region, Call) and region.name in ("union", "intersection", "minus"):
        left, right = (inside(point, part, at) for part in region.args)
        return {"union": left or right, "intersection": left and right, "minus": left and not right}[
            region.name
        ]
    if isinstance(region, Group) and region.open == "{":
        return any(same(point, value(item, at)) for item in region.items)
    if isinstance(region, Group) and len(region.items) == 2:
        low, high = (value(item, at) for item in region.items)
        above = is_less(low, point) or (region.open == "[" and same(low, point))
        return above and (is_less(point, high) or (region.close == "]" and same(point, high)))
    raise Unreadable("not a region")


def _in_domain(name: str, point: Value) -> bool:
    limit = name[1:]
    if name[0] not in "RZNQC":
        raise Unreadable(f"{name} is no known set")
    ok = {"": True, ">0": None, ">=0": None, "!=0": None, "<0": None, "<=0": None}.get(limit, False)
    if ok is None and not compare_values(limit[:-1], point, Fraction(0)):
        return False
    return _property(
        {"R": "real", "Z": "integer", "N": "natural", "Q": "rational", "C": "complex"}[name[0]], point, []
    )


def _is_whole(number_: Value) -> bool:
    try:
        whole(number_)
    except Undefined:
        return False
    return True


def _property(name: str, x: Value, args: list[Value]) -> bool:
    if name in ("<", ">", "<=", ">=", "=", "!="):
        return compare_values(name, x, args[0])
    if name in ("complex", "real"):
        return name == "complex" or isinstance(x, Fraction) or x == x.real
    if name in ("positive", "negative", "nonnegative", "nonpositive", "nonzero"):
        sign = {"positive": ">", "negative": "<", "nonnegative": ">=", "nonpositive": "<=", "nonzero": "!="}[
            name
        ]
        return compare_values(sign, x, Fraction(0))
    if name in ("rational", "irrational"):
        return isinstance(x, Fraction) == (name == "rational")
    if not _is_whole(x):
        return False
    n = whole(x)
    if name in _OF_INTEGERS:
        return _OF_INTEGERS[name](n)
    others = [whole(a) for a in args]
    return _RELATIVE[name](n, *others)


def factors(n: int) -> dict[int, int]:
    """Prime factors with exponents. Raises Undefined for what is too large to be factored here."""
    found: dict[int, int] = {}
    p = 2
    while p * p <= n:
        if p > _MAX_PRIME:
            raise Undefined("too large to be factored")
        while n % p == 0:
            found[p] = found.get(p, 0) + 1
            n //= p
        p += 1
    if n > 1:
        found[n] = 1
    return found


def _is_power(n: int, base: int) -> bool:
    while base > 1 and n > 1 and n % base == 0:
        n //= base
    return n == 1


_OF_INTEGERS: dict[str, Callable[[int], bool]] = {
    "integer": lambda n: True,
    "natural": lambda n: n > 0,
    "even": lambda n: n % 2 == 0,
    "odd": lambda n: n % 2 == 1,
    "prime": lambda n: n > 1 and factors(n) == {n: 1},
    "composite": lambda n: n > 3 and factors(n) != {n: 1},
    "squarefree": lambda n: n > 0 and set(factors(n).values()) <= {1},
    "primepower": lambda n: n > 1 and len(factors(n)) == 1,
    "square": lambda n: n >= 0 and math.isqrt(n) ** 2 == n,
    "cube": lambda n: round(abs(n) ** (1 / 3)) ** 3 == abs(n),
    "perfectpower": lambda n: n == 1 or (n > 1 and math.gcd(*factors(n).values()) > 1),
}
_RELATIVE: dict[str, Callable[..., bool]] = {
    "multiple": lambda n, m: m != 0 and n % m == 0,
    "divisor": lambda n, m: n != 0 and m % n == 0,
    "divides": lambda n, m: n != 0 and m % n == 0,
    "power": _is_power,
    "coprime": lambda n, m: math.gcd(n, m) == 1,
    "≡": lambda n, *rest: rest[-1] != 0 and any((n - r) % rest[-1] == 0 for r in rest[:-1]),
}


def all_hold(conditions: Iterable[Condition], at: Mapping[str, Value]) -> bool:
    return all(holds(c, at) for c in conditions)


def declared(conditions: Iterable[Condition]) -> set[str]:
    """Letters that some condition is about."""
    found: set[str] = set()
    for condition in conditions:
        nodes = (condition.subject,) if isinstance(condition, Property) else condition.terms
        if isinstance(condition, Relation) and condition.signs[-1] in ("in", "notin"):
            nodes = nodes[:-1]
        found |= {n.name for n in nodes if isinstance(n, Sym)}
    return found


_DOMAIN_WORDS = frozenset(
    "positive nonnegative natural integer real rational complex nonzero negative".split()
)


def is_domain(condition: Condition) -> bool:
    """Whether it only says over which numbers a letter runs: "real", "positive", "x > 0", "x in Z"."""
    if isinstance(condition, Property):
        return condition.name in _DOMAIN_WORDS and condition.holds
    if condition.signs == ("in",):
        return isinstance(condition.terms[1], Sym) or condition.terms[1] == Group(
            "(", ")", (number(0), Call("oo", ()))
        )
    return condition.signs in ((">",), (">=",), ("!=",)) and condition.terms[1] == number(0)
