"""What a sentence in another language states, once the words of its table are English.

The other words of it are unknown. They may stand in the subject, "The Lösungsmenge is x", and behind the
value, "we get 5 Dreiecke", where they limit nothing. A word with a meaning is never lost: where one stands
apart from the value, and where a word of doubt, "hedged", stands anywhere, the sentence states nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.answers.lexicon.units import UNITS
from lm_eval_ext.grading.languages.decisions import ORDINAL, decision, denial, labelled, parts, pieces, winner
from lm_eval_ext.grading.languages.kernels import DENIES, kernel, trails
from lm_eval_ext.grading.languages.words import (
    COUNTED,
    FORMULA,
    HEDGED,
    SATISFIES,
    VERBS,
    Token,
    tokens_of,
    words_of,
)

MAX_CHARS = 400
_TEXT = re.compile(rf"({FORMULA})|\\text\w*\s*\{{([^{{}}]*)\}}", re.DOTALL)
AGAIN = re.compile(r",?\s+that is\b", re.IGNORECASE)
"""What follows says the same in other words."""
_ATTAINED = re.compile(
    rf"(?:,?\s+(?:and|which)\b)?(?:\s+(?:it|is|se|si))*\s+attained\s+(?:if|for|at|when|in|with)\s+(?:{FORMULA})"
    r"(?:\s+and(?=\s+(?:is|are)\b))?",
    re.DOTALL,
)
"""Where the value stated is attained."""
_DOMAIN = re.compile(r"\$\s*(?:\\mathbb\{[A-Z]\}|[A-Z]_?[a-z]?)\s*=\s*(?=\\\{)")
_NEEDED = re.compile(
    r"\b(requires)\W+(?:(?:therefore|thus)\W+)?at least\b|\bat least\W+(?:(?:therefore|thus)\W+)?(requires)\b"
    r"|\bat least\b(?=[^.;,]{1,60}\brequires\W*\Z)",
    re.IGNORECASE,
)
"""What is needed at least is the least number: "at least 5 weighings are needed"."""
_LABEL = re.compile(
    r"\W*(?:final\s+)?(?:answer|conclusion|result|solutions?)\W{0,4}[:：]\W*(?=\w|\$)", re.IGNORECASE
)
_CONCLUDES = re.compile(r"^\W*(?:therefore|thus|hence)\b|\bin total\b", re.IGNORECASE)
WIDE = str.maketrans("，；：（）。", ",;:().")
_REFUSING = frozenset(
    f"{HEDGED} suppose assume assuming approximately unless almost nearly cannot never".split()
)
_DROPPED = english.LABELS.keys() | english.NUMERALS.keys() | COUNTED | {"total", "with"}
"""Words with a meaning that a subject may have: "the two real solutions"."""


def stated(text: str) -> str | None:
    """What a sentence with unknown words states, in English that can be read; None where that is not certain.

    >>> stated("The Lösungsmenge of Gleichung is $x > 2$")
    '$x > 2$'
    """
    said, *again = AGAIN.split(text, maxsplit=1)
    if again and not ORDINAL.search(again[0]) and (found := stated(said)) is not None:
        return found if _VALUED.search(found) or not _VALUED.search(again[0]) else stated(f"is {again[0]}")
    return _stated_once(text)


def _stated_once(text: str) -> str | None:
    """What a sentence states that says nothing again in other words, or its labelled parts."""
    text = _ATTAINED.sub(" ", _DOMAIN.sub("$", text))
    text = _NEEDED.sub(r"\1\2", _TEXT.sub(lambda m: m[1] or m[2], text.translate(WIDE))).strip(" .\n*")
    label = _LABEL.match(text)
    text = text[label.end() :] if label else text
    if len(text) > MAX_CHARS or "?" in text:
        return None
    if listed := pieces(text):
        return labelled([(label, stated(piece)) for label, piece in listed]) or None
    tokens = tokens_of(text)
    if said := parts(text) or decision(text, tokens):
        return said
    if any(t.word in _REFUSING for t in tokens):
        return None
    return _read(text, tokens) or (_counted(text, tokens) if label or _CONCLUDES.search(text) else None)


def counted(text: str) -> str | None:
    """The only number of an announced sentence, which no word limits: "dort stehen 5 Flaschen"."""
    text = text.translate(WIDE).strip(" .\n*")
    tokens = tokens_of(text)
    refused = len(text) > MAX_CHARS or "?" in text or any(t.word in _REFUSING for t in tokens)
    return None if refused else _counted(text, tokens)


def _counted(text: str, tokens: Sequence[Token]) -> str | None:
    """The number, with what is counted behind it and a verb, or another unknown word, before it."""
    cores = [i for i, t in enumerate(tokens) if t.is_core and t.word != "total"]
    place = cores[0] if len(cores) == 1 else 0
    if not place or not tokens[place].text.strip("$").replace(".", "").isdigit():
        return None
    behind = tokens[place + 1 :]
    says = any(t.is_unknown for t in tokens[:place]) and any(t.is_unknown for t in behind)
    return tokens[place].text if says and trails(behind) else None


def _read(text: str, tokens: Sequence[Token]) -> str | None:
    """What the first reading finds that finds anything."""
    readings = (denial, winner, _equivalence, _cases, _value, _measure, _concluded)
    return next((found for read in readings if (found := read(text, tokens)) is not None), None)


_HOLDS = frozenset("yes possible true wins winning strategy".split())
_EQUIVALENT = re.compile(r"\bif and only if\b,?", re.IGNORECASE)


def _equivalence(text: str, tokens: Sequence[Token]) -> str | None:
    """The condition of "The Aussage is true if and only if n is odd"."""
    found = list(_EQUIVALENT.finditer(text))
    if len(found) != 1:
        return None
    before = [t for t in tokens if t.end <= found[0].start()]
    if {t.word for t in before if t.is_core and t.word} - _HOLDS or not all(
        t.is_name for t in before if t.kind in ("formula", "number")
    ):
        return None
    return kernel(text, [t for t in tokens if t.start >= found[0].end()])


_CASE = re.compile(r"\b(?:if|for)\b(?! all)", re.IGNORECASE)
_PREDICATE = r"\2 is \1"
_ADJECTIVE = re.compile(r"^(odd|even) (\$\w\$)$")
_CONDITION = re.compile(
    r"\s*(?P<condition>(?:odd|even)\s+\$\w\$(?=\s+(?:is|are)\b)"
    r"|(?:\$[^$]*\$|[^,;:$])+?(?=\s*(?:\bthen\b|[,:]|\b(?:the|it)\b)))\s*(?:\bthen\b,?|[,:])?"
)


def _cases(text: str, tokens: Sequence[Token]) -> str | None:
    """ "If n is even, the Wert is 2; if n is odd, the Wert is 3" without what is unknown."""
    before, *cases = _CASE.split(text)
    if len(cases) < 2 or not _is_subject(tokens_of(before)):
        return None
    said = []
    for case in cases:
        condition = _CONDITION.match(case)
        if condition is None or any(t.is_unknown for t in tokens_of(condition["condition"])):
            return None
        rest = _tail(case[condition.end() :])
        value = _value(rest, tokens_of(rest)) or kernel(rest, tokens_of(rest))
        if value is None:
            return None
        said.append(f"if {_ADJECTIVE.sub(_PREDICATE, condition['condition'])} then {value}")
    return "; ".join(said)


def _tail(case: str) -> str:
    """Without the word that joins the next case."""
    return re.sub(r"[\s,;.]*(?:\b(?:and|while|whereas|but)\b)?[\s,;.]*$", "", case)


def _value(text: str, tokens: Sequence[Token]) -> str | None:
    """What stands behind the last verb, or before what satisfies the conditions."""
    places = range(len(tokens) - 1, -1, -1)
    return next((found for place in places if (found := _around(text, tokens, place)) is not None), None)


def _around(text: str, tokens: Sequence[Token], place: int) -> str | None:
    """What stands around the verb at this place."""
    verb, before, behind = tokens[place].word, tokens[:place], tokens[place + 1 :]
    sides = [side for side in (before, behind) if any(t.is_core for t in side)]
    if verb in VERBS:
        return _with_verb(text, before, behind, sides)
    if len(sides) != 1:
        return None
    if verb in SATISFIES and not VERBS & set(words_of(sides[0])):
        return kernel(text, sides[0], after_verb=False)
    return _condition(kernel(text, sides[0], after_verb=False)) if verb in _HOLDS else None


def _with_verb(
    text: str, before: Sequence[Token], behind: Sequence[Token], sides: Sequence[Sequence[Token]]
) -> str | None:
    """What a verb states: "x is 5", "5 is x" where x is a label, "only 5 is"."""
    if len(sides) == 2 and _is_label(behind) and any(t.kind == "number" for t in before):
        return kernel(text, before)
    if sides[-1:] == [behind] and _is_subject(before):
        return _of_subject(before, kernel(text, _listed(behind)))
    if sides == [before]:
        is_only = "only" in words_of(behind)
        return kernel(text, before, after_verb=False) if is_only else _before_verb(text, before, behind)
    return kernel(text, before) if len(sides) == 2 and _is_label(behind) else None


def _condition(said: str | None) -> str | None:
    """What is said to be possible "for all n > 3"."""
    return said if said and said.startswith(("for ", "if ")) else None


def _measure(text: str, tokens: Sequence[Token]) -> str | None:
    """The only number of a sentence, with its unit: "The Zug fährt 1.5 hours"."""
    cores = [i for i, t in enumerate(tokens) if t.is_core]
    if len(cores) == 1 and tokens[cores[0]].text.endswith("%"):
        return tokens[cores[0]].text
    if len(cores) != 2 or cores[1] != cores[0] + 1 or tokens[cores[1]].word not in UNITS:
        return None
    return text[tokens[cores[0]].start : tokens[cores[1]].end] if tokens[cores[0]].kind == "number" else None


def _concluded(text: str, tokens: Sequence[Token]) -> str | None:
    """What stands behind "therefore" with no unknown word: "Therefore, all integers greater than 5"."""
    lead = _CONCLUDES.match(text)
    whole = (
        lead and any(t.is_core for t in tokens) and not any(t.is_unknown or t.word in VERBS for t in tokens)
    )
    return text[lead.end() :].strip(" ,;:") if lead and whole and not DENIES.search(text) else None


def _of_subject(subject: Sequence[Token], said: str | None) -> str | None:
    """With what it is said of, where that is needed: "n is even", "primes of the form 4k + 1"."""
    if said is None or _VALUED.search(said) is None:
        names = [t.text for t in subject if t.is_core and t.is_name]
        return f"{names[0]} is {said}" if said and len(names) == 1 else said
    said = _OF_FORM.sub("of the form", said)
    counted = [t.text for t in subject if t.word in COUNTED]
    return " ".join([*counted, said]) if counted and said.startswith("of the form") else said


_VALUED = re.compile(r"[\d$\\]")
_OF_FORM = re.compile(r"^(?:(?:exactly|precisely|just|only|the|those)\s+)*of the form")


_REFERS = frozenset("the only value values answer".split())
"""What is said of the value before it: "5 is the value"."""


def _before_verb(text: str, before: Sequence[Token], behind: Sequence[Token]) -> str | None:
    """The value in languages whose verb comes last: "the minimum number 45 is"."""
    if not _REFERS.issuperset(words_of(behind)):
        return None
    start = next((i + 1 for i in range(len(before) - 1, -1, -1) if before[i].is_unknown), 0)
    valued = [i for i in range(start, len(before)) if before[i].is_core and before[i].word not in _DROPPED]
    if valued and _is_subject(before[: valued[0]]):
        return kernel(text, before[valued[0] :])
    return kernel(text, before, after_verb=False)


def _is_label(tokens: Sequence[Token]) -> bool:
    """Whether it only names what a value is: "the maximum of $M$"."""
    cores = [t for t in tokens if t.is_core]
    return any(t.word in english.LABELS for t in cores) and all(
        t.is_name or t.word in _DROPPED for t in cores
    )


def _is_subject(tokens: Sequence[Token]) -> bool:
    """Whether they limit nothing as far as is known: unknown words, names, "the two real solutions"."""
    if tokens and not any(t.kind == "word" or t.is_name for t in tokens):
        return False
    dropped = _DROPPED | ({"possible"} if "with" in words_of(tokens) else set())
    return all(
        not t.is_core or t.kind == "number" or t.word in dropped or t.is_name for t in tokens
    ) and not any(t.kind == "sign" and t.text not in ",.:;!()-–—*'’" for t in tokens)


def _listed(tokens: Sequence[Token]) -> Sequence[Token]:
    """What stands behind the colon of "two Lösungen: 3 and 5"."""
    colon = next((i for i, t in enumerate(tokens) if t.text == ":"), -1)
    if colon < 0 or any(t.is_core and t.word not in _DROPPED for t in tokens[:colon]):
        return tokens
    return tokens[colon + 1 :]
