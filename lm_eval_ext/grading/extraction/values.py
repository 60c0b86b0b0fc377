"""Which words state a value, which deny one, and which say nothing."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import Literal

Reading = Literal[
    "box",
    "tag",
    "announcement",
    "hash",
    "conclusion",
    "whole response",
    "short response",
    "strict number",
    "last number",
]
"""What the answer was found by."""

MAX_ANSWER_CHARS = 20_000
"""A longer statement is cut."""
MAX_SEARCHED_CHARS = 2**22
"""Only this much of a longer response is searched, from its end: a response gives its answer there."""
MAX_VALUE_CHARS = 200
"""A longer line is no value on its own."""


@dataclass(frozen=True)
class Span:
    """An answer, and the place of its statement in the visible text."""

    text: str
    start: int
    end: int
    reading: Reading = "box"
    emphatic: bool = False  # announced as final, so that it counts whatever it says
    language: str | None = None  # of the response, where that is not English


_WINDOW_CHARS = 2**16


def last_matches(pattern: re.Pattern[str], text: str, most: int) -> list[re.Match[str]]:
    """The last matches, at most `most`, the last one first, without reading the whole of a long text."""
    window = _WINDOW_CHARS
    longest = min(len(text), MAX_SEARCHED_CHARS)
    while True:
        window = min(window, longest)
        found = deque(pattern.finditer(text, len(text) - window), maxlen=most)
        if window == longest or len(found) == most:
            return list(reversed(found))
        window *= 8


def lowered(text: str) -> str:
    """The part that `last_matches` searches, in lower case."""
    return text[-MAX_SEARCHED_CHARS:].lower()


SIGN_OF_MATHEMATICS = re.compile(r"[\d\\$=]")
_WRAPPING = " \t\r\n\f\v*_`"
_FORMULA = re.compile(r"\$[^$]*\$|\\\(.*?\\\)|\\\[.*?\\\]|\\(?:text|mathrm|textbf)\s*\{[^{}]*\}", re.DOTALL)
_WORD = re.compile(r"(?<![\\A-Za-z])(?!(?:and|or|sqrt|pi|sin|cos|tan|log|ln|exp|mod|oo|inf)\b)[A-Za-z]{2,}")
_SAYS = re.compile(
    r"\b(?:so|we|is|are|was|were|then|let|if|that|this|these|it|which|have|has|get|gets|need|because|since|"
    r"find|must|can|could|should|would|will|to|there|here|you|they|he|she|not|but|do|does|did|consider|where|thus|hence)\b",
    re.IGNORECASE,
)
_STARTS = re.compile(
    r"""(?:(?:approximately|about|around|roughly|exactly|only|just|either|both|all|any|every|precisely)\s+){0,2}
    [*_`"'(\[{|]*
    (?: [-+±−~≈<>≤≥]?\s*[$€£¥₹]?\s*[.]?\d | \$ | \\(?![nrt]\b) | [√π∞∅½¼¾²ℝℕℤ]
      | (?:sin|cos|tan|log|ln|exp|sqrt|pi)\b
      | [A-Za-z](?:_\w|['′]|\([a-z0-9]\))?\s*(?:\(|=|<|>|≤|≥|≡|∈|\\|\^|[-+*/,]|\)?[.)]?\s*$|[:)]\s) )""",
    re.VERBOSE,
)
_MONEY = re.compile(r"\W*\$\s?\d[^$]*$")
_UNFINISHED = re.compile(r"[-+*/=×·≈(\[,^_]$|→|⇒|=>|\\(?:to|implies|Rightarrow)\b|[a-z\d)$]\.\s|\n[ \t]*\n")
_LIST_ITEM = re.compile(r"\d{1,2}[.)]\s+[A-Z*]")
_SPELLED = re.compile(
    r"yes|no|true|false|none|never|always|infinit(?:y|ely many)|zero|one|two|three|four|five|six|seven|eight|"
    r"nine|ten|eleven|twelve|no (?:real |integer |such )?(?:solutions?|numbers?)|impossible|undefined|"
    r"does not exist|even|odd",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"[\s$*`]*(?:\\text\s*)?[{\[<(]*\s*(?:\.{2,}|…|_{2,}|\?+|\\l?dots|(?:(?:your|the|final|insert|my|put|numerical|correct)"
    r"\s+){0,3}(?:answer|result|solution|number|letter|value|option|choice)(?:\s+here)?)?\s*[}\]>)]*[\s$*`.]*",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"\W*(?:sorry\W+)?(?:I|we)\s+(?:(?:really|still|honestly|just)\s+)?(?:(?:do\s+not|don['’]t)\s+know|(?:am|are|['’]m)\s+not\s+sure|"
    r"have\s+no\s+idea|(?:cannot|can['’]t|can\s+not|could\s+not|couldn['’]t|am\s+unable\s+to|am\s+not\s+able\s+to)\s+"
    r"(?:solve|determine|find|answer|say|tell|give|provide|compute|help))\b",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"(?:\bI\s+hope\s+(?:it|this|that|my|the)\b|\bLet\s+me\s+know\b|\bPlease\s+let\s+me\s+know\b|\bHope\s+(?:it|this)\b)"
    r"[^.!?\n]{0,120}[.!?]?",
    re.IGNORECASE,
)
"""Among others what follows the answer in the prompts of Lewkowycz et al. 2022, arXiv 2206.14858."""


def tidy(statement: str) -> str:
    """Without surrounding Markdown emphasis and the final full stop."""
    bare = statement.strip(_WRAPPING).lstrip(_WRAPPING + ">")
    return bare if bare.endswith("..") else bare.removesuffix(".").rstrip(_WRAPPING)


def without_courtesy(text: str) -> str:
    """The text without a final "I hope it is correct.", "Let me know ..."."""
    text = text.rstrip()
    tail = max(0, len(text) - 400)
    for hope in _COURTESY.finditer(text, tail):
        if not text[hope.end() :].strip(" .!:)\n") or _COURTESY.match(text, hope.end() + 1):
            return text[: hope.start()].rstrip()
    return text


def is_value(text: str, words: int = 4) -> bool:
    """Whether the text is a value and no sentence: begins as one, with `words` words of prose at most."""
    text = text.strip(_WRAPPING).removesuffix(".")
    if not 0 < len(text) <= MAX_VALUE_CHARS or "\ufffd" in text or "box" in text:
        return False
    if is_nothing(text) or _LIST_ITEM.match(text):
        return False
    if _SPELLED.fullmatch(text):
        return True
    if _UNFINISHED.search(text) or not _is_whole(text):
        return False
    prose = _FORMULA.sub(" ", text)
    return bool(_STARTS.match(text)) and not _SAYS.search(prose) and len(_WORD.findall(prose)) <= words


def _is_whole(text: str) -> bool:
    """Whether braces and formulas that open are closed; a single dollar sign at the start is money."""
    pairs = (("{", "}"), (r"\(", r"\)"), (r"\[", r"\]"))
    if sum(map(text.count, "([")) != sum(map(text.count, ")]")):  # (0, 1] opens and closes
        return False
    dollars = text.count("$") - text.count(r"\$")
    paired = all(text.count(a) == text.count(b) for a, b in pairs)
    return paired and (dollars % 2 == 0 or bool(_MONEY.match(text)))


def is_nothing(text: str) -> bool:
    """Whether the text is a placeholder or refusal: blank, "your answer", "I do not know"."""
    return len(text) <= MAX_VALUE_CHARS and bool(_PLACEHOLDER.fullmatch(text) or _REFUSAL.match(text))


_CLAUSE = re.compile(
    r"[.!?;:\n](?=\s|$)|,(?!\s*that\b)|\b(?:so|therefore|thus|hence|but|then|because)\b(?!\s+that\b)",
    re.IGNORECASE,
)
_TAIL = (
    r"(?:\s+that)?(?:\s+(?:the|our|my|your|his|her|their|its|this|an?|correct|final|right|true|only|real|actual))*"
    r"[\s\"“'‘*_]*$"
)
_NOT = r"(?:not|never|n['’]t|cannot|hardly|nobody|no\s+one|nothing|neither|nor)"
_DOUBTED = re.compile(
    rf"""
    \b(?:doubt|den(?:y|ie[sd])|disagree|reject|refute|disput|disprove|suppos|assum|imagin|pretend|wonder|
         (?:if|whether|unless|thought|guessed|hoped|perhaps)\b)\w*{_TAIL}
  | (?:\b(?:false|untrue|wrong|incorrect|mistak\w+|absurd|impossible|unlikely|improbable|doubtful|
         inconceivable|lie|myth|falsehood|contradict\w*|tempting|misconception|unclear|error|no\s+(?:way|chance|reason|evidence|proof))\b|{_NOT}\b)
    [^.;!?]{{0,80}}?(?:\bthat\b|\bto\s+\w+){_TAIL}
  | \bno\s+way{_TAIL} | \b(?:refus\w+|fail\w*|hesitat\w+|reluctant|hard|difficult)\s+to\s+\w+{_TAIL}
  | {_NOT}\s+(?:\w+\s+){{0,2}}(?:think|believe|say|claim|conclude|mean|agree|expect|know|sure|certain|
         convinced|follow|suggest|imply|accept)\w*{_TAIL}
  | \b(?:might|may|could|would|can)\s+(?:\w+\s+){{0,2}}
    (?:think|guess|expect|believe|suspect|suppose|seem|hope)\w*{_TAIL}
  | \b(?:incorrectly|wrongly|falsely|mistakenly|naively)\b[^.;!?]{{0,60}}$
    """,
    re.VERBOSE | re.IGNORECASE,
)
_UNDOUBTED = re.compile(
    r"\b(?:no|not|never|cannot|without|beyond|little)\s+(?:\w+\s+){0,2}"
    r"(?:doubt\w*|den(?:y|ied)|hard|difficult|surpris\w+|wrong|incorrect|false|too)\b"
    r"|n['’]t\s+(?:\w+\s+){0,2}(?:doubt|hard|difficult)",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"[\"”'’*$\s]*,?\s*(?:which\s+|that\s+|this\s+)?(?:is|was|would\s+be|cannot\s+be|can['’]t\s+be)\s+(?:\w+\s+)?"
    r"(?:false|wrong|incorrect|untrue|impossible|nonsense|absurd|not\s+(?:true|correct|right|possible|the\s+case))\b",
    re.IGNORECASE,
)
_CONTRARY = re.compile(
    r"(?:(?:certainly|definitely|clearly|surely|probably|actually|obviously|of\s+course|indeed|most\s+likely)\s+)?"
    r"(?:not|never|neither|no\s+longer|anything\s+but|other\s+than|different\s+from|unlikely|hardly|far\s+from)\b"
    r"(?:\s+(?:equal\s+to|simply|just|even|going|to|be|really))*\s*",
    re.IGNORECASE,
)
_BUT = re.compile(r",?\s+but\s+(?:rather\s+|instead\s+)?", re.IGNORECASE)
_BOUND = re.compile(
    r"(?:(?:always|certainly|definitely|clearly|strictly|of\s+course)\s+)?(?:at\s+(?:least|most)|"
    r"(?:less|greater|more|fewer|smaller|larger|bigger|higher|lower)\s+than|(?:no|not)\s+(?:more|less|fewer|greater)|"
    r"bounded|between|above|below|under|over|up\s+to|within)\b|[$\\(]*\s*(?:\\[gl]e(?:q|qslant)?\b|[<>≤≥])",
    re.IGNORECASE,
)


def is_doubted(text: str, place: int) -> bool:
    """Whether the statement at `place` is denied, doubted or assumed: "It is false that the answer is 42"."""
    before = text[max(0, place - 200) : place]
    ends = [end.end() for end in _CLAUSE.finditer(before)]
    clause = before[ends[-1] if ends else 0 :]
    return bool(_DOUBTED.search(clause)) and not _UNDOUBTED.search(clause)


def affirmed(value: str) -> str:
    """The value that a predicate affirms, "" if none: of "not 2 but 3" it is 3, of "not 2" none."""
    if contrary := _CONTRARY.match(value):
        rest = value[contrary.end() :]
        parts = _BUT.split(rest, maxsplit=1)
        if len(parts) == 2:
            return parts[1]
        return "" if is_value(rest, 6) or "box" in rest[:20] else value
    denied = _DENIED.search(value[:MAX_VALUE_CHARS])
    said = value[: denied.start()].strip("\"”'’") if denied else ""
    if is_value(said, 2) and not _SPELLED.fullmatch(said):
        return ""
    return value


def is_bound(value: str) -> bool:
    """Whether a predicate only bounds its subject: "at least 5"."""
    return bool(_BOUND.match(value))
