"""The visible response: without thinking and without the tokens of chat templates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

Formats = tuple[tuple[str, str], ...]
"""(opening, closing) of thinking formats, as literal text."""

_TAGS = tuple(
    "think(?:ing)? thoughts? reason(?:ing)? reflect(?:ion)? analysis scratch_?pad cot chain_of_thoughts? "
    "inner_monologue rationale".split()
)


def _tag_formats(name: str) -> Iterator[tuple[str, str]]:
    """The ways a name is marked, perhaps with a vendor's prefix: `<think>`, `<seed:think>`, `[THINK]`."""
    named = rf"(?:[\w-]{{1,20}}[:_])?{name}"
    yield rf"<{named}\b[^<>\n]{{0,80}}>", rf"</{named}\s*>"
    yield rf"◁{named}▷", rf"◁/{named}▷"
    yield rf"\[(?-i:{name.upper()})\]", rf"\[/(?-i:{name.upper()})\]"
    yield (
        rf"<\|(?:(?:begin|start)_(?:of_)?)?{name}(?:_(?:start|begin))?\|>",
        rf"<\|(?:(?:/|end_(?:of_)?){name}|{name}_end)\|>",
    )


_WITHOUT_TOKENS = re.compile(r"analysis(?=[A-Z])")
"""Harmony whose special tokens a decoder dropped: "analysisWe need ... assistantfinal42"."""
_FINAL = r"\s*(?:final|response|answer)\b"
_FORMATS: tuple[tuple[str, str], ...] = (
    *(pair for name in _TAGS for pair in _tag_formats(name)),
    # harmony (gpt-oss): every channel but the final one
    (
        rf"<\|channel\|>(?!{_FINAL})",
        rf"<\|channel\|>{_FINAL}[^<]{{0,40}}(?:<\|constrain\|>[^<]{{0,40}})?<\|message\|>",
    ),
    # Gemma's channels
    (rf"<\|channel>(?!{_FINAL})", rf"<(?:channel\|>|\|channel>{_FINAL})"),
    # s1: a turn for thinking
    (r"<\|im_start\|>think", r"<\|im_start\|>answer"),
    # unsloth's notebooks
    (r"<start_working_out>", r"<end_working_out>"),
    # MedGemma
    (r"<unused94>", r"<unused95>"),
    # Granite, Apriel
    (r"Here is my thought process:", r"Here is my response:"),
    (r"Here are my reasoning steps:", r"\[BEGIN FINAL RESPONSE\]"),
)
"""(opening, closing) patterns of the known formats; each begins with a literal, the rest ignores case."""
_OTHER_WORDS = ("channel", "im_start", "working_out", "unused9")
_HINTS = "|".join((*_TAGS, *_OTHER_WORDS))
_WORDS = (*"think thought reason reflect analysis scratch cot monologue rationale".split(), *_OTHER_WORDS)
"""Every mark has one of these, in lower case."""
MOST_MARKS = 10_000
"""Nothing after more marks of thinking than this is read."""

_TOKEN_REST = (
    r"(?:[|｜](?!(?:begin|end)_of_(?:box|solution|answer|response)\b)/?[\w▁]{1,30}[|｜]>|/?s>|\|?turn\|?>"
    r"|(?:start|end)_of_turn>|(?:bos|eos|pad)>)"
)
_BRACKET_REST = r"(?:/?INST|(?:END|BEGIN) FINAL RESPONSE)\]"
_LEADING = re.compile(rf"(?:\s*(?:<{_TOKEN_REST}|\[{_BRACKET_REST})\s*(?:assistant\b|model\b)?)+")
_TURN = re.compile(
    rf"[^A-Za-z \t\r_](?=[/stebpamuHUIEB]|[|｜]/?[\w▁])(?:(?<=<){_TOKEN_REST}|(?<=\[){_BRACKET_REST}"
    r"|(?<=\n)(?:Human|User):|(?P<role>(?:assistant|user|model|system)[ \t]*(?:\n|\Z)))"
)
"""The end of a turn; a decoder that drops special tokens leaves the role of the next turn."""


def formats(thinking: Sequence[Sequence[str]]) -> Formats:
    """A user's formats, checked. Raises ValueError on anything but pairs of text."""
    pairs = [tuple(pair) for pair in thinking]
    for pair in pairs:
        if len(pair) != 2 or not all(isinstance(mark, str) and mark for mark in pair):
            raise ValueError(f"thinking must be pairs of text, [opening, closing]; got {pair!r}")
    return tuple((opening, closing) for opening, closing in pairs)


def visible(response: str, more: Formats = ()) -> str:
    """The response without its thinking, up to the end of its turn.

    A closing mark without an opening one ends thinking that began in the prompt; thinking that is never
    closed extends to the end. `more` are formats besides the known ones.
    """
    if _WITHOUT_TOKENS.match(response):
        response = "<|channel|>" + response.replace("assistantfinal", "<|channel|>final<|message|>")
    shown: list[str] = []
    inside, start = None, 0
    marks = _marks(more).finditer(response) if _may_think(response, more) else ()
    for count, mark in enumerate(marks):
        if count == MOST_MARKS:
            inside = "none of them"
            break
        kind, number = mark.lastgroup[0], mark.lastgroup[1:]  # type: ignore[index]
        if inside is None and kind == "o":
            shown.append(response[start : mark.start()])
            inside = number
        elif kind == "c" and inside in (None, number):
            if inside is None:
                shown.clear()
            inside, start = None, mark.end()
    if inside is None:
        shown.append(response[start:])
    return _first_turn("\n\n".join(part for part in shown if part))


def _may_think(response: str, more: Formats) -> bool:
    lower = response.lower()
    return bool(more) or any(word in lower for word in _WORDS)


@lru_cache(maxsize=64)
def _marks(more: Formats) -> re.Pattern[str]:
    marks: dict[str, list[str]] = {}
    literal = tuple((re.escape(opening), re.escape(closing)) for opening, closing in more)
    for number, pair in enumerate(literal + _FORMATS):
        for kind, pattern in zip("oc", pair, strict=True):
            first = re.match(r"\\?.", pattern, re.DOTALL)
            assert first is not None, f"a format begins with a literal, not {pattern!r}"
            marks.setdefault(first[0], []).append(rf"(?P<{kind}{number}>{pattern[first.end() :]})")
    # a look at the next characters rules out most of a text
    guards = {"<": rf"(?=[|/]{{0,2}}\w)(?=[|/]{{0,2}}[\w:-]{{0,30}}(?:{_HINTS}))", r"\[": r"(?=/?[A-Z])"}
    alike = [rf"(?<={c}){'' if more else guards.get(c, '')}(?:{'|'.join(rest)})" for c, rest in marks.items()]
    return re.compile(rf"[{''.join(marks)}](?i:{'|'.join(alike)})")


def _first_turn(text: str) -> str:
    leading = _LEADING.match(text)
    start = leading.end() if leading else 0
    turn = _TURN.search(text, start)
    return text[start : turn.start() + (turn["role"] is not None)] if turn else text[start:]
