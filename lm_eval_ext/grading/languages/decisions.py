"""Decisions in another language, once the words of its table are English: yes, no, none, who wins."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lm_eval_ext.grading.answers.lexicon import english
from lm_eval_ext.grading.languages.words import (
    COUNTED,
    LIMITING,
    MEANINGLESS,
    NEGATIVE,
    Token,
    tokens_of,
    words_of,
)

_PART = re.compile(r"(?:(?<=\s)|^)\(?([a-d])\)\s*")
_BY_PART = re.compile(r"\b(negative|affirmative|yes|no)\b[^.;,]{0,40}?\(?\b([a-d])\)", re.IGNORECASE)
_CUT = re.compile(r"\b(?:because|for example)\b|[.;:]", re.IGNORECASE)
_DECIDED = {"yes": "Yes", "affirmative": "Yes", "positive": "Yes", "no": "No", "negative": "No"}


def parts(text: str) -> str:
    """ "Negative for a) and affirmative for b)"."""
    if set(words_of(tokens_of(text))) & (LIMITING - {"for", "if"}):
        return ""
    found = [(label, _DECIDED[how.lower()]) for how, label in _BY_PART.findall(text)]
    return labelled(found) if len(found) > 1 else ""


def pieces(text: str) -> list[tuple[str, str]]:
    """The parts of "a) ... b) ...", with their labels."""
    before, *found = _PART.split(text)
    is_listed = len(found) > 2 and not before.strip() and found[0] == "a"
    return list(zip(found[::2], found[1::2], strict=True)) if is_listed else []


def labelled(said: Sequence[tuple[str, str | None]]) -> str:
    """What each part says, "a) Yes; b) No"; "" where one says nothing, or the labels do not count up."""
    if "".join(label for label, _ in said) not in "abcd" or any(each is None for _, each in said):
        return ""
    return "; ".join(f"{label}) {each}" for label, each in said)


def decision(text: str, tokens: Sequence[Token]) -> str | None:
    """Yes or no before words that do not limit it, "the answer is negative", "this is always possible"."""
    if (found := _ANSWERED.match(text)) and not _is_limited(text, found):
        start, said = found.start("said"), found["said"].lower()
        return _unlimited(_DECIDED[said].lower(), text[start:], len(said))
    words = words_of(tokens)
    meant = [w for w in words if w in english.KNOWN and w not in MEANINGLESS]
    if len(meant) == 1 and meant[0] in ("affirmative", "negative") and "answer" in words:
        return _DECIDED[meant[0]]
    plain = all(t.kind == "word" or t.text in ",." for t in tokens)
    return "Yes" if plain and meant == ["possible"] and {"is", "it"} & set(words) else None


_ANSWERED = re.compile(
    r"^\W*(?:(?:therefore|thus|so|hence)\b\W*)?"
    r"(?P<answer>[^.;:,\d$]{0,30}\banswer\b(?:[^.;:,\d$]{0,60}?\s)?\W*?)?(?:\b(?:is|are)\b\W+(?:(?:thus|therefore)\W+)?)?\W*"
    r"(?P<said>(?:yes|no)\b|(?:affirmative|negative)\b(?=\W*(?:[:;,.–—]|$))|(?(answer)positive\b|(?!)))",
    re.IGNORECASE,
)
"""What comes before yes or no: "Therefore, the answer to the question is negative"."""


def _is_limited(text: str, found: re.Match[str]) -> bool:
    """Whether words before yes or no limit or deny it, or no is that of "no solution"."""
    start, said = found.start("said"), found["said"].lower()
    lead = set(words_of(tokens_of(text[:start])))
    return bool(lead & (LIMITING | NEGATIVE)) or (said == "no" and _starts_denial(text[start:]))


def _unlimited(first: str, text: str, after: int) -> str | None:
    """Yes or no, if nothing up to the end of the clause, or to a reason, limits or contradicts it."""
    cut = _CUT.search(text, after)
    head = tokens_of(text[: cut.start()] if cut else text)
    told = set(words_of(head)[1:])
    contrary = told & NEGATIVE if first == "yes" else told & _AFFIRMED and not told & NEGATIVE
    return None if contrary or told & LIMITING or _is_for_some(head) else _DECIDED[first]


_AFFIRMED = frozenset(["yes", "true", "possible"])
_ABOUT = COUNTED | english.LABELS.keys() | {"with", "wins", "and"}


def _is_for_some(head: Sequence[Token]) -> bool:
    """Whether there is a formula among unknown words, which may say for which values it holds."""
    return any(t.is_unknown for t in head) and any(t.kind in ("formula", "number") for t in head)


_DENIAL = re.compile(
    r"\b(no such numbers? exists?|no solutions?|(?:does|do) not exist|impossible|not possible"
    r"|infinitely many(?: solutions)?)\b",
    re.IGNORECASE,
)


def _starts_denial(text: str) -> bool:
    found = _DENIAL.search(text)
    return bool(found and not words_of(tokens_of(text[: found.start()])))


def denial(text: str, tokens: Sequence[Token]) -> str | None:
    """ "The Widerspruch shows, dass no such number exists", where nothing else has a meaning."""
    found = _DENIAL.search(text)
    if found is None:
        return None
    rest = [t for t in tokens if not found.start() <= t.start < found.end() and t.is_core]
    about = [t for t in rest if t.kind == "formula" or t.word in _ABOUT]
    return found[1] if len(about) == len(rest) else None


_PLAYER = (
    r"(?:first|second) player|player \$?[A-Z]\$?|\$[A-Z]\$"
    r"|(?:(?<![\w$])[A-ZА-Я]\w*|[^\W\d_]+(?=\([A-Z]))(?:\([A-Z]\w+\))?"
)
_WINNING = r"(?:wins|(?i:has (?:a |the )?winning strategy|winning strategy))"
_WINS = re.compile(
    rf"(?:(?P<before>{_PLAYER})\s*,?\s*(?:is|has)?\s*(?:(?:always|surely|the|a|it|is|who|that|which|one|player|has)\s+){{0,4}}{_WINNING}"
    rf"|{_WINNING}\s*,?\s*(?:(?:is|has|the|of|belongs|to|always|a)\s+){{0,3}}(?P<after>{_PLAYER}))(?!\w)"
)
ORDINAL = re.compile(r"\b(first|second) player\b", re.IGNORECASE)
_PLAYERS = re.compile(r"\b(?i:first|second) player\b|(?<=player )[A-Z]\b|\$[A-Z]\$")
_LEAD = re.compile(r"^\W*(?:therefore|thus|hence|so)\b\W*", re.IGNORECASE)
_WHATEVER = re.compile(r",\s*for (?:all|any)\b", re.IGNORECASE)
_PARITY = re.compile(r"\b(?:odd|even)\b")
_CLAUSES = re.compile(r"[,;.]|\b(?:while|whereas|but)\b")


def winner(text: str, tokens: Sequence[Token]) -> str | None:
    """The one who wins, where it depends on nothing, or on the parity of a number."""
    words = set(words_of(tokens))
    if ("wins" not in words and "winning" not in words) or words & (NEGATIVE | {"loses", "lose"}):
        return None
    if _PARITY.search(text):
        return _winners_by_parity(text)
    text = _WHATEVER.split(text)[0]
    words = set(words_of(tokens_of(text)))
    if words & LIMITING:
        return None
    ordinals = {found.lower() for found in ORDINAL.findall(text)}
    if ordinals:
        return f"The {ordinals.pop()} player wins" if len(ordinals) == 1 else None
    found = _WINS.search(_LEAD.sub("", text))
    name = (found["before"] or found["after"]).strip("$") if found else ""
    name = re.sub(r".*\(([A-Z]\w+)\)", r"\1", name)
    return name.translate(_LATIN) if name and name.lower() not in english.KNOWN else None


_LATIN = str.maketrans(
    dict(zip("абвгдезийклмнопрстуфыэ", "abvgdeziyklmnoprstufye", strict=True))
    | dict(zip("АБВГДЕЗИЙКЛМНОПРСТУФЭ", "ABVGDEZIYKLMNOPRSTUFE", strict=True))
    | dict(zip("жхцчшщюяёьъ", ["zh", "kh", "ts", "ch", "sh", "shch", "yu", "ya", "yo", "", ""], strict=True))
    | dict(zip("ЖХЦЧШЩЮЯ", ["Zh", "Kh", "Ts", "Ch", "Sh", "Shch", "Yu", "Ya"], strict=True))
)
"""A Russian name in Latin letters, as golds have it: Petya."""


def _winners_by_parity(text: str) -> str | None:
    """ "The first player wins if n is odd, the second one if n is even", in whatever order."""
    said = []
    clauses, held = [c for c in _CLAUSES.split(text) if c.strip()], ""
    for clause in clauses:
        held = f"{held} {clause}"
        players = _PLAYERS.findall(held)
        parities = _PARITY.findall(held)
        if len(players) == 1 and len(parities) == 1:
            player = players[0].strip("$")
            said.append((player if "player" in player else f"Player {player}", parities[0]))
            held = ""
    whole = not held and len(said) == 2 and said[0][0] != said[1][0] and said[0][1] != said[1][1]
    return "; ".join(f"{player} wins if n is {parity}" for player, parity in said) if whole else None
