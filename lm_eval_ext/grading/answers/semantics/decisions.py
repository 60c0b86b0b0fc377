"""Answers that are decisions: yes, no, no solution, a letter of choice, who wins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.answers.lexicon.latex import OPEN
from lm_eval_ext.grading.answers.lexing.lexer import Token
from lm_eval_ext.grading.answers.semantics.claims import Answer, Solution
from lm_eval_ext.grading.answers.semantics.phrases import (
    INEQUALITIES,
    Phrase,
    closing,
    find,
    has,
    has_word,
    starts_with,
    texts,
)
from lm_eval_ext.grading.answers.syntax.nodes import Call
from lm_eval_ext.grading.answers.syntax.relations import RELATIONS

_DECISIONS = {"yes": "yes", "true": "yes", "no": "no", "false": "no"}
_BOUNDARY = frozenset([",", ";", ".", ":", "newline", "-", "("])


def as_word(part: Sequence[Token]) -> Answer | None:
    """Yes and no with whatever explains them; that there is no solution.

    A decision with a condition ("yes if n is even", "none except 3") is none of these.
    """
    said = texts(part)
    if said == ["neither"]:
        return Answer(word="neither")
    if said[0] in _DECISIONS and (said[0] != "no" or _stands_alone(said, 0)):
        return None if _is_hedged(said) else Answer(word=_DECISIONS[said[0]])
    sentence = list(part[: find(part, (".", ";", ",", "newline", "("))])
    if _is_limited(sentence) or has(part[len(sentence) + 1 : len(sentence) + 2], english.LIMITS):
        return None
    if said[0] == "such" and sentence[-1].text in ("exist", "exists"):
        return Answer(word="yes")  # "such a function exists"
    if _is_infinite(sentence):
        return Answer(items=(Solution((("", Call("oo", ())),)),))
    word = _convergence(sentence) or _denial(sentence)
    return Answer(word=word) if word else None


def _is_infinite(sentence: Sequence[Token]) -> bool:
    """ "There are infinitely many solutions", of whatever was sought."""
    telling = [t for t in sentence if t.text not in english.NOISE and t.text not in english.SOUGHT]
    return tuple(texts(telling)) in english.INFINITE


def _convergence(sentence: Sequence[Token]) -> str:
    """ "converges", "diverges" or "converges absolutely", where nothing else but how it is shown is said."""
    said = texts(sentence[: find(sentence, ("by", "because", "since", "from"))])
    found = {english.CONVERGENCE[w] for w in said if w in english.CONVERGENCE}
    manner = [english.CONVERGENCE_MANNER[w] for w in said if w in english.CONVERGENCE_MANNER]
    known = english.NOISE | english.CONVERGENCE.keys() | english.CONVERGENCE_MANNER.keys() | {"integral"}
    if len(found) != 1 or not set(said) <= known:
        return ""
    return " ".join([*found, *manner])


def _denial(sentence: Sequence[Token]) -> str:
    """The word for "none", "no solutions", "there is no such function", "impossible"."""
    telling = [t for t in sentence if t.text not in english.NOISE]
    if not telling or telling[0].kind != "word":
        return ""
    absence = "absent" if has(sentence, ("exist", "exists", "such", "which", "satisfying")) else "none"
    if telling[0].text == "no":
        start = find(sentence, ("no",))
        return absence if _denies_existence(texts(sentence[start + 1 : start + 4])) else ""
    for phrases, word in ((english.NO, "no"), (english.YES, "yes"), (english.NONE, absence)):
        if _begins(sentence, telling, phrases):
            return word
    numeric = any(t.kind == "num" for t in telling)
    return absence if not numeric and _mentions(texts(sentence), english.NONE) else ""


def _begins(sentence: Sequence[Token], telling: Sequence[Token], phrases: Iterable[Phrase]) -> bool:
    """Whether what tells begins with one of these; a phrase of one word must be all that is told."""
    whole = sentence[sentence.index(telling[0]) :]
    told = [p for p in phrases if len(p) > 1 or sentence[-1] is telling[0]]
    return any(starts_with(telling, p) or starts_with(whole, p) for p in told)


def _mentions(said: Sequence[str], phrases: Sequence[tuple[str, ...]]) -> bool:
    """Whether a phrase of several words occurs."""
    return any(p == tuple(said[i : i + len(p)]) for p in phrases if len(p) > 1 for i in range(len(said)))


def _denies_existence(following: Sequence[str]) -> bool:
    """After "no": "... such function exists", "... solutions", "... real x"; not "... more than 5"."""
    sought = english.SOUGHT & set(following[:2])
    return bool(sought) and following[0] not in ("more", "less", "fewer", "other")


def _stands_alone(said: Sequence[str], at: int) -> bool:
    """Whether the "no" there is a decision, not that of "no such number"."""
    following = said[at + 1] if at + 1 < len(said) else ","
    return not following.isalpha() or following in english.LINKS


def _is_hedged(said: Sequence[str]) -> bool:
    """Whether a decision is taken back, limited or doubted by what follows: "yes for some, no for others"."""
    if "?" in said or _is_contradicted(said):
        return not (said[0] == "no" and {"false", "true"} & set(said) and "yes" not in said)
    head = said[1 : _explanation_start(said)]
    after = [t for t in head[:3] if t not in _BOUNDARY]
    if after and (after[0] in english.LIMITS or (after[0] == "is" and english.NEGATIONS & set(after))):
        return True
    return bool(english.HEDGES & set(head)) or any(_limits_at(head, i) for i in range(len(head)))


def _is_contradicted(said: Sequence[str]) -> bool:
    opposite = [word for word, decision in _DECISIONS.items() if decision != _DECISIONS[said[0]]]
    return any(t in opposite and (t != "no" or _stands_alone(said, i)) for i, t in enumerate(said))


def _explanation_start(said: Sequence[str]) -> int:
    """Where an aside, the next sentence, or the reason of a "no" begins."""
    denied = _DECISIONS[said[0]] == "no"
    for i in range(1, len(said)):
        is_aside = any(tuple(said[i : i + len(p)]) == p for p in english.ASIDE)
        is_end = i > 2 and said[i] in (".", ";", "newline")
        if is_aside or is_end or (denied and said[i] in english.DENYING):
            return i
    return len(said)


_SUPPOSED = frozenset(["that", "to", "condition", "conditions", "assumption"])
_LIMITING: dict[str, tuple[frozenset[str], int, int]] = {
    **dict.fromkeys(("only", "not"), (english.QUALIFIABLE, 1, 2)),
    "in": (english.PARTIAL, 1, 2),
    **dict.fromkeys(("given", "subject", "under", "on"), (_SUPPOSED, 1, 3)),
    "with": (INEQUALITIES, 2, 4),  # "yes, with n = 4" is an example
    **dict.fromkeys(("where", "once", "from", "to"), (RELATIONS, 2, 4)),
}
"""(words, start, end): the word limits a decision if one of `words` follows at `start` to `end` - 1."""


_NARROWING = {*english.PROPERTIES, "<", ">", "<=", ">=", "!=", "=", "but"} - english.NUMBER_DOMAINS


def _limits_at(said: Sequence[str], at: int) -> bool:
    """ "for even n", "in some cases", "only if", "not always" there; not "for all n", "for the robot"."""
    if limiting := _LIMITING.get(said[at]):
        words, start, end = limiting
        return bool(words & set(said[at + start : at + end]))
    if said[at] != "for":
        return False
    following = said[at + 1] if at + 1 < len(said) else ""
    if following in english.UNIVERSAL:
        return bool(_NARROWING & set(said[at + 2 : at + 6]))
    return following in english.PARTIAL or following in english.PROPERTIES or len(following) < 2


def _is_limited(sentence: Sequence[Token]) -> bool:
    """Whether it says "if", "except", "other than", "for n = 3": no decision for every case."""
    words = [t.text for t in sentence if t.kind == "word"]
    if any(w in english.LIMITS - {"and"} or w in english.HEDGES for w in words):
        return True
    return any(w == "for" and not english.UNIVERSAL & set(words[i + 1 : i + 2]) for i, w in enumerate(words))


def as_choice(part: Sequence[Token]) -> tuple[str, Sequence[Token]] | None:
    """(choice, what follows): a letter, "(C) 1200", "B is larger", "the first player wins"."""
    said = texts(part)
    if said[0] == "(" and said[2:3] == [")"] and _is_letter(part[1]):
        return said[1], part[3:]
    if _is_letter(part[0]) and (said[1:2] in ([], [")"]) or (said[1] == "." and len(said) > 2)):
        return said[0], part[2:]
    content = [t for t in part if t.text not in ("the", "option", "choice", "answer", "is", ".", "a", "an")]
    if len(content) == 1 and _is_letter(content[0]) and len(part) > 1 and part[0].kind == "word":
        return content[0].text, []
    who = winner(part)
    return (who, []) if who else None


def _is_letter(token: Token) -> bool:
    return token.kind in ("name", "const") and len(token.text) == 1 and token.text.isupper()


def winner(part: Sequence[Token]) -> str:
    """The player named at the start, if nothing follows but that he wins or is larger; else ""."""
    who, rest = _player([t for t in part if t.text != "the"])
    plain = all(t.text in english.PREDICATES or t.text == "." for t in _without_asides(rest))
    return who if plain else ""


def _player(part: Sequence[Token]) -> tuple[str, Sequence[Token]]:
    """(who, what follows): "first player ...", "player 2 ...", "Alice ..."; ("", ()) for anything else."""
    said = texts(part)
    if not said:
        return "", ()
    if said[0] in english.ORDINALS and said[1:2] in (["player"], []):
        return english.ORDINALS[said[0]], part[2:]
    if said[0] == "player":
        ordinal = next((t for t in said if t in english.ORDINALS), "")
        if ordinal:
            return english.ORDINALS[ordinal], [t for t in part[1:] if t.text != ordinal]
        return (said[1], part[2:]) if len(said) > 1 else ("", ())
    unknown = part[0].kind == "word" and said[0] not in english.KNOWN
    return (said[0], part[1:]) if unknown or (_is_letter(part[0]) and len(part) > 1) else ("", ())


def _without_asides(rest: Sequence[Token]) -> Sequence[Token]:
    """ "B = log 5 is larger", "the first (and so on) wins": what merely explains who is left out."""
    kept: list[Token] = []
    if rest and rest[0].text == "=" and has_word(rest):
        rest = rest[next(i for i, t in enumerate(rest) if t.kind == "word") :]
    position = 0
    while position < len(rest):
        end = closing(rest, position) if rest[position].text in OPEN else position
        inside = rest[position + 1 : end]
        if inside and (inside[0].kind != "word" or has(inside, _MEANINGFUL)):
            return rest
        if not inside:
            kept.append(rest[position])
        position = end + 1
    return kept


_MEANINGFUL = english.NEGATIONS | {"or", "and", "also", "plus", "but"}
