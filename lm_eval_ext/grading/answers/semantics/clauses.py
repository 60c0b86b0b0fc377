"""Cutting an answer into clauses: at separators, at "and" and "or", at "if" and "where"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.answers.lexicon.latex import OPEN
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.semantics.cleanup import INEQUALITY, closing, trimmed
from lm_eval_ext.grading.answers.semantics.conditions import starts_with

_STRONG = frozenset([";", ".", "newline", "\\\\"])


@dataclass
class Clause:
    """`joint`: how it hangs on what went before: ",", ";", "and", "or", "if", "except", "again", "else";
    `word`: the word that says so."""

    joint: str
    tokens: list[Token]
    word: str = ""


def cut(part: Sequence[Token]) -> list[Clause]:
    """Cut at separators and connecting words outside brackets; asides are left out."""
    found = [Clause("", [])]
    position = 0
    protected = _protected(part)
    while position < len(part):
        token, rest = part[position], part[position:]
        if token.text in OPEN:
            end = closing(part, position)
            inner = part[position + 1 : end]
            if token.text == "(" and (joint := _remark(inner, len(found) > 1 or bool(found[-1].tokens))):
                if joint != "aside":
                    remarks = cut(inner)
                    if joint in ("or", "and") and remarks and not remarks[0].joint:
                        remarks[0].joint = joint
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
            if joint == ":":
                _announce(found[-1])
            found.append(Clause(joint, [], token.text))
            position += length
        else:
            found[-1].tokens.append(token)
            position += 1
    return _ranges(_shared([c for c in found if c.tokens or c.joint in ("else", "again")]))


def _ranges(clauses: list[Clause]) -> list[Clause]:
    """ "for k = 1, 2, ..., n" is "for integers 1 <= k <= n"."""
    found: list[Clause] = []
    position = 0
    while position < len(clauses):
        clause, end = clauses[position], position + 1
        while end < len(clauses) and clauses[end].joint == "," and _is_entry(clauses[end].tokens):
            end += 1
        entries = [c.tokens for c in clauses[position + 1 : end]]
        dots = [i for i, e in enumerate(entries) if [t.text for t in e] == ["..."]]
        sign = next((i for i, t in enumerate(clause.tokens) if t.text == "="), None)
        if clause.joint in ("if", "lead") and sign and dots and dots[0] >= len(entries) - 2:
            name, first, last = clause.tokens[:sign], clause.tokens[sign + 1 :], entries[dots[0] + 1 :]
            at_most = [Token("op", "<="), *last[0]] if last else []
            limits = [*first, Token("op", "<="), *name, *at_most]
            found.append(Clause(clause.joint, limits, clause.word))
            found.append(Clause(",", [Token("word", "integer"), *name]))
            position = end
        else:
            found.append(clause)
            position += 1
    return found


def _is_entry(tokens: Sequence[Token]) -> bool:
    return all(t.kind != "word" and t.text not in INEQUALITY | {"="} for t in tokens)


def _shared(clauses: list[Clause]) -> list[Clause]:
    """ "a, b in R" says of a what it says of b."""
    for here, after in zip(reversed(clauses[:-1]), reversed(clauses), strict=False):
        alone = len(here.tokens) == 1 and here.tokens[0].kind == "name"
        if (
            alone
            and after.joint == ","
            and len(after.tokens) > 2
            and after.tokens[1].text in INEQUALITY - {"|", "≡"}
        ):
            here.tokens = here.tokens + after.tokens[1:]
    return clauses


_ANNOUNCING = english.NEGATIONS | {*english.LABELS, "permutation", "permutations"}


def _announce(clause: Clause) -> None:
    """What stands before a colon: "odd n:" is a condition, "maximum:" a label, "two solutions:" nothing."""
    texts = {t.text for t in clause.tokens}
    if clause.joint in ("", ";") and texts & english.PROPERTIES.keys():
        clause.joint = "lead"
    elif all(t.kind == "word" for t in clause.tokens) and not texts & _ANNOUNCING:
        clause.tokens.clear()


def _case_rows(rows: Sequence[Token], found: list[Clause]) -> list[Clause]:
    r"""The rows of a cases environment: value, &, condition, \\."""
    head = found[-1].tokens
    if head and head[-1].text != "=" and not all(t.kind == "word" for t in head):
        raise Unreadable("cases inside an expression")
    head.clear()  # the name in front
    clauses: list[Clause] = []
    row: list[Token] = []
    for token in [*rows, Token("op", "\\\\")]:
        if token.text != "\\\\":
            row.append(token)
            continue
        at = next((i for i, t in enumerate(row) if t.text == "&"), len(row))
        value, condition = trimmed(row[:at]), trimmed(row[at + 1 :])
        if value:
            clauses.append(Clause(";", value))
        if condition:
            clauses += _limiting(cut(condition))
        row = []
    return clauses


def _limiting(inner: list[Clause]) -> list[Clause]:
    """The clauses of a condition that follows what it limits."""
    if inner and inner[0].joint in ("", "lead"):
        inner[0].joint = "if"
    return inner


def _remark(inner: Sequence[Token], after_something: bool) -> str:
    """What a parenthesis is: "again", "if", "else", "aside", or "" for mathematics."""
    if not inner or not after_something:
        return "aside" if inner and inner[0].text in ("i", "including") and len(inner) > 3 else ""
    if inner[0].text == "mod" or (inner[0].kind != "word" and not any(t.kind == "word" for t in inner)):
        relation = any(t.text in INEQUALITY - {"|"} for t in inner)
        return "if" if relation else ""
    if inner[0].text in ("or", "and", "also", "plus", "not", "but"):
        return inner[0].text if inner[0].text in ("or", "and") else ""
    if inner[0].text == "which" or (inner[0].text == "with" and inner[1:2] and inner[1].text == "no"):
        return "aside"
    joint, _ = _joint(inner, False, Clause("", []))
    if joint in ("again", "if", "else", "aside"):
        return joint
    if any(t.text in english.PROPERTIES for t in inner) or any(t.text in INEQUALITY for t in inner):
        return "if"
    says_more = any(t.kind == "num" or t.text == "=" or t.text in english.NEGATIONS for t in inner)
    return "" if inner[0].kind != "word" or inner[0].text in english.NUMERALS or says_more else "aside"


def _protected(part: Sequence[Token]) -> set[int]:
    """Places of separators between ≡ and its modulus: "0 or 3 (mod 4)" is one condition."""
    found: set[int] = set()
    for i, token in enumerate(part):
        if token.text in ("≡", "congruent"):
            stop = ("mod", "modulo")
            end = next((j for j in range(i, min(i + 24, len(part))) if part[j].text in stop), None)
            if end is not None:
                found |= set(range(i, end))
    return found


_IFF = (("if", "and", "only", "if"), ("iff",), ("exactly", "when"), ("precisely", "when"), ("exactly", "if"))
_PHRASES: tuple[tuple[tuple[tuple[str, ...], ...], str], ...] = (
    ((("together", "with"),), ","),
    ((("as", "well", "as"), ("also",)), "and"),
    ((("such", "that"),), "if"),
    (english.OTHERWISE, "else"),
    (english.RESTATEMENT, "again"),
    (english.EXCEPT, "except"),
    (_IFF, "if"),
)


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
    if text == ":" and current.joint == "lead":
        return ":", 1
    if (
        text == ":"
        and current.tokens
        and all(t.kind == "word" or (i == 0 and t.kind == "name") for i, t in enumerate(current.tokens))
    ):
        if any(t.text in english.NEGATIONS for t in current.tokens):
            raise Unreadable("a colon behind a denial")
        return ":", 1
    if rest[0].kind != "word":
        return "", 0
    for phrases, joint in _PHRASES:
        if phrase := next((p for p in phrases if starts_with(rest, p)), None):
            return joint, len(phrase)
    if any(starts_with(rest, p) for p in english.ASIDE):
        return "aside", 1
    if text in ("and", "or"):
        return (text, 1) if not starts_with(rest, ("or", "equal", "to")) else ("", 0)
    if text in english.CASE or text in english.GIVEN:
        return "if", 1
    return ("then", 1) if text in ("then", "iff") else ("", 0)
