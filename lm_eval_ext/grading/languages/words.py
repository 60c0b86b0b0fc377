"""The words of a sentence in another language, once those of its table are English."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from lm_eval_ext.grading.answers.lexicon import english

FORMULA = r"\$[^$]*\$|\\\((?>(?:[^\\]|\\[^()])*)\\\)|\\\[(?>(?:[^\\]|\\[^\[\]])*)\\\]"
UNTOLD = "untold"
"""An unknown word as one that can be read, and that has no meaning."""
HEDGED = "hedged"
"""Any word that denies, limits or doubts: where one stands, nothing is stated."""
MEANINGLESS = (
    english.NOISE - {"all", "any", "every", "each", "some", "total", "sum", "ratio", "count", "half"}
) | {UNTOLD}
"""Words that change nothing in the value behind them."""
VERBS = frozenset("is are equals equal get gives yields obtain has have requires".split())
SATISFIES = frozenset("work works holds satisfy satisfies".split())
COUNTED = frozenset("integer natural real positive prime even odd rational complex".split())
LIMITING = (english.LIMITS | english.HEDGES | {"for", "some", HEDGED}) - {"and"}
NEGATIVE = frozenset("not no none never impossible cannot false".split())

_KNOWN = english.KNOWN | VERBS | SATISFIES
_MARKS = ",.:;!()-–—*'’"
_TOKEN = re.compile(
    rf"(?P<formula>{FORMULA}|\\[A-Za-z]+)|(?P<number>\d(?:[\d.,]*\d)?%?)"
    r"|(?P<word>[^\W\d_]+(?:['’-][^\W\d_]+)*)|(?P<sign>\S)",
    re.DOTALL,
)
_NAME = re.compile(
    r"(?:\$|\\\()\s*(?:\\(?:triangle|angle)\s*)?(?:\\mathbb\{[A-Z]\}|[A-Za-z]\w?|[A-Z]{2,4})(?:_\{?\w{1,3}\}?)?"
    r"(?:\(\s*[a-z](?:,[a-z])*\s*\))?\s*(?:\$|\\\))"
)


class Token(NamedTuple):
    """A word, formula, number or sign, and its place in the text."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind == "word" else ""

    @property
    def is_unknown(self) -> bool:
        return bool(self.word) and self.word not in _KNOWN and not self._is_letter

    @property
    def is_core(self) -> bool:
        """Whether it has a meaning that must not be lost."""
        if self.kind == "word":
            return not self.is_unknown and self.word not in MEANINGLESS and self.word not in VERBS
        return self.kind != "sign" or self.text not in _MARKS

    @property
    def is_name(self) -> bool:
        """Whether it names something: a letter, f(x), ABC."""
        return bool(_NAME.fullmatch(self.text)) or (self.kind == "word" and len(self.text) == 1)

    @property
    def _is_letter(self) -> bool:
        return len(self.text) == 1 and self.text.isascii()


def tokens_of(text: str) -> list[Token]:
    return [Token(str(m.lastgroup), m[0], m.start(), m.end()) for m in _TOKEN.finditer(text)]


def words_of(tokens: Iterable[Token]) -> list[str]:
    return [t.word for t in tokens if t.word]
