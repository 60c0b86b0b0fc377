"""What a clause says once the words around it are taken off."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.answers.lexicon.latex import CLOSE, OPEN
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.semantics.conditions import IT, starts_with
from lm_eval_ext.grading.answers.syntax.grammar import parse
from lm_eval_ext.grading.answers.syntax.nodes import Node, Quantity
from lm_eval_ext.grading.answers.syntax.relations import RELATIONS

INEQUALITY = RELATIONS - {"="}


def trimmed(part: Sequence[Token]) -> list[Token]:
    part = list(part)
    while part and part[-1].text in (".", ",", ";", "newline", "\\\\", "gap", "and", ":"):
        part.pop()
    while part and part[0].text in (".", ",", ";", "newline", "\\\\", "gap", ":", "="):
        part.pop(0)
    return part


def closing(part: Sequence[Token], start: int) -> int:
    depth = 0
    for i in range(start, len(part)):
        depth += (part[i].text in OPEN) - (part[i].text in CLOSE)
        if depth == 0:
            return i
    raise Unreadable("brackets that do not close")


def order_of(part: list[Token]) -> tuple[list[Token], str]:
    """Without "(and) (cyclic) permutations (of)", and which reorderings are meant."""
    at = next((i for i, t in enumerate(part) if t.text.startswith("permutation")), None)
    if at is None:
        return part, ""
    order = "cyclic" if at and part[at - 1].text == "cyclic" else "permutations"
    rest = [t for i, t in enumerate(part) if i != at and not (i == at - 1 and t.text == "cyclic")]
    return [t for t in rest if t.text not in ("up", "of", "to", "all")], order


def after_form(part: list[Token]) -> list[Token]:
    """ "all y of the form y = 2k" -> y = 2k."""
    at = next((i for i in range(len(part)) if starts_with(part[i:], ("of", "the", "form"))), None)
    if at is not None and any(t.text in english.NEGATIONS for t in part[:at]):
        raise Unreadable("what is not of a form")
    return part if at is None else part[at + 3 :]


_KINDS = frozenset([*english.PROPERTIES, "number", "numbers", "of", "ordered", "distinct", "all", "the"])


def without_kind(part: Sequence[Token]) -> list[Token]:
    """Without "integer" in "integer solutions" and "of positive integers" in "pairs of positive integers"."""
    part = list(part)
    at = next((i for i, t in enumerate(part) if t.text in english.SOLUTIONS and t.kind == "word"), None)
    if at is None:
        return part
    start, end = at, at + 1
    while start > 0 and (part[start - 1].text in _KINDS or part[start - 1].text in english.NUMERALS):
        start -= 1
    if end < len(part) and part[end].text == "of":
        while end < len(part) and part[end].text in _KINDS:
            end += 1
    return part[:start] + part[end:] if end < len(part) else part


def without_noise(part: Sequence[Token]) -> list[Token]:
    part = list(part)
    while (
        part
        and part[0].kind == "word"
        and part[0].text in english.NOISE
        and part[0].text not in english.LABELS
    ):
        part.pop(0)
    while part and (
        (part[-1].kind == "word" and part[-1].text in english.NOISE) or part[-1].text in (",", ":", "=")
    ):
        part.pop()
    return part


def labelled(part: list[Token]) -> tuple[list[Token], str]:
    """ "the maximum value of S is 5" -> 5, "maximum"."""
    if not part or part[0].text not in english.LABELS or part[0].kind not in ("word", "func"):
        return part, ""
    if part[0].kind == "func" and len(part) > 1 and part[1].text in ("(", "{", "\\{"):
        return part, ""
    label = english.LABELS[part[0].text]
    rest = part[1:]
    depth, start = 0, 0
    for i, token in enumerate(rest, 1):
        depth += (token.text in OPEN) - (token.text in CLOSE)
        if depth == 0 and token.text in ("is", "are", "=", ":"):  # not that of a sum from k = 1
            start = i
    return without_noise(rest[start:]), label


def is_noun_phrase(part: Sequence[Token]) -> bool:
    if part[0].kind == "num" and _without_counted(part)[1]:
        return False
    if any(t.text in english.PROPERTIES and t.kind == "word" for t in part):
        return True
    return any(
        starts_with(part[i:], p) for i, t in enumerate(part) for p in _DESCRIBING.get(t.text.lower(), ())
    )


_DESCRIBING = {
    first: [p for p in (*english.RELATIVE, *english.NOUNS) if p[0] == first]
    for first in {p[0] for p in (*english.RELATIVE, *english.NOUNS)}
}
"""By their first english."""


Built = tuple[Sequence[Token], Sequence[Token], Sequence[Token]]


def built_sets(part: Sequence[Token]) -> list[Built] | None:
    """(names, value, conditions) of each set in "(m, n) in {(t, 2t) : t > 0} or {...}"; None without one."""
    at = next((i for i, t in enumerate(part) if t.text in ("in", "=")), None)
    start = 0 if part[0].text in ("{", "\\{") else None if at is None else at + 1
    found: list[Built] = []
    position = start
    while position is not None and position < len(part) and part[position].text in ("{", "\\{"):
        end = closing(part, position)
        bar = _bar(part, position + 1, end)
        if bar is None:
            found.append((part[: at or 0] if start else [], part[position : end + 1], []))
        else:
            found.append((part[: at or 0] if start else [], part[position + 1 : bar], part[bar + 1 : end]))
        position = end + 1
        if position < len(part) and part[position].text in ("∪", "U", "or"):
            position += 1
    return found if position == len(part) and any(conditions for _, _, conditions in found) else None


def _bar(part: Sequence[Token], start: int, end: int) -> int | None:
    depth = 0
    for i in range(start, end):
        depth += (part[i].text in OPEN) - (part[i].text in CLOSE)
        if depth == 0 and part[i].text in ("|", ":") and i > start:
            return i
    return None


def parsed(part: Sequence[Token]) -> Node:
    """The mathematics of a clause; words that add nothing are left out, and "S is 5" is S = 5."""
    part, counted = _without_counted(after_description(part))
    if part[0].text in INEQUALITY - {"|"}:
        part = [Token("name", IT), *part]
    kept: list[Token] = []
    for i, token in enumerate(part):
        if (
            token.kind == "word"
            and token.text in ("is", "are", "equals", "being", "be")
            and kept
            and kept[-1].text != "="
        ):
            following = next((t for t in part[i + 1 :] if t.text not in english.NOISE), None)
            if following is not None and following.text not in RELATIONS:
                kept.append(Token("op", "="))
        elif not (token.kind == "word" and token.text in english.NOISE):
            kept.append(token)
    readable = {*english.NUMERALS, *english.UNITS, "mod", "modulo"}
    if any(t.text in ("≡", "≢") for t in kept):
        readable |= {"or", "and"}
    if any(t.text in english.NUMERALS for t in kept) and any(
        t.text in ("such", "exists", "exist") for t in part
    ):
        raise Unreadable("one such thing is not the number one")
    unknown = next((t.text for t in kept if t.kind == "word" and t.text not in readable), None)
    if unknown is not None:
        raise Unreadable(f"the word {unknown!r} is not known")
    return Quantity(parse(kept), counted) if counted else parse(kept)


_NOUN = re.compile(
    r"(?!.*ths$|halves|thirds|quarters|.*(?:hundreds|thousands|illions|dozens)$)[a-z]{3,}s|[a-z]*men|children|people"
)
"""A plural: what can be counted, and no part or multiple of a number."""


def _without_counted(part: Sequence[Token]) -> tuple[Sequence[Token], str]:
    """ "10 edges" -> 10, "edges": what is counted stands behind the number, as a unit does."""
    end = len(part)
    while (
        end and part[end - 1].kind == "word" and part[end - 1].text not in {*english.NUMERALS, *english.UNITS}
    ):
        end -= 1
    said = [t.text for t in part[end:]]
    if not (0 < end < len(part)) or any(t.kind == "word" or t.text in RELATIONS for t in part[:end]):
        return part, ""
    if english.NEGATIONS & set(said) or not any(w == "of" or _NOUN.fullmatch(w) for w in (said[0], said[-1])):
        return part, ""
    telling = english.KNOWN - english.PROPERTIES.keys() - english.NOISE
    if said[0] != "of" and telling & set(said):
        return part, ""
    return part[:end], " ".join(said)


def after_description(part: Sequence[Token]) -> list[Token]:
    """ "Dany's number is 300", "the integers are 1" -> 300, 1: what stands before "is" was asked for."""
    part = list(part)
    verbs = [i for i, t in enumerate(part) if t.kind == "word" and t.text in ("is", "are", "equals", "be")]
    for last in reversed(verbs):
        before, after = (
            part[:last],
            [t for t in part[last + 1 :] if t.text not in ("the", "exactly", "just", "only")],
        )
        if any(t.text in english.NEGATIONS for t in part) or any(t.text in RELATIONS for t in before):
            continue
        described = any(t.kind == "word" and t.text not in english.NOISE for t in before)
        wordy = all(t.kind in ("word", "num") for t in before)
        if after and described and (wordy or not is_noun_phrase(part)) and after[0].kind != "word":
            return after
    return part
