"""Cutting an answer into clauses: at separators, at "and" and "or", at "if" and "where"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.answers.lexicon.latex import OPEN
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.semantics.phrases import (
    INEQUALITIES,
    all_words,
    by_first_word,
    closing,
    find,
    has,
    has_word,
    in_steps_of_one,
    phrase_at,
    split,
    starts_with,
    texts,
    trimmed,
)
from lm_eval_ext.grading.answers.syntax.relations import RELATIONS

_STATED = by_first_word(
    [tuple(said.split()) for said in "the answer is;it is;we get;we have;there is;there are".split(";")]
)
_ORDER = frozenset(["<", ">", "<=", ">="])
_STRONG = frozenset([";", ".", "newline", "\\\\"])
_CONNECTIVES = by_first_word(english.CONNECTIVES)


@dataclass
class Clause:
    """Part of an answer that states one thing.

    Attributes:
        joint: how it is joined to the clause before: ",", ";", ":", "and", "or", "then"; "if" for a condition
            on what precedes it, "lead" for one on what follows; "except", "else" (otherwise), "again" (the
            same in other words).
        tokens: what it states.
        word: the word that joins it.
    """

    joint: str
    tokens: list[Token]
    word: str = ""


def cut(part: Sequence[Token]) -> list[Clause]:
    """Cut at separators and connecting words outside brackets; asides are left out."""
    found = [Clause("", [])]
    position = 0
    congruences = _congruences(part)
    while position < len(part):
        if part[position].text in OPEN:
            position = _read_bracket(part, position, found)
        elif part[position].text.startswith("begin cases"):
            end = find(part, ("end cases",), position + 1)
            found += _case_rows(part[position + 1 : end], found[-1].tokens)
            position = end + 1
        elif position in congruences:
            found[-1].tokens.append(part[position])
            position += 1
        else:
            position += _read_token(part[position:], found)
    return _ranges(_shared([c for c in found if c.tokens or c.joint in ("else", "again")]))


def _congruences(part: Sequence[Token]) -> set[int]:
    """Places between ≡ and its modulus, and each "or" of a form: "0 or 3 (mod 4)" is one condition."""
    found: set[int] = set()
    for i, token in enumerate(part):
        if token.text in ("≡", "congruent"):
            near = part[: i + 24]
            end = find(near, ("mod", "modulo"), i)
            found |= set(range(i, end)) if end < len(near) else set()
        elif starts_with(part[i:], ("of", "the", "form")) and not has(part[i:], ("(",)):
            end = next(
                (j for j in range(i + 3, len(part)) if part[j].kind == "word" and part[j].text != "or"),
                len(part),
            )
            found |= {j for j in range(i + 3, end) if part[j].text == "or"}
    return found


def _read_bracket(part: Sequence[Token], start: int, found: list[Clause]) -> int:
    """Add a bracket to the clause, or the clauses of a remark in parentheses; return the place after it."""
    end = closing(part, start)
    inner = part[start + 1 : end]
    follows = len(found) > 1 or bool(found[-1].tokens)
    if part[start].text == "(" and (repeats := _multiplicity(inner)) and follows:
        found += [Clause(",", list(found[-1].tokens)) for _ in range(repeats - 1)]
        return end + 1
    is_event = texts(part[max(start - 1, 0) : start + 1]) == ["P", "("] and not part[start].space
    joint = _joint_of_remark(inner, follows) if part[start].text == "(" and not is_event else ""
    if not joint:
        found[-1].tokens += part[start : end + 1]
    elif joint != "aside":
        remarks = _limiting(cut(inner)) if joint == "if" else cut(inner)
        if joint in ("or", "and") and remarks and not remarks[0].joint:
            remarks[0].joint = joint
        found += [*remarks, Clause(",", [])]
    return end + 1


def _multiplicity(inner: Sequence[Token]) -> int:
    """How often "(multiplicity 2)" or "(double)" says that a value occurs; 0 for another remark."""
    said = [t for t in texts(inner) if t not in ("with", "of", "root")]
    if said[:1] == ["multiplicity"] and len(said) == 2:
        return int(said[1]) if said[1] in "12345" else english.NUMERALS.get(said[1], 0)
    return {"double": 2, "triple": 3}.get(said[0], 0) if len(said) == 1 else 0


def _read_token(rest: Sequence[Token], found: list[Clause]) -> int:
    """Add a token to the clause, or start the next clause; return the number of tokens read."""
    current = found[-1]
    joint, length = _joint(rest, current)
    if joint == "aside":
        return find(rest, _STRONG)
    if not joint:
        current.tokens.append(rest[0])
        return 1
    led = current.joint in ("", ";") or any(c.joint == "lead" for c in found) or _leads(rest)
    if joint == "if" and not current.tokens and led:
        joint = "lead"
    if joint == ":":
        _announce(current)
    found.append(Clause(joint, [], " ".join(texts(rest[:length]))))
    return length


def _leads(rest: Sequence[Token]) -> bool:
    """Whether a "then" follows, before anything else is joined: ", if p = 5 then x = 2"."""
    joined = next((t.text for t in rest[1:] if t.text in _STRONG or t.text in _CONNECTIVES), "")
    return joined == "then"


def _joint(rest: Sequence[Token], current: Clause) -> tuple[str, int]:
    """(joint, number of tokens) if a new clause begins here, else ("", 0)."""
    text, following = rest[0].text, texts(rest[1:2])
    if text in _STRONG:
        return ";", 1 + (text == "newline" and following in (["-"], ["*"]))  # a bullet
    if text in (",", "gap"):
        return (following[0], 2) if following in (["and"], ["or"]) else (",", 1)
    if current.joint in ("lead", "if") and current.tokens and (said := phrase_at(rest, _STATED)):
        return "then", len(said)  # for p = 2 the answer is 1
    if text == ":":
        return _after_colon(following, current)
    phrase = phrase_at(rest, _CONNECTIVES) if rest[0].kind == "word" else None
    return (english.CONNECTIVES[phrase], len(phrase)) if phrase else ("", 0)


def _after_colon(following: list[str], current: Clause) -> tuple[str, int]:
    """What a colon joins, as `_joint`."""
    if following in (["("], ["["]) and has(current.tokens, _ORDER):
        return "again", 1  # -1 < x <= 1: (-1, 1]
    if texts(current.tokens[:1]) == ["lambda"] and following and following[0] in OPEN:
        return ",", 1  # lambda = 3: (1, 1)
    return (":", 1) if _is_announced(current) else ("", 0)


def _is_announced(clause: Clause) -> bool:
    """Whether a colon after the clause makes it an announcement: "odd n:", "the maximum:"; not 1 : 2."""
    if clause.joint == "lead":
        return True
    names = [t for t in clause.tokens if t.kind == "name"]
    if len(clause.tokens) == len(names) > 0 or len(names) > 1:
        return clause.tokens[1:] == []
    if not clause.tokens or not all_words(t for t in clause.tokens if t not in names):
        return False
    if has(clause.tokens, english.NEGATIONS):
        raise Unreadable("a colon after a negation")
    return True


_MEANINGFUL = english.NEGATIONS | {*english.LABELS, "permutation", "permutations"}


def _announce(clause: Clause) -> None:
    """Before a colon, "odd n" is a condition, "maximum" a label, and "two solutions" nothing."""
    if clause.joint in ("", ";") and has(clause.tokens, english.PROPERTIES):
        clause.joint = "lead"
    elif all_words(clause.tokens) and not has(clause.tokens, _MEANINGFUL):
        clause.tokens.clear()


def _case_rows(rows: Sequence[Token], head: list[Token]) -> list[Clause]:
    r"""The rows of a cases environment: value, &, condition, \\; `head`, the name before it, is cleared."""
    if head and head[-1].text != "=" and not all_words(head):
        raise Unreadable("cases inside an expression")
    head.clear()
    clauses: list[Clause] = []
    for row in split(rows, [i for i, t in enumerate(rows) if t.text == "\\\\"]):
        at = find(row, ("&",))
        if texts(row[at + 1 : at + 2]) == ["="]:  # aligned equations: x &= 2
            row, at = [*row[:at], *row[at + 1 :]], len(row) - 1
        value, condition = trimmed(row[:at]), trimmed(row[at + 1 :])
        if value:
            clauses.append(Clause(";", value))
        if condition:
            clauses += _limiting(cut(condition))
    return clauses


def _limiting(clauses: list[Clause]) -> list[Clause]:
    """The clauses of a condition that follows what it limits."""
    if clauses and clauses[0].joint in ("", "lead"):
        clauses[0].joint = "if"
    return clauses


_REMARKS = {"or": "or", "and": "and", "also": "", "plus": "", "not": "", "but": "", "which": "aside"}


def _joint_of_remark(inner: Sequence[Token], follows: bool) -> str:
    """How a parenthesis joins what it follows: a joint of clauses, "aside", or "" for mathematics."""
    first = inner[0].text if inner else ""
    if not inner or not follows:
        return "aside" if first in ("i", "including") and len(inner) > 3 else ""
    if first == "mod" or not has_word(inner):
        return "if" if has(inner, INEQUALITIES - {"|"}) else ""
    if first in _REMARKS:
        return _REMARKS[first]
    if starts_with(inner, ("with", "no")):
        return "aside"
    joint, _ = _joint(inner, Clause("", []))
    if joint in ("again", "if", "else", "aside"):
        return joint
    if has(inner, english.PROPERTIES) or has(inner, INEQUALITIES):
        return "if"
    return "" if _is_essential(inner) else "aside"


def _is_essential(inner: Sequence[Token]) -> bool:
    """Whether leaving out the remark would lose something: a number, an equation, a negation."""
    if inner[0].kind != "word" or inner[0].text in english.NUMERALS:
        return True
    return any(t.kind == "num" or t.text == "=" or t.text in english.NEGATIONS for t in inner)


def _shared(clauses: list[Clause]) -> list[Clause]:
    """ "a, b in R" says of a what it says of b."""
    for here, after in zip(reversed(clauses[:-1]), reversed(clauses), strict=False):
        alone = len(here.tokens) == 1 and here.tokens[0].kind == "name"
        relates = len(after.tokens) > 2 and after.tokens[1].text in (INEQUALITIES | {"are"}) - {"|", "≡"}
        if alone and after.joint == "," and relates:
            here.tokens = here.tokens + after.tokens[1:]
    return clauses


def _ranges(clauses: list[Clause]) -> list[Clause]:
    """ "for k = 1, 2, ..., n" is "for integers 1 <= k <= n", and "k = 0, 1, 2" is "k in {0, 1, 2}"."""
    found: list[Clause] = []
    while clauses:
        clause, *rest = clauses
        listed = next((i for i, c in enumerate(rest) if not _is_entry(c)), len(rest))
        if listed and listed < len(rest) and rest[listed].joint in ("if", "else"):
            listed -= 1  # the 0 of "1 if n = 1, 0 if n > 1"
        sign = find(clause.tokens, ("=",))
        limits = clause.joint in ("if", "lead") or (clause.joint == "," and _is_index(clause, found))
        entries = [c.tokens for c in rest[:listed]] if limits and 0 < sign < len(clause.tokens) else []
        found += _range(clause, sign, entries) if entries else [clause]
        clauses = rest[listed:] if entries and found[-1] is not clause else rest
    return found


def _range(clause: Clause, sign: int, entries: list[list[Token]]) -> list[Clause]:
    name, first = clause.tokens[:sign], clause.tokens[sign + 1 :]
    dots = next((i for i, e in enumerate(entries) if texts(e) == ["..."]), -1)
    joint = "if" if clause.joint == "," else clause.joint
    if dots < 0 and all(t.kind == "num" or t.text == "-" for e in (first, *entries) for t in e):
        members = [Token("op", "\\{"), *first]
        for entry in entries:
            members += [Token("op", ","), *entry]
        return [Clause(joint, [*name, Token("op", "in"), *members, Token("op", "\\}")], clause.word)]
    if max(len(entries) - 2, 0) > dots or not in_steps_of_one([first, *entries[: max(dots, 0)]]):
        return [clause]
    last = entries[dots + 1 :]
    at_most = [Token("op", "<="), *last[0]] if last else []
    return [
        Clause(joint, [*first, Token("op", "<="), *name, *at_most], clause.word),
        Clause(",", [Token("word", "integer"), *name]),
    ]


def _is_index(clause: Clause, before: Sequence[Clause]) -> bool:
    """Whether it is "k = 0" behind a formula in k."""
    name = clause.tokens[0] if clause.tokens else None
    if name is None or name.text not in "ijklmn" or texts(clause.tokens[1:2]) != ["="]:
        return False
    return any(t == replace(name, space=t.space) for c in before for t in c.tokens)


def _is_entry(clause: Clause) -> bool:
    return clause.joint == "," and not has_word(clause.tokens) and not has(clause.tokens, RELATIONS)
