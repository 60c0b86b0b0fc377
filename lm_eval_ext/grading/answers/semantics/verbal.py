"""Answers that are decisions: yes, no, no solution, a letter of choice, who wins."""

from __future__ import annotations

from collections.abc import Sequence

from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.answers.lexicon.latex import OPEN
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.semantics.claims import Answer
from lm_eval_ext.grading.answers.semantics.cleanup import INEQUALITY, closing
from lm_eval_ext.grading.answers.semantics.conditions import starts_with

_BOUNDARY = frozenset([",", ";", ".", ":", "newline", "-", "("])


_DECIDED = {"yes": "yes", "true": "yes", "no": "no", "false": "no"}


def as_word(part: Sequence[Token]) -> Answer | None:
    """Yes and no with whatever explains them; that there is no solution.

    A decision with a condition ("yes if n is even", "none except 3") is none of these.
    """
    texts = [t.text for t in part]
    if texts[0] in _DECIDED and (texts[0] != "no" or _stands_alone(texts, 0)):
        return None if _is_hedged(texts) else Answer(word=_DECIDED[texts[0]])
    sentence = _first_sentence(part)
    if _is_limited(sentence) or (len(sentence) + 1 < len(part) and part[len(sentence) + 1].text in LIMITS):
        return None
    if texts[0] == "such" and sentence[-1].text in ("exist", "exists"):
        return Answer(word="yes")  # "such a function exists"
    return _denial(sentence)


def _denial(sentence: Sequence[Token]) -> Answer | None:
    """ "none", "no solutions", "there is no such function", "impossible"."""
    start = next((i for i, t in enumerate(sentence) if t.text not in english.NOISE), len(sentence))
    first = [t for t in sentence if t.text not in english.NOISE]
    if not first or first[0].kind != "word":
        return None
    said = [t.text for t in sentence]
    absence = "absent" if {"exist", "exists", "such"} & set(said) else "none"
    if first[0].text == "no":
        return Answer(word=absence) if _denies(sentence[start + 1 :]) else None
    for phrases, word in ((english.NO, "no"), (english.YES, "yes"), (english.NONE, absence)):
        if any(starts_with(first, p) for p in phrases if len(p) > 1 or sentence[-1] is first[0]):
            return Answer(word=word)
    denied = any(
        p == tuple(said[i : i + len(p)]) for p in english.NONE if len(p) > 1 for i in range(len(said))
    )
    return Answer(word=absence) if denied and not any(t.kind == "num" for t in first) else None


LIMITS = frozenset(
    "if when only except unless but iff provided or other greater less more fewer besides larger "
    "smaller and".split()
)
_TOTAL = frozenset("all any every each which example instance".split())
_DOMAINS = frozenset("positive real integer integers natural reals naturals numbers number".split())


def _stands_alone(texts: Sequence[str], at: int) -> bool:
    """Whether the "no" there is a decision, not that of "no such number"."""
    following = texts[at + 1] if at + 1 < len(texts) else ","
    return not following.isalpha() or following in _LINKS


_LINKS = frozenset(
    "for to in at on with it this that they he she we newline gap is if when only except unless "
    "but iff provided or and".split()
)


def _is_hedged(texts: Sequence[str]) -> bool:
    """Whether a decision is taken back, limited or doubted by what follows: "yes for some, no for others"."""
    opposite = ("no", "false") if _DECIDED[texts[0]] == "yes" else ("yes", "true")
    if "?" in texts or any(
        t in opposite and (t != "no" or _stands_alone(texts, i)) for i, t in enumerate(texts)
    ):
        return not (texts[0] == "no" and {"false", "true"} & set(texts) and "yes" not in texts)
    ends = (i for i in range(1, len(texts)) if any(tuple(texts[i : i + len(p)]) == p for p in english.ASIDE))
    sentence = (i for i, t in enumerate(texts) if i > 2 and t in (".", ";", "newline"))
    denials = (i for i, t in enumerate(texts) if i and t in _DENYING and texts[0] in ("no", "false"))
    head = texts[1 : min(*(next(x, len(texts)) for x in (ends, sentence, denials)))]
    after = [t for t in head[:3] if t not in _BOUNDARY]
    if after and (after[0] in LIMITS or (after[0] == "is" and english.NEGATIONS & set(after))):
        return True
    return bool(english.HEDGES & set(head)) or any(_limits(head, i) for i in range(len(head)))


def _limits(texts: Sequence[str], at: int) -> bool:
    """ "for even n", "in some cases", "only if", "not always" there; not "for all n", "for the robot"."""
    here, following = texts[at], texts[at + 1 : at + 2]
    if here in ("only", "not"):
        return bool(_QUALIFIED & set(following))
    if here == "in":
        return bool(_PARTS & set(following))
    if here in ("given", "subject", "under", "on"):
        return bool({"that", "to", "condition", "conditions", "assumption"} & set(texts[at + 1 : at + 3]))
    if here in ("with", "where", "once", "from", "to"):
        signs = INEQUALITY if here == "with" else INEQUALITY | {"="}  # "yes, with n = 4" is an example
        return bool(signs & set(texts[at + 2 : at + 4]))
    if here != "for" or not following:
        return here == "for"
    if following[0] in _TOTAL:
        narrow = (english.PROPERTIES.keys() - _DOMAINS) | {"<", ">", "<=", ">=", "!=", "=", "but"}
        return bool(narrow & set(texts[at + 2 : at + 6]))
    return following[0] in _PARTS | english.PROPERTIES.keys() or len(following[0]) == 1


_DENYING = frozenset("not fails fail false counterexample cannot wrong never".split())
_QUALIFIED = frozenset("for if when in necessarily always every all sure proven certain known clear".split())
_PARTS = frozenset(
    "case some most many certain half few several general infinitely finitely large small".split()
)


def _is_limited(sentence: Sequence[Token]) -> bool:
    """Whether it says "if", "except", "other than", "for n = 3": no decision for every case."""
    texts = [t.text for t in sentence if t.kind == "word"]
    if any(t in LIMITS - {"and"} or t in english.HEDGES for t in texts):
        return True
    return any(t == "for" and not _TOTAL & set(texts[i + 1 : i + 2]) for i, t in enumerate(texts))


def _first_sentence(part: Sequence[Token]) -> list[Token]:
    end = next((i for i, t in enumerate(part) if t.text in (".", ";", ",", "newline", "(")), len(part))
    return list(part[:end])


def _denies(rest: Sequence[Token]) -> bool:
    """After "no": "... such function exists", "... solutions", "... real x"; not "... more than 5"."""
    following = [t.text for t in rest[:3]]
    return bool(_SOUGHT & set(following[:2])) and following[0] not in ("more", "less", "fewer", "other")


_SOUGHT = english.SOLUTIONS | frozenset(
    "such integer integers real positive natural number numbers other prime primes rational triangle "
    "arrangement set sets way ways".split()
)
"""What a problem asks for, so that "no integers" means that there is no solution."""


def as_choice(part: Sequence[Token]) -> tuple[str, Sequence[Token]] | None:
    """(choice, what follows): a letter, "(C) 1200", "B is larger", "the first player wins"."""
    texts = [t.text for t in part]
    if texts[0] == "(" and len(texts) > 2 and texts[2] == ")" and _is_letter(part[1]):
        return part[1].text, part[3:]
    if _is_letter(part[0]) and (len(texts) == 1 or texts[1] == ")" or (texts[1] == "." and len(texts) > 2)):
        return part[0].text, part[2:]
    content = [t for t in part if t.text not in ("the", "option", "choice", "answer", "is", ".", "a", "an")]
    if len(content) == 1 and _is_letter(content[0]) and len(part) > 1 and part[0].kind == "word":
        return content[0].text, []
    who = winner(part)
    return None if who is None else (who, [])


def _is_letter(token: Token) -> bool:
    return token.kind in ("name", "const") and len(token.text) == 1 and token.text.isupper()


def winner(part: Sequence[Token]) -> str | None:
    """The player named at the start, if nothing follows but that he wins or is larger."""
    part = [t for t in part if t.text != "the"]
    if not part:
        return None
    texts = [t.text for t in part]
    who, rest = None, part
    if texts[0] in english.ORDINALS and texts[1:2] in (["player"], []):
        who, rest = english.ORDINALS[texts[0]], part[2:]
    elif texts[0] == "player" and (order := [t for t in texts if t in english.ORDINALS]):
        who, rest = english.ORDINALS[order[0]], [t for t in part[1:] if t.text != order[0]]
    elif texts[0] == "player" and len(texts) > 1:
        who, rest = texts[1], part[2:]
    elif (part[0].kind == "word" and texts[0] not in english.KNOWN) or (
        _is_letter(part[0]) and len(part) > 1
    ):
        who, rest = texts[0], part[1:]
    if who is None or not all(t.text in english.PREDICATES or t.text == "." for t in _until_aside(rest)):
        return None
    return who


def _until_aside(rest: Sequence[Token]) -> list[Token]:
    """ "B = log 5 is larger", "the first (and so on) wins": what merely explains who is left out."""
    kept: list[Token] = []
    if rest and rest[0].text == "=" and any(t.kind == "word" for t in rest):
        rest = rest[next(i for i, t in enumerate(rest) if t.kind == "word") :]
    position = 0
    while position < len(rest):
        end = closing(rest, position) if rest[position].text in OPEN else position
        inside = rest[position + 1 : end]
        more = {"or", "and", "also", "plus", "but"}
        if inside and (inside[0].kind != "word" or any(t.text in english.NEGATIONS | more for t in inside)):
            return list(rest)
        if not inside:
            kept.append(rest[position])
        position = end + 1
    return kept
