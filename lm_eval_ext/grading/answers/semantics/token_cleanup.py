"""What a clause says once the words around it are removed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lm_eval_ext.grading.answers.errors import Unreadable
from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.answers.lexicon.units import UNITS
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.semantics.conditions import IT, read_conditions
from lm_eval_ext.grading.answers.semantics.phrases import (
    INEQUALITIES,
    by_first_word,
    closing,
    find,
    has,
    has_word,
    outside_brackets,
    phrase_at,
    starts_with,
    texts,
    trimmed,
)
from lm_eval_ext.grading.answers.syntax.grammar import parse
from lm_eval_ext.grading.answers.syntax.nodes import Node, Quantity
from lm_eval_ext.grading.answers.syntax.relations import RELATIONS

_VERBS = ("is", "are", "equals", "equal", "be")
_OPEN_SET = ("{", "\\{")


def clean(tokens: Sequence[Token]) -> tuple[list[Token], str, str]:
    """(what a clause says, the reorderings that are meant, its label "maximum" or "minimum")."""
    part, order = _split_order(trimmed(tokens))
    part, label = _split_label(without_noise(_without_kind(_after_form(part))))
    return part if label else _after_description(part), order, label


def _split_order(part: list[Token]) -> tuple[list[Token], str]:
    """Without "(and) (cyclic) permutations (of)", and which reorderings are meant."""
    at = next((i for i, t in enumerate(part) if t.text.startswith("permutation")), None)
    if at is None:
        return part, ""
    cyclic = at > 0 and part[at - 1].text == "cyclic"
    rest = part[: at - cyclic] + part[at + 1 :]
    return [
        t for t in rest if t.text not in ("up", "of", "to", "all", "their", "these")
    ], "cyclic" if cyclic else "permutations"


def _after_form(part: list[Token]) -> list[Token]:
    """ "all y of the form y = 2k" -> y = 2k."""
    for i in range(len(part)):
        if starts_with(part[i:], ("of", "the", "form")):
            if has(part[:i], english.NEGATIONS):
                raise Unreadable("a negated form")
            if _is_of_numbers(part, i):
                return part
            return part[i + 3 :]
    return part


def _is_of_numbers(part: list[Token], form: int) -> bool:
    """Whether it is "primes of the form 4k + 1", which has to be read as a condition, if it is to be read."""
    if not has(part[:form], _NUMBERS):
        return False
    try:
        read_conditions(part)
    except Unreadable:
        if has(part[:form], english.PROPERTIES.keys() - english.DOMAINS):
            raise
        return False
    return True


_NUMBERS = english.PROPERTIES.keys() | {"number", "numbers", "n", "m"}
_KINDS = frozenset([*english.PROPERTIES, "number", "numbers", "of", "ordered", "distinct", "all", "the"])


def _without_kind(part: list[Token]) -> list[Token]:
    """Without "integer" in "integer solutions" and "of positive integers" in "pairs of positive integers"."""
    start = next((i for i, t in enumerate(part) if t.text in english.SOLUTIONS and t.kind == "word"), None)
    if start is None:
        return part
    end = start + 1
    while start > 0 and (part[start - 1].text in _KINDS or part[start - 1].text in english.NUMERALS):
        start -= 1
    if texts(part[end : end + 1]) == ["of"]:
        end = next((i for i in range(end, len(part)) if part[i].text not in _KINDS), len(part))
    return part[:start] + part[end:] if end < len(part) else part


def without_noise(part: Sequence[Token]) -> list[Token]:
    start, end = 0, len(part)
    while start < end and _is_noise(part[start]) and part[start].text not in english.LABELS:
        start += 1
    while start < end and (_is_noise(part[end - 1]) or part[end - 1].text in (",", ":", "=")):
        if end - start > 1 and part[end - 2].kind == "word" and part[end - 2].text not in english.KNOWN:
            break  # "15 lucky sequences"
        end -= 1
    return list(part[start:end])


def _is_noise(token: Token) -> bool:
    return token.kind == "word" and token.text in english.NOISE


def _split_label(part: list[Token]) -> tuple[list[Token], str]:
    """ "the maximum value of S is 5" -> 5, "maximum"."""
    if not part or part[0].text not in english.LABELS or part[0].kind not in ("word", "func"):
        return part, ""
    if part[0].kind == "func" and has(part[1:2], ("(", *_OPEN_SET)):
        return part, ""
    rest = part[1:]
    verbs = [i for i, t in outside_brackets(rest) if t.text in ("is", "are", "=", ":")]
    if len(verbs) > 1 and rest[verbs[-2]].text == ":" and has(rest[verbs[-2] + 2 : verbs[-2] + 3], ("(",)):
        return without_noise(rest[verbs[-2] + 1 :]), ""  # "the minimum f(n): f(5) = 10"
    return without_noise(rest[verbs[-1] + 1 :] if verbs else rest), english.LABELS[part[0].text]


_DESCRIBING = by_first_word((*english.RELATIVE, *english.NOUNS))


def is_noun_phrase(part: Sequence[Token]) -> bool:
    if part[0].kind == "num" and _split_counted(part)[1]:
        return False
    if any(t.text in english.PROPERTIES and t.kind == "word" for t in part):
        return True
    if any(starts_with(part[i:], ("of", "the", "form")) for i in range(len(part))):
        return True
    return any(phrase_at(part[i:], _DESCRIBING) for i in range(len(part)))


SetParts = tuple[Sequence[Token], Sequence[Token], Sequence[Token]]
"""(names, value, conditions) of a set."""


def built_sets(part: Sequence[Token]) -> list[SetParts] | None:
    """Each set of "(m, n) in {(t, 2t) : t > 0} or {...}"; None where there is none with conditions."""
    start = 0 if part[0].text in _OPEN_SET else find(part, ("in", "=")) + 1
    names = part[: max(start - 1, 0)]
    found: list[SetParts] = []
    position = start
    while has(part[position : position + 1], _OPEN_SET):
        end = closing(part, position)
        bar = _bar(part, position + 1, end)
        if bar is None:
            found.append((names, part[position : end + 1], []))
        else:
            found.append((names, part[position + 1 : bar], part[bar + 1 : end]))
        position = end + 1
        position += has(part[position : position + 1], ("∪", "U", "or"))
    return found if position == len(part) and any(conditions for *_, conditions in found) else None


def _bar(part: Sequence[Token], start: int, end: int) -> int | None:
    bars = (i for i, t in outside_brackets(part, start, end) if t.text in ("|", ":"))
    return next((i for i in bars if i > start), None)


def parse_clause(part: Sequence[Token]) -> Node:
    """The mathematics of a clause; words that add nothing are left out, and "S is 5" is S = 5."""
    part, counted = _split_counted(_after_description(part))
    if part[0].text in INEQUALITIES - {"|"}:
        part = [Token("name", IT), *part]
    kept = _essential(part)
    if has(kept, english.NUMERALS) and has(part, ("such", "exists", "exist")):
        raise Unreadable("one such thing is not the number one")
    readable = {*english.NUMERALS, *UNITS, "mod", "modulo"}
    if has(kept, ("≡", "≢")):
        readable |= {"or", "and"}
    unknown = next((t.text for t in kept if t.kind == "word" and t.text not in readable), None)
    if unknown is not None:
        raise Unreadable(f"the word {unknown!r} is not known")
    node = parse(kept)
    return Quantity(node, counted) if counted else node


def _essential(part: Sequence[Token]) -> list[Token]:
    """Without noise, and with "=" in place of "is"."""
    kept: list[Token] = []
    for i, token in enumerate(part):
        is_verb = token.kind == "word" and token.text in (*_VERBS, "being")
        if is_verb and kept and kept[-1].text != "=":
            following = next((t for t in part[i + 1 :] if t.text not in english.NOISE), None)
            if following is not None and following.text not in RELATIONS:
                kept.append(Token("op", "="))
        elif not _is_noise(token):
            kept.append(token)
    return kept


_NOUN = re.compile(
    r"(?!.*ths$|halves|thirds|quarters|.*(?:hundreds|thousands|illions|dozens)$)[a-z]{3,}s|[a-z]*men|children|people"
)
"""A plural: what can be counted, and no part or multiple of a number."""
_MEANINGFUL = english.KNOWN - english.PROPERTIES.keys() - english.NOISE - {"words", "number", "possible"}
_NUMBER_WORDS = {*english.NUMERALS, *UNITS}


def _split_counted(part: Sequence[Token]) -> tuple[Sequence[Token], str]:
    """ "10 edges" -> 10, "edges": the counted things follow the number, as a unit does."""
    end = len(part)
    while end and part[end - 1].kind == "word" and part[end - 1].text not in _NUMBER_WORDS:
        end -= 1
    said = texts(part[end:])
    if not 0 < end < len(part) or has_word(part[:end]) or has(part[:end], RELATIONS):
        return part, ""
    counts = (
        said[0] in ("of", "number")
        or said[-1] == "of"
        or _NOUN.fullmatch(said[0])
        or _NOUN.fullmatch(said[-1])
    )
    says_more = english.NEGATIONS & set(said) or (said[0] != "of" and _MEANINGFUL & set(said))
    return (part[:end], " ".join(said)) if counts and not says_more else (part, "")


def _after_description(part: Sequence[Token]) -> list[Token]:
    """ "Dany's number is 300", "the integers are 1" -> 300, 1: the text before "is" repeats the question."""
    if has(part, english.NEGATIONS):
        return list(part)
    for verb in reversed([i for i, t in enumerate(part) if t.kind == "word" and t.text in _VERBS]):
        after = [t for t in part[verb + 1 :] if t.text not in ("the", "exactly", "just", "only")]
        if after and after[0].kind != "word" and _is_description(part[:verb], part):
            return after
    return list(part)


def _is_description(before: Sequence[Token], part: Sequence[Token]) -> bool:
    counted = before and before[-1].kind == "word" and any(t.kind == "num" for t in before)  # "25 numbers is"
    described = counted or any(t.kind == "word" and t.text not in english.NOISE for t in before)
    wordy = all(t.kind in ("word", "num") for t in before)
    return bool(described) and not has(before, RELATIONS) and (wordy or not is_noun_phrase(part))
